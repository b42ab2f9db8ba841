package kiosk

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/post"
)

// desk is a post that keeps what guards did, or refuses it.
type desk struct {
	did  []string
	fail error
}

func (d *desk) do(what ...string) error {
	if d.fail == nil {
		d.did = append(d.did, strings.Join(what, " "))
	}
	return d.fail
}

func (d *desk) SignIn(_ context.Context, guard, pin string) error { return d.do("in", guard, pin) }

func (d *desk) HandOver(_ context.Context, notes []string) error {
	return d.do(append([]string{"over"}, notes...)...)
}

func (d *desk) Override(_ context.Context, passage uint64, reason string) error {
	if passage != 43 {
		return post.ErrOver
	}
	return d.do("override", reason)
}

const (
	signIn   = `{"guard":"east-1","pin":"8053"}`
	override = `{"passage":43,"reason":"medical"}`
	handOver = `{"notes":["hand-held"]}`
	evil     = "http://evil.example"
)

func TestWhatAGuardAsksForIsAnsweredInWordsOfThePage(t *testing.T) {
	_, _, g, s := start(t)
	d := &desk{}
	g.Guards = d
	full := errors.New("the disk is full")
	for name, c := range map[string]struct {
		path, origin, body string
		fail               error
		status             int
		answer, did        string
	}{
		"sign in":          {"/sign-in", s.URL, signIn, nil, 204, "", "in east-1 8053"},
		"wrong PIN":        {"/sign-in", "", signIn, errors.Join(post.ErrPIN, nil), 409, "pin: ", ""},
		"unknown guard":    {"/sign-in", "", signIn, post.ErrGuard, 409, "guard: ", ""},
		"too many guesses": {"/sign-in", "", signIn, post.WaitError{For: 30 * time.Second}, 429, "wait: too many", ""},
		"not kept":         {"/sign-in", "", signIn, full, 503, "failed: the disk is full", ""},
		"a PIN as number":  {"/sign-in", "", `{"guard":"east-1","pin":8053}`, nil, 400, "failed: not understood", ""},
		"foreign sign in":  {"/sign-in", evil, signIn, nil, 403, "", ""},

		"hand over":         {"/hand-over", "", handOver, nil, 204, "", "over hand-held"},
		"without a note":    {"/hand-over", "", `{}`, nil, 204, "", "over"},
		"nobody on duty":    {"/hand-over", "", handOver, post.ErrOffDuty, 409, "off-duty: ", ""},
		"no such note":      {"/hand-over", "", handOver, post.ErrNote, 409, "unknown-note: no such note", ""},
		"one note":          {"/hand-over", "", `{"notes":"hand-held"}`, nil, 400, "failed: ", ""},
		"foreign hand-over": {"/hand-over", evil, handOver, nil, 403, "", ""},

		"override":        {"/override", "", override, nil, 204, "", "override medical"},
		"long gone":       {"/override", "", `{"passage":7,"reason":"medical"}`, nil, 409, "over: ", ""},
		"unknown reason":  {"/override", "", override, gate.ErrNoReason, 409, "not-allowed: the reason", ""},
		"other verdict":   {"/override", "", override, gate.ErrNoOverride, 409, "not-allowed: ", ""},
		"a fever":         {"/override", "", override, gate.ErrNever, 409, "never: ", ""},
		"nobody known":    {"/override", "", override, gate.ErrNobody, 409, "nobody: ", ""},
		"sealed":          {"/override", "", override, gate.ErrSealedHouse, 409, "sealed: ", ""},
		"not signed in":   {"/override", "", override, post.ErrOffDuty, 409, "off-duty: ", ""},
		"below zero":      {"/override", "", `{"passage":-43,"reason":"medical"}`, nil, 400, "failed: ", ""},
		"rubbish":         {"/override", "", `rubbish`, nil, 400, "failed: ", ""},
		"endless":         {"/override", "", `{"reason":"` + strings.Repeat("1", 2000), nil, 400, "failed: ", ""},
		"foreign page":    {"/override", evil, override, nil, 403, "", ""},
		"no page's order": {"/override", "null", override, nil, 403, "", ""},
	} {
		d.did, d.fail = nil, c.fail
		status, answer := ask(t, s.URL+c.path, c.origin, c.body)
		if status != c.status || !strings.HasPrefix(answer, c.answer) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
		if want := strings.Fields(c.did); !slices.Equal(strings.Fields(strings.Join(d.did, " ")), want) {
			t.Errorf("%s: done %q, want %q", name, d.did, want)
		}
	}
}

// At a gate that is out of service for good nobody decides otherwise on those who came before.
func TestTheEndOffersNothingToDecide(t *testing.T) {
	st := linked(true)
	st.Post.Overrides = &policy.Overrides{Verdicts: []fact.Verdict{fact.VerdictPass},
		Reasons: []policy.OverrideReason{{Code: "suspicious"}}}
	x := newScene().see(pass).status(st)
	if got := x.s.Post(at(1)).Overrides; len(got) != 1 {
		t.Fatalf("in service: %+v, want the one who came", got)
	}
	st.Retired = "delivering"
	if got := x.status(st).s.Post(at(2)).Overrides; len(got) != 0 {
		t.Errorf("out of service: %+v", got)
	}
}
