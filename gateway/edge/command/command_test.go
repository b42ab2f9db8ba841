package command

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2020, 2, 14, 14, 3, 0, 0, time.UTC)

var key = ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))

// deeds are what a gate has done.
type deeds struct {
	opened int
	asked  []string // upgrades: the id of the command and the version
}

// gate is a gate with a barrier that counts, and a journal and a clock of the test.
type gate struct {
	*Commands
	deeds

	t      *testing.T
	now    clock.Moment
	board  *status.Board
	kept   []*wire.Audit
	nonces []wire.Nonce
	stuck  error           // of the barrier: it is not known whether it opened
	why    fact.CommandWhy // of the barrier: it did not
	files  error           // what is wrong with the files
	full   error           // of the journal
	acted  func()          // called when the barrier opens
}

func (g *gate) Now() clock.Moment  { return g.now }
func (g *gate) Synchronised() bool { return true }

func (g *gate) TryAppend(_ clock.Moment, body wire.Body) (uint64, error) {
	if g.full != nil {
		return 0, g.full
	}
	a, _ := body.(*wire.Audit)
	g.kept = append(g.kept, a)
	return uint64(len(g.kept)), nil
}

func newGate(t *testing.T, file string) *gate {
	t.Helper()
	g := &gate{t: t, board: status.NewBoard(), now: clock.Moment{Wall: t0, Boot: time.Hour}}
	public, _ := key.Public().(ed25519.PublicKey)
	g.Commands = New(Options{County: "qinghe", Agent: "gate-017", Collector: public, File: file, Journal: g,
		Board: g.board, Clock: g, Screen: true, Log: slog.New(slog.DiscardHandler),
		Does: Does{
			Barrier: func(context.Context, string) (fact.CommandWhy, error) {
				if g.acted != nil {
					g.acted()
				}
				if g.why == "" {
					g.opened++
				}
				return g.why, g.stuck
			},
			Files: func(time.Time) error { return g.files },
			Upgrade: func(id, version string) (fact.CommandWhy, string) {
				if g.why == "" {
					g.asked = append(g.asked, id+" "+version)
				}
				return g.why, ""
			}},
		Send: func(leaf wire.Leaf, payload []byte) {
			n, err := wire.Decode[wire.Nonce](payload)
			if err != nil || n.Check() != nil || leaf != wire.LeafNonce {
				t.Errorf("%s %s: %v", leaf, payload, err)
			}
			g.nonces = append(g.nonces, n)
		}})
	return g
}

func start(t *testing.T) *gate {
	t.Helper()
	return newGate(t, filepath.Join(t.TempDir(), "commands.json"))
}

func command(id string, action fact.CommandAction) wire.Command {
	c := wire.Command{V: 1, ID: id, Action: action, Operator: "wang", Reason: "救护车"}
	if action == fact.CommandNotice {
		c.Zh = "西门开放"
	}
	if action == fact.CommandUpgrade {
		c.Version = "1.4.0"
	}
	return c
}

func payload(t *testing.T, c wire.Command, agent string, k ed25519.PrivateKey) []byte {
	t.Helper()
	b, err := wire.Encode(wire.SignCommand(c, "qinghe", agent, k))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// turn carries out what was heard.
func (g *gate) turn() (err error) {
	for len(g.heard) > 0 {
		err = errors.Join(err, g.take(g.t.Context(), g.now, <-g.heard))
	}
	g.Turn(g.now)
	return err
}

// says has the desk say c, and returns what was published with the gate's nonce.
func (g *gate) says(c wire.Command) (with []byte, err error) {
	g.t.Helper()
	g.Hear(payload(g.t, c, "gate-017", key), false)
	if err := g.turn(); err != nil || len(g.nonces) == 0 {
		g.t.Fatalf("no nonce, %v", err)
	}
	c.Nonce, c.ExpiresMS = g.nonces[len(g.nonces)-1].Nonce, 10_000
	with = payload(g.t, c, "gate-017", key)
	g.Hear(with, false)
	return with, g.turn()
}

func (g *gate) outcomes() (out []string) {
	for _, a := range g.kept {
		out = append(out, fmt.Sprint(a.Action, " ", a.Command.Outcome, " ", a.Command.Why))
	}
	return out
}

func TestABarrierIsOpenedOnceHoweverOftenItIsCommanded(t *testing.T) {
	g := start(t)
	g.acted = func() { // it is on the disk before
		if b, err := os.ReadFile(g.opts.File); err != nil || !strings.Contains(string(b), "command-00000001") {
			t.Errorf("when the barrier opens the disk holds %s, %v", b, err)
		}
	}
	with, err := g.says(command("command-00000001", fact.CommandOpen))
	if err != nil || g.opened != 1 {
		t.Fatalf("opened %d times, %v", g.opened, err)
	}
	for range 1000 {
		g.Hear(with, false)
		g.Hear(with, true)
		if err := g.turn(); err != nil {
			t.Fatal(err)
		}
	}
	again := newGate(t, g.opts.File)
	again.acted = func() { t.Error("opened by another run") }
	again.Remember(g.kept[0])
	again.Begin(again.now)
	for range 1000 {
		again.Hear(with, false)
		if err := again.turn(); err != nil {
			t.Fatal(err)
		}
	}
	if g.opened != 1 || len(g.kept) != 1 || len(again.kept) != 0 {
		t.Errorf("opened %d times, %v, then %v", g.opened, g.outcomes(), again.outcomes())
	}
	a := g.kept[0]
	if a.Actor != "county" || a.Action != "county-open" || a.Reason != "救护车" || a.Command.Operator != "wang" ||
		a.Command.Outcome != fact.CommandDone || !a.OfCounty() || a.Check() != nil {
		t.Errorf("%+v %+v", a, a.Command)
	}
	shown := g.board.Snapshot()
	if len(shown.County) != 1 || shown.County[0].Operator != "wang" || !strings.Contains(shown.Odd, "2000 commands") {
		t.Errorf("%+v, %s", shown.County, shown.Odd)
	}
	g.now = g.now.Add(refusedFor)
	g.Turn(g.now)
	if shown = g.board.Snapshot(); len(shown.County) != 0 || shown.Odd != "" {
		t.Errorf("later %+v, %s", shown.County, shown.Odd)
	}
}

func TestOnlyTheCountyCommandsThisGate(t *testing.T) {
	g := start(t)
	g.Hear(payload(t, command("command-00000001", fact.CommandOpen), "gate-017", key), false)
	if err := g.turn(); err != nil {
		t.Fatal(err)
	}
	c := command("command-00000001", fact.CommandOpen)
	c.Nonce, c.ExpiresMS = g.nonces[0].Nonce, 10_000
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", ed25519.SeedSize)))
	county, err := wire.Encode(wire.SignCommand(c, "yuncheng", "gate-017", key))
	if err != nil {
		t.Fatal(err)
	}
	long := c
	long.ExpiresMS = 60_000
	for what, b := range map[string][]byte{
		"forged":            payload(t, c, "gate-017", other),
		"for another gate":  payload(t, c, "gate-018", key),
		"of another county": county,
		"that never ends":   payload(t, long, "gate-017", key),
		"empty":             nil,
		"rubbish":           []byte("rubbish"),
		"of a later time":   []byte(`{"v":2}`),
		"endless":           []byte(`{"v":1,"sig":"` + strings.Repeat("A", wire.MaxCommandBytes) + `"}`),
	} {
		before := g.odd.count
		g.Hear(b, false)
		if err := g.turn(); err != nil || g.opened != 0 || len(g.kept) != 0 || g.odd.count != before+1 {
			t.Errorf("%s: opened %d times, %v, %v", what, g.opened, g.outcomes(), err)
		}
	}
	g.Hear(payload(t, c, "gate-017", key), true)
	if err := g.turn(); err != nil || g.opened != 0 {
		t.Errorf("retained: opened %d times, %v", g.opened, err)
	}
	if got := g.board.Snapshot().Troubles(g.now); !slices.ContainsFunc(got, func(x wire.Trouble) bool {
		return x.Kind == fact.TroubleDeskRefused
	}) {
		t.Errorf("troubles are %+v", got)
	}
	g.Hear(payload(t, c, "gate-017", key), false)
	if err := g.turn(); err != nil || g.opened != 1 {
		t.Errorf("the county's own: opened %d times, %v", g.opened, err)
	}
}

func TestWhatBecomesOfACommand(t *testing.T) {
	broken := errors.New("broken")
	for what, c := range map[string]struct {
		action fact.CommandAction
		set    func(*gate)
		want   string
		ends   error
	}{
		"opened": {fact.CommandOpen, func(*gate) {}, "county-open done ", nil},
		"behind a fever": {fact.CommandOpen, func(g *gate) { g.why = fact.CommandFever },
			"county-open refused fever", nil},
		"perhaps": {fact.CommandOpen, func(g *gate) { g.stuck = broken }, "county-open unknown ", nil},
		"no barrier": {fact.CommandOpen, func(g *gate) { g.opts.Barrier = nil },
			"county-open refused no-barrier", nil},
		"no disk": {fact.CommandOpen, func(g *gate) { g.opts.File = filepath.Join(g.opts.File, "x") },
			"county-open refused disk", nil},
		"a notice": {fact.CommandNotice, func(*gate) {}, "county-notice done ", nil},
		"a notice without sight": {fact.CommandNotice, func(g *gate) { g.opts.Screen = false },
			"county-notice refused no-screen", nil},
		"reloaded": {fact.CommandReload, func(*gate) {}, "county-reload done ", ErrReload},
		"wrong files": {fact.CommandReload, func(g *gate) { g.files = broken },
			"county-reload refused files", nil},
		"restarted": {fact.CommandRestart, func(*gate) {}, "county-restart done ", ErrRestart},
		"upgraded":  {fact.CommandUpgrade, func(*gate) {}, "county-upgrade done ", nil},
		"on the way": {fact.CommandUpgrade, func(g *gate) { g.why = fact.CommandUpgrading },
			"county-upgrade refused upgrading", nil},
		"no packages": {fact.CommandUpgrade, func(g *gate) { g.opts.Upgrade = nil },
			"county-upgrade refused no-package", nil},
		"no disk for it": {fact.CommandUpgrade, func(g *gate) { g.opts.File = filepath.Join(g.opts.File, "x") },
			"county-upgrade refused disk", nil},
		"another": {"close", func(*gate) {}, "county-close refused action", nil},
	} {
		g := start(t)
		c.set(g)
		if _, err := g.says(command("command-00000001", c.action)); !errors.Is(err, c.ends) {
			t.Errorf("%s: %v", what, err)
		}
		if c.ends != nil { // the next run says that it is done
			if len(g.kept) != 0 {
				t.Errorf("%s: before it has begun again %v", what, g.outcomes())
			}
			g = newGate(t, g.opts.File)
			g.Begin(g.now)
			if shown := g.board.Snapshot().County; len(shown) != 1 || shown[0].Action != c.action {
				t.Errorf("%s: the screen shows %+v", what, shown)
			}
		}
		if got := g.outcomes(); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
		if want := strings.Contains(c.want,
			"done") || what == "perhaps"; (len(g.board.Snapshot().County) == 1) != want {
			t.Errorf("%s: the screen shows %+v", what, g.board.Snapshot().County)
		}
	}
}
