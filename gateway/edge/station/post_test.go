package station

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
)

const guardCard = "0000000777"

// manned is a rig with guards east-1, who has the PIN 8053, and east-2, who has a card.
func manned(t *testing.T) *rig {
	t.Helper()
	g := newRig(t)
	r := twoResidents(t, ", quota: {exits: 1, days: 1, per: household}")
	r.Post = policy.Post{Duty: policy.Duty{Check: 2 * time.Hour},
		Overrides: &policy.Overrides{Verdicts: []fact.Verdict{fact.VerdictRefuse, fact.VerdictPass},
			Reasons: []policy.OverrideReason{{Code: "known-person"}, {Code: "medical", Emergency: true}}}}
	hash, err := policy.NewGuardPIN("8053")
	if err != nil {
		t.Fatal(err)
	}
	r.Guards, err = policy.NewGuards([]policy.Guard{{ID: "east-1", Hash: hash}, {ID: "east-2", Card: guardCard}}, r,
		identity.SiteKey{})
	if err != nil {
		t.Fatal(err)
	}
	g.rules = r
	g.restart()
	g.passages = nil
	return g
}

// asked plays the loop for what guards ask of the station.
func (g *rig) asked(ask func() error) error {
	done := make(chan error, 1)
	go func() { done <- ask() }()
	for {
		select {
		case n := <-g.st.notes:
			g.st.note(g.h.now, n)
		case err := <-done:
			return err
		}
	}
}

func (g *rig) signIn(guard, pin string) error {
	return g.asked(func() error { return g.st.SignIn(g.t.Context(), guard, pin) })
}

// audits returns what the journal holds of what guards did: actor and action.
func (g *rig) audits() (out []string) {
	for _, b := range g.bodies() {
		if a, is := b.(*wire.Audit); is {
			out = append(out, a.Actor+" "+a.Action)
		}
	}
	return out
}

func (g *rig) view() post.View { return g.board.Snapshot().Post.View }

func TestAGuardsCardSignsInAndIsNoPassage(t *testing.T) {
	g := manned(t)
	tap := g.tapped(guardCard)
	if !g.st.carded(g.h.now, tap) || g.st.carded(g.h.now, g.tapped(cardA)) {
		t.Error("a guard's card is not told from a resident's")
	}
	if g.view().On != "east-2" || len(g.passages) != 0 {
		t.Errorf("on duty: %+v, passages %v", g.view(), g.passages)
	}
	if err := g.signIn("east-1", "8053"); err != nil {
		t.Fatal(err)
	}
	g.st.note(g.h.now, note{audit: wire.Audit{Actor: "guard", Action: "shift-test"}, kept: make(chan error, 1)})
	g.wait(60)
	g.restart()
	v := g.view()
	if v.On != "east-1" || v.Note == nil || v.Note.From != "east-2" ||
		v.Since.Boot.Round(time.Second) != g.h.now.Boot-time.Minute {
		t.Errorf("after a restart: %+v", v)
	}
	want := "east-2 sign-in|east-1 sign-in|east-1 shift-test"
	if got := strings.Join(g.audits(), "|"); got != want {
		t.Errorf("records %s, want %s", got, want)
	}
}

func TestAThousandPINsGetNowhere(t *testing.T) {
	g := manned(t)
	wrong, waits := 0, 0
	for range 1000 {
		g.wait(1)
		switch err := g.signIn("east-1", "0001"); {
		case errors.Is(err, post.ErrPIN):
			wrong++
		default:
			if _, is := errors.AsType[post.WaitError](err); !is {
				t.Fatal(err)
			}
			waits++
		}
		if wrong == 6 && waits == 400 {
			g.restart()
		}
	}
	if wrong > 8 || wrong+waits != 1000 {
		t.Errorf("%d PINs were checked in 1000 s", wrong)
	}
	if g.board.Detail(fact.AlarmPINGuessed) == "" {
		t.Error("the county is not told")
	}
	if err := g.signIn("east-1", "8053"); err == nil {
		t.Error("the right PIN is taken during the wait")
	}
	if err := g.signIn("east-3", "8053"); !errors.Is(err, post.ErrGuard) {
		t.Error(err)
	}
	g.wait(24 * 3600)
	if err := g.signIn("east-1", "8053"); err != nil || g.board.Detail(fact.AlarmPINGuessed) != "" {
		t.Error(err, g.board.Detail(fact.AlarmPINGuessed))
	}
}

func TestAnOverrideIsRecordedAndCounted(t *testing.T) {
	g := manned(t)
	override := func(reason string) error {
		seq := g.st.recent[len(g.st.recent)-1].seq
		return g.asked(func() error { return g.st.Override(g.t.Context(), seq, reason) })
	}
	out := func() *wire.Reading { x := g.tapped(cardB); x.Direction = fact.DirectionOut; return x }
	first := g.tapped(cardA)
	first.Direction = fact.DirectionOut
	g.observe(first)
	g.observe(g.measured(3650))
	g.wait(60)
	g.observe(out())
	if err := override("medical"); !errors.Is(err, post.ErrOffDuty) {
		t.Error(err)
	}
	if err := g.signIn("east-1", "8053"); err != nil {
		t.Fatal(err)
	}
	if err := override("because"); !errors.Is(err, gate.ErrNoReason) {
		t.Error(err)
	}
	if err := override("medical"); err != nil {
		t.Fatal(err)
	}
	if s := g.st.recent[len(g.st.recent)-1].passage; s.Override == nil || s.Override.Guard != "east-1" {
		t.Errorf("%+v", s)
	}
	if got := g.audits(); got[len(got)-1] != "east-1 let-pass" {
		t.Error(got)
	}
	raised := false
	for _, b := range g.bodies() {
		a, is := b.(*wire.Alarm)
		raised = raised || is && a.Type == fact.AlarmOverridden && a.Passage > 0
	}
	if !raised {
		t.Error("the county is not told at once")
	}
	g.wait(60)
	g.restart()
	g.passages = nil
	g.observe(out())
	if len(g.passages) != 1 || !strings.Contains(g.passages[0], "refuse") {
		t.Errorf("out again: %v", g.passages)
	}
	g.wait(11 * 60)
	if err := override("medical"); !errors.Is(err, post.ErrOver) {
		t.Error(err)
	}
}

func TestARedThatNobodyAnswersIsToldAndOutlivesARestart(t *testing.T) {
	g := manned(t)
	g.observe(g.measured(3850))
	held := func() (n int) {
		for _, c := range g.board.Conditions() {
			if c.Type == fact.AlarmRedUnanswered && c.Passage > 0 {
				n++
			}
		}
		return n
	}
	g.wait(119)
	if g.st.turn(g.h.now); held() != 0 {
		t.Error("too early")
	}
	g.wait(1)
	if g.st.turn(g.h.now); held() != 1 {
		t.Error("nobody is told")
	}
	g.restart()
	if held() != 1 {
		t.Error("a restart forgets it")
	}
	seq := g.st.recent[len(g.st.recent)-1].seq
	g.st.note(g.h.now, note{audit: wire.Audit{Action: "isolate", Passage: seq}, kept: make(chan error, 1)})
	if held() != 0 {
		t.Error("the answer does not end it")
	}
}

func TestAHandOverIsKept(t *testing.T) {
	g := manned(t)
	hand := func(notes ...string) error {
		return g.asked(func() error { return g.st.HandOver(g.t.Context(), notes) })
	}
	if err := hand("all-quiet"); !errors.Is(err, post.ErrOffDuty) {
		t.Error(err)
	}
	if err := g.signIn("east-1", "8053"); err != nil {
		t.Fatal(err)
	}
	if err := hand("nonsense"); !errors.Is(err, post.ErrNote) {
		t.Error(err)
	}
	if err := hand("supplies-low", "device-trouble", "supplies-low"); err != nil {
		t.Fatal(err)
	}
	g.wait(1)
	g.st.carded(g.h.now, g.tapped(guardCard))
	g.restart()
	if n := g.view().Note; n == nil || strings.Join(n.Notes, " ") != "device-trouble supplies-low" {
		t.Errorf("%+v", n)
	}
	g.st.note(g.h.now, note{audit: wire.Audit{Action: post.TookOver}, kept: make(chan error, 1)})
	if g.restart(); g.view().Note != nil {
		t.Error("it was confirmed")
	}
}
