package threats

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"gatehouse/gateway/wire"
)

// restores are who gains by a backup.
func restores() []Row {
	return []Row{{
		ID: "T79", Name: "desk-file-restored", where: foreign, alone: true,
		Title:   "desk.db is brought back from before a gate was revoked, and then is lost",
		Control: "who was enrolled and revoked also lies beside the authority, apart from the backup",
		try:     deskRestored,
	}}
}

const deskFile = "desk.db"

// keepDesk copies the desk's file to another folder, or back; the collector is stopped.
func (c *county) keepDesk(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		name := deskFile + end
		if err := os.Remove(filepath.Join(to, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := copyFile(filepath.Join(from, name), filepath.Join(to, name)); err != nil &&
			!errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// without stops the collector, does something to its files, and starts it again.
func (c *county) without(ctx context.Context, do func() error) error {
	c.collector.End(syscall.SIGTERM, 20*time.Second)
	err := do()
	if _, err1 := c.collector.Start(); err == nil {
		err = err1
	}
	if err == nil {
		err = c.collector.WaitFor(ctx, func() bool { return answers(ctx, c.desk) })
	}
	return err
}

// sendsFever sends a fever in the name of a gate, signed by key unless that is nil, and
// returns what it can be found by.
func (c *county) sendsFever(ctx context.Context, agent string, key crypto.Signer) (mark string, err error) {
	mark = "restored-" + uuid.NewString()[:8]
	f := forged{agent: agent, jid: uuid.NewString(), from: 1, key: key, body: fever(mark)}
	payload, err := f.payload()
	if err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "burglar")
	if err != nil {
		return "", err
	}
	defer m.close()
	return mark, m.sends(wire.Topic(countyID, agent, wire.LeafRecords), payload)
}

func deskRestored(ctx context.Context, c *county) (string, error) {
	folder, backup, now := c.path("county"), c.path("backup"), c.path("newest")
	g := c.gates[1]
	key, err := g.key()
	if err != nil {
		return "", err
	}
	if err := c.without(ctx, func() error { return c.keepDesk(folder, backup) }); err != nil {
		return "", err
	}
	if err := c.admin.revoke(ctx, g.id); err != nil {
		return "", err
	}
	if err := c.without(ctx, func() error { return c.keepDesk(backup, folder) }); err != nil {
		return "", err
	}
	revoked, err := c.sendsFever(ctx, g.id, key)
	if err == nil {
		err = c.settled(ctx)
	}
	if err == nil {
		err = c.unknownTo(ctx, revoked)
	}
	if err != nil {
		return "", fmt.Errorf("after a restore from before it was revoked: %w", err)
	}
	if err := c.again(ctx, g); err != nil {
		return "", err
	}
	unsigned, err := c.deskLost(ctx, folder, now)
	if err != nil {
		return "", fmt.Errorf("without desk.db: %w", err)
	}
	for _, g := range c.gates {
		if _, err := c.delivers(ctx, g); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("the revoked gate stays revoked; without the file %d unsigned batches: 0 stored; with it both "+
		"gates deliver", len(unsigned)), c.unknownTo(ctx, unsigned...)
}

// deskLost plays a collector whose desk.db is lost, and which does not demand signatures, and
// brings the file back. It returns what was sent without a signature meanwhile.
func (c *county) deskLost(ctx context.Context, folder, now string) (marks []string, err error) {
	text, err := os.ReadFile(c.path("collect.yaml"))
	if err != nil {
		return nil, err
	}
	lax := strings.Replace(string(text), "require_signed: true\n", "", 1)
	err = c.without(ctx, func() error {
		return errors.Join(c.keepDesk(folder, now), c.keepDesk(c.path("nothing"), folder),
			c.put("collect.yaml", lax))
	})
	defer func() {
		err = errors.Join(err, c.without(ctx, func() error {
			return errors.Join(c.keepDesk(now, folder), c.put("collect.yaml", string(text)))
		}))
	}()
	if err != nil {
		return nil, err
	}
	// What comes before the collector listens is nobody's. A gate that was never enrolled is
	// taken unsigned here, and comes after the others.
	taken := func() bool {
		var last string
		for _, agent := range []string{c.gates[0].id, c.gates[1].id, byHand} {
			if last, err = c.sendsFever(ctx, agent, nil); err != nil {
				return true
			}
			marks = append(marks, last)
		}
		marks = marks[:len(marks)-1]
		return await(ctx, time.Second, func() bool {
			stored, err := c.run(ctx, "export", "--dir", folder, "--format", "jsonl")
			return err == nil && strings.Contains(stored, last)
		})
	}
	if ok := await(ctx, 30*time.Second, taken); !ok {
		return nil, fmt.Errorf("nothing is taken of %s, which was never enrolled", byHand)
	}
	if err != nil {
		return nil, err
	}
	return marks, nil
}
