package people

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestATokenLetsAProgramInUntilItEnds(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	now := t0
	p.now = func() time.Time { return now }
	token, err := p.MakeToken(ctx, admin, " grafana ", Viewer, t0.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Who(ctx, Shown{Bearer: token, From: "10.0.0.7"})
	if err != nil || s != (Session{Actor: Actor{"token grafana", Viewer, "10.0.0.7"}}) {
		t.Fatalf("%+v %v", s, err)
	}
	if !s.May(ActSee) || s.May(ActAccount) || s.May(ActPassages) {
		t.Error("it may not do what its role may, or has an account")
	}
	list, err := p.Tokens(ctx)
	if err != nil || len(list) != 1 || list[0].Used == nil || list[0].From != "10.0.0.7" || list[0].MadeBy != "王主任" {
		t.Fatalf("%+v %v", list, err)
	}
	if err := p.Keep(ctx, now); err != nil {
		t.Fatal(err)
	}
	after := New(p.file, p.now) // as the command sees it
	if list, err = after.Tokens(ctx); err != nil || list[0].Used == nil || !list[0].Used.Equal(t0) {
		t.Errorf("%+v %v", list, err)
	}
	for name, shown := range map[string]Shown{
		"a guess": {Bearer: tokenBegins + "guess"}, "its hash": {Bearer: tokenBegins + string(hashOf(token))},
		"as a session": {Session: token},
	} {
		if _, err := p.Who(ctx, shown); !errors.Is(err, ErrSession) {
			t.Errorf("%s: %v", name, err)
		}
	}
	now = t0.Add(time.Hour)
	if _, err := p.Who(ctx, Shown{Bearer: token}); !errors.Is(err, ErrSession) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := p.MakeToken(ctx, admin, "grafana", Duty, now.Add(time.Hour)); err != nil {
		t.Errorf("the name of one that has ended: %v", err)
	}
	if err := p.Revoke(ctx, admin, "grafana"); err != nil {
		t.Fatal(err)
	}
	if err := p.Revoke(ctx, admin, "grafana"); !errors.Is(err, ErrToken) {
		t.Errorf("twice: %v", err)
	}
}

func TestTokensAreBounded(t *testing.T) {
	p := newPeople(t)
	ctx, hour := t.Context(), t0.Add(time.Hour)
	for name, c := range map[string]struct {
		name  string
		role  Role
		until time.Time
		want  error
	}{
		"no name":           {" ", Viewer, hour, ErrName},
		"no role":           {"x", "boss", hour, ErrNoRole},
		"an administrator":  {"x", Admin, hour, ErrTokenRole},
		"it has ended":      {"x", Viewer, t0, ErrUntil},
		"almost for ever":   {"x", Viewer, t0.Add(longestLife + 1), ErrUntil},
		"before the epoch":  {"x", Viewer, time.Time{}, ErrUntil},
		"in another age":    {"x", Viewer, t0.AddDate(9000, 0, 0), ErrUntil},
		"a name in colours": {"\x1b[31m", Viewer, hour, ErrName},
	} {
		if _, err := p.MakeToken(ctx, admin, c.name, c.role, c.until); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := range mostTokens {
		if _, err := p.MakeToken(ctx, admin, fmt.Sprint(n), Viewer, hour); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.MakeToken(ctx, admin, "one more", Viewer, hour); !errors.Is(err, ErrMany) {
		t.Errorf("one more: %v", err)
	}
	if err := p.Revoke(ctx, admin, "7"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.MakeToken(ctx, admin, "8", Viewer, hour); !errors.Is(err, ErrName) {
		t.Errorf("a name twice: %v", err)
	}
}
