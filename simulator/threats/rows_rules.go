package threats

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/wire"
)

// ruleSets are who publishes what gates decide by.
func ruleSets() []Row {
	return []Row{
		{
			ID: "T72", Name: "rules-forged", where: foreign,
			Title:   "rules of another key, an older county's, none, or of the neighbour are published to a gate",
			Control: "a set of rules is signed by the county, for one gate", try: forgedRules,
		},
		{
			ID: "T73", Name: "rules-older", where: foreign,
			Title:   "the rules of before are published again, also to a gate that starts without the county",
			Control: "the number of a set never falls", try: olderRules,
		},
		{
			ID: "T74", Name: "rules-torn", where: foreign,
			Title:   "a set comes half, with its parts swapped, too large, and with parts without end",
			Control: "a set is put into force whole, when each part is the one that its manifest names",
			try:     tornRules,
		},
	}
}

func forgedRules(ctx context.Context, c *county) (string, error) {
	g := c.gates[0]
	first, err := c.newRules(ctx, g)
	if err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "ruler")
	if err != nil {
		return "", err
	}
	defer m.close()
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	byStranger, err := c.made(ctx, first+100, 1, stranger)
	if err != nil {
		return "", err
	}
	unsigned := byStranger
	unsigned.Manifest.Sig = ""
	ofFellow, err := c.publishedRules(ctx, "gate-002")
	if err != nil {
		return "", err
	}
	for what, s := range map[string]rulebook.Sealed{"of another key": byStranger, "unsigned": unsigned,
		"of the neighbour": ofFellow} {
		err := g.refusesRules(ctx, what, func() error { return m.publishRules(g.id, s) })
		if err != nil {
			return "", err
		}
	}
	next, err := c.newRules(ctx, g)
	if err != nil {
		return "", fmt.Errorf("after forged rules: %w", err)
	}
	list, err := g.applied()
	if n := len(list); err != nil || n < 2 || list[n-2] != first || list[n-1] != next {
		return "", errors.Join(err, fmt.Errorf("the gate has had the sets %v, the county's are %d and %d", list,
			first, next))
	}
	return "3 sets, kept: refused; the county's next one came into force", nil
}

func olderRules(ctx context.Context, c *county) (string, error) {
	g := c.gates[0]
	if _, err := c.newRules(ctx, g); err != nil {
		return "", err
	}
	older, err := c.publishedRules(ctx, g.id)
	if err != nil {
		return "", err
	}
	now, err := c.newRules(ctx, g)
	if err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "historian")
	if err != nil {
		return "", err
	}
	defer m.close()
	again := func() error { return m.publishRules(g.id, older) }
	if err := g.refusesRules(ctx, "older", again); err != nil {
		return "", err
	}
	c.collector.End(syscall.SIGTERM, 20*time.Second)
	defer func() { _, _ = c.collector.Start() }() // it may have been started below
	if err := again(); err != nil {
		return "", err
	}
	if err := g.refusesRules(ctx, "older, after a start", func() error {
		g.agent.End(syscall.SIGTERM, 10*time.Second)
		_, err := g.agent.Start()
		return err
	}); err != nil {
		return "", err
	}
	if err := c.back(ctx, g); err != nil {
		return "", err
	}
	list, err := g.applied()
	if err != nil || list[len(list)-1] != now {
		return "", errors.Join(err, fmt.Errorf("the gate has had the sets %v, and %d is in force", list, now))
	}
	return "refused at once, and at a start without the county", nil
}

// back starts the collector, and returns when a passage of a gate is stored.
func (c *county) back(ctx context.Context, g *gate) error {
	if _, err := c.collector.Start(); err != nil {
		return err
	}
	err := c.collector.WaitFor(ctx, func() bool { return answers(ctx, c.desk) })
	if err == nil {
		err = g.agent.WaitFor(ctx, func() bool { return answers(ctx, g.kiosk) })
	}
	if err == nil {
		_, err = c.delivers(ctx, g)
	}
	return err
}

// inParts returns a set in parts of another size.
func inParts(s rulebook.Sealed, size int, key ed25519.PrivateKey) rulebook.Sealed {
	s.Parts = slices.Collect(slices.Chunk(slices.Concat(s.Parts...), size))
	s.Manifest.Parts = nil
	for _, p := range s.Parts {
		s.Manifest.Parts = append(s.Manifest.Parts, wire.SumPart(p))
	}
	s.Manifest = wire.SignManifest(s.Manifest, countyID, "gate-001", key)
	return s
}

func tornRules(ctx context.Context, c *county) (string, error) {
	g := c.gates[0]
	now, err := c.newRules(ctx, g)
	if err != nil {
		return "", err
	}
	key, err := c.signer()
	if err != nil {
		return "", err
	}
	set, err := c.made(ctx, now+1000, 24<<10, key)
	if err != nil {
		return "", err
	}
	set = inParts(set, 8<<10, key) // a broker keeps no larger ones for a client like this
	m, err := c.hostile(ctx, "tearer")
	if err != nil {
		return "", err
	}
	defer m.close()
	// The county is away: it would publish its own set over these.
	c.collector.End(syscall.SIGTERM, 20*time.Second)
	defer func() { _, _ = c.collector.Start() }() // it may have been started below
	swapped := rulebook.Sealed{Manifest: set.Manifest, Parts: slices.Clone(set.Parts)}
	slices.Reverse(swapped.Parts)
	const refused = "a part of the rules is refused"
	before := strings.Count(g.agent.Printed(), refused)
	if err := m.publishRules(g.id, swapped); err != nil {
		return "", err
	}
	if ok := await(ctx, 20*time.Second, func() bool {
		return strings.Count(g.agent.Printed(), refused) > before
	}); !ok {
		return "", fmt.Errorf("parts that are swapped are not refused: %s", g.agent.Tail())
	}
	grown, err := c.pours(ctx, m, g, set.Manifest.No)
	if err != nil {
		return "", err
	}
	if list, err := g.applied(); err != nil || list[len(list)-1] != now {
		return "", errors.Join(err, fmt.Errorf("the gate has had the sets %v, the county's is %d", list, now))
	}
	// The same set, whole and in order, is the county's.
	if err := m.publishRules(g.id, set); err != nil {
		return "", err
	}
	if err := c.inForce(ctx, g, func(no uint64) bool { return no == set.Manifest.No }); err != nil {
		return "", fmt.Errorf("the set as it should be: %w", err)
	}
	if err := c.back(ctx, g); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d swapped parts, %d too large, %d of nothing: +%d MiB of memory; the set came into force "+
		"when it was whole", len(set.Parts), wire.MaxParts, wire.MaxParts, grown), nil
}

// pours sends an agent parts that it has not asked for, and parts and manifests that are too
// large. It returns by how many MiB its memory has grown.
func (*county) pours(ctx context.Context, m *client, g *gate, no uint64) (grown uint64, err error) {
	need, err := memory(g.agent.PID())
	if err != nil {
		return 0, err
	}
	endless := make([]byte, wire.MaxPartBytes)
	for n := range wire.MaxParts {
		if err := m.publish(wire.PartTopic(countyID, g.id, no+1000, n), endless, false); err != nil {
			return 0, err
		}
		large := make([]byte, wire.MaxPartBytes+1)
		if err := m.publish(wire.PartTopic(countyID, g.id, no, n), large, false); err != nil {
			return 0, err
		}
		if err := m.acknowledged(); err != nil {
			return 0, err
		}
	}
	if err := m.sends(wire.Topic(countyID, g.id, wire.LeafPolicy), make([]byte, wire.MaxManifestBytes+1)); err != nil {
		return 0, err
	}
	if err := g.passes(ctx); err != nil {
		return 0, err
	}
	more, err := memory(g.agent.PID())
	if err == nil && more > need+64<<20 {
		err = fmt.Errorf("the gate needs %d MiB, before %d", more>>20, need>>20)
	}
	return uint64(max(more, need)-need) >> 20, err
}
