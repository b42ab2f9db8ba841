package desk

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestUsersAndSessions(t *testing.T) {
	d, _ := newDesk(t)
	ctx := t.Context()
	first, err := d.Invite(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	logged, err := d.Invite(ctx, "") // another that stands in a log
	if err != nil {
		t.Fatal(err)
	}
	const good = "correct horse"
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
		if err := d.SetUp(ctx, c.token, c.name, c.password); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.SetUp(ctx, first, " 王主任 ", good); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"the same link": first, "the link in the log": logged} {
		if err := d.SetUp(ctx, token, "x", good); !errors.Is(err, ErrInvite) {
			t.Errorf("%s again: %v", name, err)
		}
	}
	colleague, err := d.Invite(ctx, "王主任")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SetUp(ctx, colleague, "王主任", "taken over!!"); !errors.Is(err, ErrName) {
		t.Errorf("a colleague takes a name over: %v", err)
	}
	for name, c := range map[string][2]string{"wrong password": {"王主任", "wrong horse"}, "nobody": {"li", good}, "empty": {"", ""}} {
		if _, err := d.Login(ctx, c[0], c[1]); !errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	token, err := d.Login(ctx, "王主任", good)
	if err != nil {
		t.Fatal(err)
	}
	if name, until, err := d.Session(ctx, token); err != nil || name != "王主任" || time.Until(until) < 11*time.Hour {
		t.Errorf("session of %q until %s, %v", name, until, err)
	}
	if err := d.Logout(ctx, token); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Session(ctx, token); !errors.Is(err, ErrSession) {
		t.Errorf("after the logout: %v", err)
	}
}

func TestWhoIsNobodyTakesAsLong(t *testing.T) {
	if cost := string(nobody[4:6]); cost != fmt.Sprint(passwordCost) || len(nobody) != 60 {
		t.Fatalf("the hash of nobody has cost %s and %d bytes", cost, len(nobody))
	}
}
