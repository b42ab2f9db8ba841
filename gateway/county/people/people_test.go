package people

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/testkit/committed"
)

const good = "correct horse"

var t0 = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

// cheap is the cost of hashes where a test is not about them: race detection makes real ones
// take seconds.
var cheap = Cost{MemoryKiB: 8, Passes: 1}

// newPeople returns people of a new file, at t0.
func newPeople(t *testing.T) *People {
	t.Helper()
	p := realPeople(t)
	p.Hash(cheap)
	return p
}

// realPeople returns people whose passwords cost what they do at a desk.
func realPeople(t *testing.T) *People {
	t.Helper()
	return New(
		committed.Open(t, filepath.Join(t.TempDir(), "f.db"), Schema, SchemaSecrets, SchemaRoles, SchemaProvided),
		func() time.Time { return t0 },
	)
}

// first makes the first user, an administrator, and returns the user's name.
func first(t *testing.T, p *People) string {
	t.Helper()
	token, err := p.First(t.Context())
	if err == nil {
		err = p.SetUp(t.Context(), "", token, "王主任", good)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "王主任"
}

// admin is the first user at the desk.
var admin = Actor{"王主任", Admin, "10.0.0.1"}

// enter logs in and returns the token of the session.
func enter(t *testing.T, p *People, name string) string {
	t.Helper()
	e, err := p.Login(t.Context(), Visitor{From: office}, name, good)
	if err != nil {
		t.Fatal(err)
	}
	return e.Session
}

// who returns who shows the token of a session.
func who(t *testing.T, p *People, token string) Session {
	t.Helper()
	s, err := p.Who(t.Context(), Shown{Session: token, From: "10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnInvitationMakesOneUser(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	older, err := p.First(ctx) // of the start before
	if err != nil {
		t.Fatal(err)
	}
	link, err := p.First(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token, name, password string
		want                  error
	}{
		"a guess":           {"guess", "wang", good, ErrInvite},
		"the older link":    {older, "wang", good, ErrInvite},
		"a short password":  {link, "wang", "123456789", ErrWeak},
		"a long password":   {link, "wang", strings.Repeat("x", 257), ErrWeak},
		"a common password": {link, "wang", "Password123!", ErrCommon},
		"no name":           {link, "  ", good, ErrName},
		"a name in lines":   {link, "a\nb", good, ErrName},
		"a name too long":   {link, strings.Repeat("王", 33), good, ErrName},
		"a name of nothing": {link, "\u200b", good, ErrName},
	} {
		if err := p.SetUp(ctx, "", c.token, c.name, c.password); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := p.SetUp(ctx, "", link, " 王主任 ", good); err != nil {
		t.Fatal(err)
	}
	if again, err := p.First(ctx); again != "" || err != nil {
		t.Errorf("there is a user, and a link for the first one: %q %v", again, err)
	}
	if err := p.SetUp(ctx, "", link, "x", good); !errors.Is(err, ErrInvite) {
		t.Errorf("the same link again: %v", err)
	}
	for name, by := range map[string]Actor{"a colleague": admin, "the operator": Operator()} {
		token, err := p.Invite(ctx, by, Viewer)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.SetUp(ctx, "", token, "王主任", "taken over!!"); !errors.Is(err, ErrName) {
			t.Errorf("whom %s invites takes a name over: %v", name, err)
		}
	}
}

func TestAnInvitationSaysTheRole(t *testing.T) {
	p := newPeople(t)
	first(t, p)
	ctx := t.Context()
	for _, role := range Roles() {
		token, err := p.Invite(ctx, admin, role)
		if err != nil {
			t.Fatal(err)
		}
		if i, err := p.Invited(ctx, token); err != nil || i != (Invited{Role: role}) {
			t.Errorf("%s: %+v %v", role, i, err)
		}
		if err := p.SetUp(ctx, "", token, "the "+string(role), good); err != nil {
			t.Fatal(err)
		}
		if got := who(t, p, enter(t, p, "the "+string(role))); got.Role != role {
			t.Errorf("invited as %s, is %s", role, got.Role)
		}
	}
	if _, err := p.Invite(ctx, admin, "boss"); !errors.Is(err, ErrNoRole) {
		t.Errorf("a role that does not exist: %v", err)
	}
	for n := 0; ; n++ {
		_, err := p.Invite(ctx, admin, Viewer)
		if errors.Is(err, ErrMany) && n == mostInvites {
			break
		}
		if err != nil || n > mostInvites {
			t.Fatalf("link %d: %v", n, err)
		}
	}
	if _, err := p.Invite(ctx, Operator(), Viewer); err != nil {
		t.Errorf("users can shut the operator out: %v", err)
	}
}

func TestASessionLastsAShiftOrUntilTheLogout(t *testing.T) {
	p := newPeople(t)
	ctx := t.Context()
	first(t, p)
	for name, c := range map[string][2]string{
		"wrong password": {"王主任", "wrong horse"}, "nobody": {"li", good}, "empty": {"", ""},
	} {
		if _, err := p.Login(ctx, Visitor{}, c[0], c[1]); !errors.Is(err, ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	token := enter(t, p, "王主任")
	now := t0
	p.now = func() time.Time { return now }
	for ; now.Before(t0.Add(sessionFor)); now = now.Add(p.idle - time.Second) { // it is used
		if s := who(t, p, token); s.Name != "王主任" || s.Role != Admin || s.From != "10.0.0.1" {
			t.Fatalf("session of %+v", s)
		}
	}
	if _, err := p.Who(ctx, Shown{Session: token}); !errors.Is(err, ErrSession) {
		t.Errorf("after a shift: %v", err)
	}
	token = enter(t, p, "王主任")
	if err := p.Logout(ctx, "", token); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Who(ctx, Shown{Session: token}); !errors.Is(err, ErrSession) {
		t.Errorf("after the logout: %v", err)
	}
}

// Whether the last use was written or not, also after a restart.
func TestASessionThatNobodyUsesEnds(t *testing.T) {
	for _, written := range []bool{true, false} {
		p := newPeople(t)
		first(t, p)
		token := enter(t, p, "王主任")
		now := t0.Add(50 * time.Minute)
		p.now = func() time.Time { return now }
		who(t, p, token)
		if written {
			if err := p.Keep(t.Context(), now); err != nil {
				t.Fatal(err)
			}
			after := New(p.file, p.now) // a restart
			p = after
		}
		now = now.Add(p.idle - time.Second)
		if list, err := p.Sessions(t.Context(), "王主任", ""); err != nil || len(list) != 1 {
			t.Fatalf("%+v %v", list, err)
		}
		who(t, p, token)
		now = now.Add(p.idle)
		if _, err := p.Who(t.Context(), Shown{Session: token}); !errors.Is(err, ErrSession) {
			t.Errorf("after an hour: %v", err)
		}
		if list, err := p.Sessions(t.Context(), "王主任", ""); err != nil || len(list) != 0 {
			t.Errorf("%+v %v", list, err)
		}
	}
}
