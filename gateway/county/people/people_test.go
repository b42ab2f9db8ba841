package people

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/testkit/committed"
)

const good = "correct horse"

var t0 = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

// newPeople returns people of a new file, at t0.
func newPeople(t *testing.T) *People {
	t.Helper()
	return New(
		committed.Open(t, filepath.Join(t.TempDir(), "f.db"), Schema, SchemaSecrets),
		func() time.Time { return t0 },
	)
}

func TestAnInvitationMakesOneUser(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	first, err := p.Invite(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	logged, err := p.Invite(ctx, "") // another that stands in a log
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token, name, password string
		want                  error
	}{
		"a guess":           {"guess", "wang", good, ErrInvite},
		"a short password":  {first, "wang", "123456789", ErrWeak},
		"a long password":   {first, "wang", strings.Repeat("x", 73), ErrWeak},
		"no name":           {first, "  ", good, ErrName},
		"a name in lines":   {first, "a\nb", good, ErrName},
		"a name too long":   {first, strings.Repeat("王", 33), good, ErrName},
		"a name of nothing": {first, "\u200b", good, ErrName},
	} {
		if err := p.SetUp(ctx, c.token, c.name, c.password); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := p.SetUp(ctx, first, " 王主任 ", good); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"the same link": first, "the link in the log": logged} {
		if err := p.SetUp(ctx, token, "x", good); !errors.Is(err, ErrInvite) {
			t.Errorf("%s again: %v", name, err)
		}
	}
	colleague, err := p.Invite(ctx, "王主任")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SetUp(ctx, colleague, "王主任", "taken over!!"); !errors.Is(err, ErrName) {
		t.Errorf("a colleague takes a name over: %v", err)
	}
}

func TestASessionLastsAShiftOrUntilTheLogout(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	invitation, err := p.Invite(ctx, "")
	if err == nil {
		err = p.SetUp(ctx, invitation, "王主任", good)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]string{
		"wrong password": {"王主任", "wrong horse"}, "nobody": {"li", good}, "empty": {"", ""},
	} {
		if _, err := p.Login(ctx, Visitor{}, c[0], c[1]); !errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	entry, err := p.Login(ctx, Visitor{}, "王主任", good)
	if err != nil {
		t.Fatal(err)
	}
	token := entry.Session
	name, until, err := p.Session(ctx, token)
	if err != nil || name != "王主任" || !until.Equal(t0.Add(sessionFor)) {
		t.Errorf("session of %q until %s, %v", name, until, err)
	}
	p.now = func() time.Time { return t0.Add(sessionFor) }
	if _, _, err := p.Session(ctx, token); !errors.Is(err, ErrSession) {
		t.Errorf("after a shift: %v", err)
	}
	p.now = func() time.Time { return t0 }
	if err := p.Logout(ctx, token); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Session(ctx, token); !errors.Is(err, ErrSession) {
		t.Errorf("after the logout: %v", err)
	}
}

func TestAnUnknownNameCostsAHashOfTheSameCost(t *testing.T) {
	if cost := noHash[4:6]; cost != fmt.Sprint(passwordCost) || len(noHash) != 60 {
		t.Fatalf("the hash of nobody has cost %s and %d bytes", cost, len(noHash))
	}
}
