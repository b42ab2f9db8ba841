package help

import (
	"context"
	"crypto/ed25519"
	"errors"
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
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2020, 2, 14, 14, 3, 0, 0, time.UTC)

var key = ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))

// gate is a gate's Help with a journal and a clock of the test.
type gate struct {
	*Help

	board *status.Board
	now   clock.Moment
	file  string
	kept  []wire.Body
	full  error
}

func (g *gate) Now() clock.Moment    { return g.now }
func (g *gate) Synchronised() bool   { return true }
func (g *gate) pass(d time.Duration) { g.now = g.now.Add(d); g.Turn(g.now) }

func (g *gate) TryAppend(_ clock.Moment, body wire.Body) (uint64, error) {
	if g.full != nil {
		return 0, g.full
	}
	g.kept = append(g.kept, body)
	return uint64(len(g.kept)), nil
}

func newGate(t *testing.T, file string) *gate {
	t.Helper()
	g := &gate{board: status.NewBoard(), now: clock.Moment{Wall: t0, Boot: time.Hour}, file: file}
	public, _ := key.Public().(ed25519.PublicKey)
	g.Help = New(Options{County: "qinghe", Agent: "gate-017", Collector: public, File: file, Journal: g, Board: g.board,
		Contacts: []Contact{{fact.RoleIT, "0000 000 1150"}, {fact.RoleDoctor, "0000 000 1120"}},
		Clock:    g, Log: slog.New(slog.DiscardHandler)})
	return g
}

func start(t *testing.T) *gate {
	t.Helper()
	return newGate(t, filepath.Join(t.TempDir(), "desk.json"))
}

func (g *gate) call(t *testing.T, r fact.Role, passage uint64) {
	t.Helper()
	if err := g.Call(context.Background(), r, passage); err != nil {
		t.Fatal(err)
	}
}

func (g *gate) shown() status.Help { return g.board.Snapshot().Help }

// says has the desk say how the calls of the gate are.
func (g *gate) says(t *testing.T, no uint64, agent string, calls ...wire.DeskCall) {
	t.Helper()
	g.Hear(message(t, wire.Desk{V: 1, No: no, At: wire.At(t0), Calls: calls}, agent))
}

func message(t *testing.T, d wire.Desk, agent string) []byte {
	t.Helper()
	payload, err := wire.Encode(wire.SignDesk(d, "qinghe", agent, key))
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func desk(id string, asked time.Time, state fact.CallState) wire.DeskCall {
	c := wire.DeskCall{ID: id, Asked: wire.At(asked), State: state, At: wire.At(asked)}
	if state == fact.CallAnswered {
		c.Answer, c.Minutes = fact.AnswerOnTheWay, 10
	}
	return c
}

func TestACallIsAskedSeenAnsweredAndEnded(t *testing.T) {
	g := start(t)
	g.call(t, fact.RoleDoctor, 41)
	g.call(t, fact.RoleDoctor, 41)
	const id = "help-called:doctor-41"
	if got := g.shown(); len(g.kept) != 1 || len(got.Calls) != 1 || got.Calls[0].ID != id || got.Calls[0].Listed ||
		got.Calls[0].State != fact.CallAsked || len(got.Contacts) != 2 || got.Contacts[0].Role != fact.RoleDoctor {
		t.Fatalf("asked: %+v, the journal has %d", got, len(g.kept))
	}
	for no, state := range []fact.CallState{fact.CallAsked, fact.CallSeen, fact.CallAnswered} {
		g.says(t, uint64(no)+1, "gate-017", desk(id, t0, state))
		if got := g.shown().Calls[0]; got.State != state || !got.Listed {
			t.Errorf("%s: %+v", state, got)
		}
	}
	if got := g.shown().Calls[0]; got.Answer != fact.AnswerOnTheWay || got.Minutes != 10 {
		t.Errorf("answered: %+v", got)
	}
	g.says(t, 4, "gate-017")
	if got := g.shown().Calls[0]; !got.Ended || got.Answer != "" {
		t.Errorf("the desk has ended it: %+v", got)
	}
	g.board.SetPost(status.Post{View: post.View{On: "east-1"}})
	if ok, err := g.End(t.Context(), id, "help-arrived"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if ok, err := g.End(t.Context(), id, "help-arrived"); ok || err != nil {
		t.Errorf("it ends twice: %v", err)
	}
	audit, _ := g.kept[1].(*wire.Audit)
	end, _ := g.kept[2].(*wire.Alarm)
	if len(g.shown().Calls) != 0 || audit.Action != "help-arrived" || audit.Actor != "east-1" || audit.Alarm != id ||
		end.ID != id || end.State != fact.AlarmCleared {
		t.Errorf("ended: %+v %+v", audit, end)
	}
	// The same passage again is another call: what was answered is no answer to it.
	g.pass(time.Minute)
	g.says(t, 5, "gate-017", desk(id, t0, fact.CallAnswered))
	g.call(t, fact.RoleDoctor, 41)
	if got := g.shown().Calls[0]; got.Listed || got.State != fact.CallAsked {
		t.Errorf("asked again: %+v", got)
	}
}

func TestTheDeskIsHeardInItsOrderAndNobodyElse(t *testing.T) {
	g := start(t)
	g.call(t, fact.RoleDoctor, 41)
	const id = "help-called:doctor-41"
	g.says(t, 7, "gate-017", desk(id, t0, fact.CallAnswered))
	right := g.shown().Calls[0]
	forged := wire.SignDesk(wire.Desk{V: 1, No: 9, At: wire.At(t0)}, "qinghe", "gate-017",
		ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", ed25519.SeedSize))))
	foreign, err := wire.Encode(forged)
	if err != nil {
		t.Fatal(err)
	}
	bad := wire.Desk{V: 1, No: 10, At: wire.At(t0), Calls: []wire.DeskCall{{ID: "fever:1"}}}
	for name, payload := range map[string][]byte{
		"older":           message(t, wire.Desk{V: 1, No: 6, At: wire.At(t0)}, "gate-017"),
		"of another gate": message(t, wire.Desk{V: 1, No: 8, At: wire.At(t0)}, "gate-018"),
		"of another key":  foreign,
		"signed, but odd": message(t, bad, "gate-017"),
		"empty":           nil,
		"rubbish":         []byte("rubbish"),
		"of a later time": []byte(`{"v":2,"no":99}`),
		"endless":         []byte(`{"v":1,"no":9,"sig":"` + strings.Repeat("A", wire.MaxDeskBytes) + `"}`),
	} {
		before := g.count
		g.Hear(payload)
		g.pass(0)
		if got := g.shown(); got.Calls[0] != right || g.count != before+1 || got.Refused == "" {
			t.Errorf("%s: %+v, refused %d", name, got, g.count-before)
		}
	}
	if got := g.board.Snapshot().Troubles(g.now); !slices.ContainsFunc(got, func(x wire.Trouble) bool {
		return x.Kind == fact.TroubleDeskRefused && !x.Problem
	}) {
		t.Errorf("troubles are %+v", got)
	}
	count := g.count
	g.says(t, 7, "gate-017", desk(id, t0, fact.CallAnswered)) // published again: nothing is wrong
	g.pass(refusedFor)
	if got := g.shown(); g.count != count || got.Refused != "" || got.Calls[0].State != fact.CallAnswered {
		t.Errorf("ten minutes later %+v", got)
	}
}

func TestARestartWithoutTheNetworkKnowsWhatWasSaid(t *testing.T) {
	g := start(t)
	g.call(t, fact.RoleDoctor, 41)
	const id = "help-called:doctor-41"
	g.says(t, 7, "gate-017", desk(id, t0, fact.CallAnswered))
	g.pass(time.Second)
	again := newGate(t, g.file)
	alarm, _ := g.kept[0].(*wire.Alarm)
	again.Remember(again.now, wire.Record{At: wire.At(t0)}, alarm)
	again.pass(time.Minute)
	if got := again.shown().Calls; len(got) != 1 || got[0].State != fact.CallAnswered || got[0].Since.Wall != t0 {
		t.Fatalf("%+v", got)
	}
	again.says(t, 6, "gate-017")
	if got := again.shown().Calls[0]; got.State != fact.CallAnswered {
		t.Errorf("an older message counts: %+v", got)
	}
	if err := os.WriteFile(g.file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := newGate(t, g.file)
	damaged.says(t, 1, "gate-017")
	if damaged.count != 0 {
		t.Error("a damaged file keeps the desk out")
	}
}

func TestAFolderThatTakesNothingIsTriedAgain(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "gone")
	g := newGate(t, filepath.Join(folder, "desk.json"))
	g.says(t, 7, "gate-017")
	g.pass(time.Second)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		there bool
	}{{time.Second, false}, {afterFailed, true}} {
		g.pass(c.after)
		if _, err := os.Stat(g.file); (err == nil) != c.there {
			t.Errorf("after %s: %v", c.after, err)
		}
	}
}

func TestAJournalThatTakesNothingMakesNoCall(t *testing.T) {
	g := start(t)
	g.full = errors.New("the disk is full")
	if err := g.Call(t.Context(), fact.RoleDoctor, 41); err == nil || len(g.shown().Calls) != 0 {
		t.Error("a call that is not kept is shown")
	}
	if err := g.Call(t.Context(), "mayor", 41); err == nil {
		t.Error("the mayor is called")
	}
	g.full = nil
	g.call(t, fact.RoleDoctor, 41)
	g.full = errors.New("the disk is full")
	if ok, err := g.End(t.Context(), "help-called:doctor-41", "help-arrived"); !ok || err == nil ||
		len(g.shown().Calls) != 1 {
		t.Error("an end that is not kept is shown")
	}
}

func TestCallsAndNoticesEndByTime(t *testing.T) {
	g := start(t)
	g.call(t, fact.RoleDoctor, 41)
	n := wire.DeskNotice{ID: 1, Zh: "今晚封闭", Until: wire.At(t0.Add(time.Hour))}
	g.Hear(message(t, wire.Desk{V: 1, No: 1, At: wire.At(t0), Notices: []wire.DeskNotice{n}}, "gate-017"))
	if got := g.shown().Notices; len(got) != 1 || got[0].Zh != n.Zh {
		t.Errorf("%+v", got)
	}
	g.now.Wall = t0.Add(2000 * time.Hour) // the clock is set: the call is as old as it was
	g.pass(0)
	if got := g.shown(); len(got.Notices) != 0 || len(got.Calls) != 1 {
		t.Errorf("two hours later %+v", got)
	}
	g.pass(longest + 1)
	if end, _ := g.kept[len(g.kept)-1].(*wire.Alarm); len(g.shown().Calls) != 0 || end.State != fact.AlarmCleared {
		t.Errorf("after a shift %+v", g.shown())
	}
}

func TestAGateHasAFewCallsOnly(t *testing.T) {
	g := start(t)
	for i := range uint64(200) {
		g.call(t, fact.RoleGrid, i)
	}
	got := g.shown().Calls
	if len(got) != wire.MaxDeskCalls || got[0].ID != "help-called:grid-192" {
		t.Fatalf("%d calls, the oldest %s", len(got), got[0].ID)
	}
	open := map[string]bool{}
	for _, b := range g.kept {
		if a, ok := b.(*wire.Alarm); ok {
			open[a.ID] = a.State == fact.AlarmRaised
		}
	}
	n := 0
	for _, raised := range open {
		if raised {
			n++
		}
	}
	if n != wire.MaxDeskCalls {
		t.Errorf("the journal has %d calls that have not ended", n)
	}
}
