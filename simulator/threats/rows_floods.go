package threats

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/google/uuid"

	"gatehouse/gateway/wire"
)

// floods are agents, or who has the key of one, that send more than the county can hold.
func floods() []Row {
	rows := []Row{
		{
			ID:      "T65",
			Name:    "many-journals",
			Title:   "a gate sends 2,000 batches of ever new journals, with what comes before missing",
			Control: "what waits is bounded for each agent",
			try:     manyJournals,
		},
		{ID: "T66", Name: "junk", Title: "a gate sends 600 messages of 100 kB that nobody can read",
			Control: "a share of the quarantine for each agent", try: junk},
		{ID: "T67", Name: "hellos", Title: "2,000 hellos of a gate, signed and not",
			Control: "answers are bounded for each agent", try: manyHellos},
	}
	for i := range rows {
		rows[i].where = foreign
	}
	return rows
}

// flood sends payloads as the second gate, and returns what the collector needs afterwards.
func (c *county) flood(ctx context.Context, leaf wire.Leaf, payloads [][]byte) (string, error) {
	memoryBefore, err := memory(c.collector.PID())
	if err != nil {
		return "", err
	}
	diskBefore := size(c.path("county"))
	m, err := c.hostile(ctx, "flood-"+string(leaf))
	if err != nil {
		return "", err
	}
	defer m.close()
	if err := m.sends(wire.Topic(countyID, "gate-002", leaf), payloads...); err != nil {
		return "", err
	}
	took, err := c.delivers(ctx, c.gates[0])
	if err != nil {
		return "", fmt.Errorf("a gate suffers from what another one sends: %w", err)
	}
	memoryAfter, err := memory(c.collector.PID())
	if err != nil {
		return "", err
	}
	more, disk := (memoryAfter-memoryBefore)>>20, (size(c.path("county"))-diskBefore)>>20
	if more > 150 || disk > 64 {
		return "", fmt.Errorf("the collector needs %d MiB of memory and %d MiB of disk more", more, disk)
	}
	return fmt.Sprintf("%d messages, %d MiB: %+d MiB of memory, %+d MiB of disk; a passage of another gate in %s",
		len(payloads), total(payloads)>>20, more, disk, ms(took)), nil
}

func total(payloads [][]byte) (n int) {
	for _, p := range payloads {
		n += len(p)
	}
	return n
}

// size returns how many bytes the files below a folder have.
func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // files go while programs run
		}
		if info, err := d.Info(); err == nil && d.Type().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}

func manyJournals(ctx context.Context, c *county) (string, error) {
	key, err := c.gates[1].key()
	if err != nil {
		return "", err
	}
	var payloads [][]byte
	for range 2000 {
		f := forged{
			agent: "gate-002",
			jid:   uuid.NewString(),
			from:  2,
			body:  fever(string(bytes.Repeat([]byte("x"), 60))),
			key:   key,
		}
		p, err := f.payload()
		if err != nil {
			return "", err
		}
		payloads = append(payloads, p)
	}
	return c.flood(ctx, wire.LeafRecords, payloads)
}

func junk(ctx context.Context, c *county) (string, error) {
	var payloads [][]byte
	for i := range 600 {
		payloads = append(payloads, append([]byte(fmt.Sprint("junk ", i)), bytes.Repeat([]byte{'x'}, 100<<10)...))
	}
	return c.flood(ctx, wire.LeafRecords, payloads)
}

func manyHellos(ctx context.Context, c *county) (string, error) {
	key, err := c.gates[1].key()
	if err != nil {
		return "", err
	}
	var payloads [][]byte
	for i := range 2000 {
		h := wire.Hello{
			V:       1,
			JID:     uuid.NewString(),
			Nonce:   fmt.Sprintf("%016d", i),
			KeyID:   "0123456789abcdef",
			Version: "x",
		}
		if i%2 == 0 {
			if h, err = wire.SignHello(h, countyID, "gate-002", key); err != nil {
				return "", err
			}
		}
		p, err := wire.Encode(h)
		if err != nil {
			return "", err
		}
		payloads = append(payloads, p)
	}
	return c.flood(ctx, wire.LeafHello, payloads)
}
