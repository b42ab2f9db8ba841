package command

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"gatehouse/gateway/fact"
)

// An agent that ends between the disk and the barrier says that it is not known, once.
func TestAnEndBetweenDiskAndBarrierIsSaid(t *testing.T) {
	g := start(t)
	g.full = errors.New("killed")
	if _, err := g.says(command("command-00000001", fact.CommandOpen)); err != nil {
		t.Fatal(err)
	}
	again := newGate(t, g.opts.File)
	again.Begin(again.now)
	if got := again.outcomes(); !slices.Equal(got, []string{"county-open unknown "}) || again.opened != 0 {
		t.Fatalf("%q, opened %d times", got, again.opened)
	}
	third := newGate(t, g.opts.File)
	third.Remember(again.kept[0])
	third.Begin(third.now)
	if len(third.kept) != 0 {
		t.Errorf("said again: %q", third.outcomes())
	}
	if err := os.WriteFile(g.opts.File, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := newGate(t, g.opts.File)
	damaged.Begin(damaged.now)
	if _, err := damaged.says(command("command-00000002", fact.CommandOpen)); err != nil || damaged.opened != 1 {
		t.Errorf("after damage: opened %d times, %v", damaged.opened, err)
	}
}

// Old commands that somebody has kept fill no journal.
func TestOldCommandsFillNoJournal(t *testing.T) {
	g := start(t)
	for i := range 500 {
		c := command(fmt.Sprintf("command-%08d", i), fact.CommandOpen)
		c.Nonce, c.ExpiresMS = "c0ffee1234567890", 10_000
		g.Hear(payload(t, c, "gate-017", key), false)
		if err := g.turn(); err != nil {
			t.Fatal(err)
		}
	}
	if len(g.kept) != refusals || g.opened != 0 || g.kept[0].Command.Why != fact.CommandNonce {
		t.Errorf("%d records, opened %d times", len(g.kept), g.opened)
	}
}

// A version is asked for once, under the id of the command; the screen shows what is refused
// no longer.
func TestAVersionIsAskedForOnce(t *testing.T) {
	g := start(t)
	with, err := g.says(command("command-00000001", fact.CommandUpgrade))
	for range 3 {
		g.Hear(with, false)
		err = errors.Join(err, g.turn())
	}
	if err != nil || !slices.Equal(g.asked, []string{"command-00000001 1.4.0"}) {
		t.Errorf("asked for %q, %v", g.asked, err)
	}
	if shown := g.board.Snapshot().County; len(shown) != 1 || shown[0].Action != fact.CommandUpgrade {
		t.Errorf("the screen shows %+v", shown)
	}
	g.why = fact.CommandSame
	if _, err := g.says(command("command-00000002", fact.CommandUpgrade)); err != nil ||
		len(g.asked) != 1 || len(g.board.Snapshot().County) != 1 {
		t.Errorf("asked for %q, %+v, %v", g.asked, g.board.Snapshot().County, err)
	}
}
