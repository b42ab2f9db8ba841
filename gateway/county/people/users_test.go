package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// join makes a user with a role.
func join(t *testing.T, p *People, name string, role Role) {
	t.Helper()
	user(t, p, name)
	if _, err := p.file.Exec(t.Context(), "UPDATE users SET role = ? WHERE name = ?", role, name); err != nil {
		t.Fatal(err)
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	p := newPeople(t)
	first(t, p)
	join(t, p, "li", Duty)
	ctx := t.Context()
	for what, err := range map[string]error{
		"disabled":    p.Disable(ctx, admin, "王主任"),
		"a viewer":    p.SetRole(ctx, admin, "王主任", Viewer),
		"by operator": p.Disable(ctx, Operator(), " 王主任 "),
	} {
		if !errors.Is(err, ErrLastAdmin) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := p.SetRole(ctx, admin, "li", Admin); err != nil {
		t.Fatal(err)
	}
	if err := p.Disable(ctx, admin, "li"); err != nil {
		t.Fatal(err)
	}
	if err := p.Disable(ctx, admin, "王主任"); !errors.Is(err, ErrLastAdmin) {
		t.Errorf("beside a disabled one: %v", err)
	}
	if err := p.Enable(ctx, admin, "li"); err != nil {
		t.Fatal(err)
	}
	if err := p.SetRole(ctx, admin, "王主任", Auditor); err != nil {
		t.Errorf("beside another one: %v", err)
	}
	if err := p.SetRole(ctx, admin, "zhao", Admin); !errors.Is(err, ErrUser) {
		t.Errorf("nobody: %v", err)
	}
}

// Two administrators who disable each other at the same moment: one stays.
func TestTwoAdministratorsDisableEachOther(t *testing.T) {
	p := newPeople(t)
	join(t, p, "a", Admin)
	join(t, p, "b", Admin)
	done := make(chan error, 2)
	for _, name := range []string{"a", "b"} {
		go func() { done <- p.Disable(t.Context(), admin, name) }()
	}
	one, other := <-done, <-done
	if !errors.Is(errors.Join(one, other), ErrLastAdmin) || one != nil && other != nil {
		t.Errorf("%v and %v", one, other)
	}
}

// What ends sessions, and what a user gave others before.
func TestAUsersSessionsAndLinksEnd(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		act     func(p *People, own string) error
		own     bool  // the session that acts stays
		log     error // of the next log-in with the old password
		invited bool  // the user's invitation still works
	}{
		"disabled": {act: func(p *People, _ string) error { return p.Disable(ctx, admin, "li") }, log: ErrDisabled},
		"a role":   {act: func(p *People, _ string) error { return p.SetRole(ctx, admin, "li", Viewer) }},
		"a new password": {act: func(p *People, own string) error {
			s, err := p.Who(ctx, Shown{Session: own})
			return errors.Join(err, p.ChangePassword(ctx, s, own, good, "another horse"))
		}, own: true, log: ErrPassword},
		"a reset": {act: func(p *People, _ string) error {
			token, err := p.Reset(ctx, admin, "li")
			return errors.Join(err, p.SetUp(ctx, "", token, "li", "another horse"))
		}, log: ErrPassword},
		"out everywhere": {act: func(p *People, own string) error {
			s, err := p.Who(ctx, Shown{Session: own})
			return errors.Join(err, p.End(ctx, s, "li", ""))
		}, own: true, invited: true},
		"all by an administrator": {act: func(p *People, _ string) error {
			return p.End(ctx, Session{Actor: admin, ID: "of another user"}, "li", "")
		}, invited: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeople(t)
			first(t, p)
			join(t, p, "li", Admin)
			own, other, theirs := enter(t, p, "li"), enter(t, p, "li"), enter(t, p, "王主任")
			link, err := p.Invite(ctx, Actor{Name: "li", Role: Admin}, Admin)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.act(p, own); err != nil {
				t.Fatal(err)
			}
			who(t, p, theirs)
			if _, err := p.Who(ctx, Shown{Session: own}); (err == nil) != c.own {
				t.Errorf("the session that acts: %v", err)
			}
			if _, err := p.Who(ctx, Shown{Session: other}); !errors.Is(err, ErrSession) {
				t.Errorf("the other session: %v", err)
			}
			if _, err := p.Login(ctx, Visitor{}, "li", good); !errors.Is(err, c.log) {
				t.Errorf("the next log-in: %v", err)
			}
			if _, err := p.Invited(ctx, link); (err == nil) != c.invited {
				t.Errorf("the user's invitation: %v", err)
			}
		})
	}
}

func TestALinkForANewPasswordIsForOneUser(t *testing.T) {
	p := newPeople(t)
	first(t, p)
	join(t, p, "li", Duty)
	ctx := t.Context()
	token, err := p.Reset(ctx, admin, "li")
	if err != nil {
		t.Fatal(err)
	}
	if i, err := p.Invited(ctx, token); err != nil || i.User != "li" {
		t.Errorf("%+v %v", i, err)
	}
	for _, name := range []string{"王主任", "zhao"} {
		if err := p.SetUp(ctx, "", token, name, "taken over!!"); !errors.Is(err, ErrName) {
			t.Errorf("for %s: %v", name, err)
		}
	}
	if err := p.Disable(ctx, admin, "li"); err != nil {
		t.Fatal(err)
	}
	if err := p.SetUp(ctx, "", token, "li", "another horse"); !errors.Is(err, ErrInvite) {
		t.Errorf("of a user who was disabled meanwhile: %v", err)
	}
	for name, want := range map[string]error{"li": ErrDisabled, "zhao": ErrUser} {
		if _, err := p.Reset(ctx, admin, name); !errors.Is(err, want) {
			t.Errorf("a link for %s: %v", name, err)
		}
	}
}

func TestOnlyTheRightPasswordConfirms(t *testing.T) {
	p := newPeople(t)
	first(t, p)
	s := who(t, p, enter(t, p, "王主任"))
	if err := p.Confirm(t.Context(), s, good); err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for range 50 {
		err := p.Confirm(t.Context(), s, "wrong horse")
		if _, wait := errors.AsType[WaitError](err); wait {
			break
		}
		if wrong++; !errors.Is(err, ErrPassword) {
			t.Fatal(err)
		}
	}
	if wrong > freeBrowser {
		t.Errorf("%d guesses in a session that somebody left open", wrong)
	}
	other := who(t, p, enter(t, p, "王主任"))
	if err := p.Confirm(t.Context(), other, good); err != nil {
		t.Errorf("in another session: %v", err)
	}
	program := Session{Actor: Actor{Name: "token x", Role: Duty}}
	if err := p.Confirm(t.Context(), program, good); !errors.Is(err, ErrRole) {
		t.Errorf("a program: %v", err)
	}
}

func TestAUserHasFewSessions(t *testing.T) {
	p := newPeople(t)
	first(t, p)
	now := t0
	p.now = func() time.Time { return now }
	var tokens []string
	for range mostSessions + 1 {
		now = now.Add(time.Second)
		tokens = append(tokens, enter(t, p, "王主任"))
	}
	if _, err := p.Who(t.Context(), Shown{Session: tokens[0]}); !errors.Is(err, ErrSession) {
		t.Errorf("the oldest: %v", err)
	}
	s := who(t, p, tokens[1])
	list, err := p.Sessions(t.Context(), "王主任", s.ID)
	if err != nil || len(list) != mostSessions {
		t.Fatalf("%d sessions, %v", len(list), err)
	}
	i := slices.IndexFunc(list, func(l Listed) bool { return l.Own })
	if i != mostSessions-1 || list[i].From != office.String() || list[i].ID != s.ID {
		t.Errorf("its own is %d: %+v", i, list)
	}
	if err := p.End(t.Context(), s, "li", list[0].ID); err != nil {
		t.Fatal(err)
	}
	who(t, p, tokens[mostSessions]) // it is not li's
	if err := p.End(t.Context(), s, "王主任", list[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Who(t.Context(), Shown{Session: tokens[mostSessions]}); !errors.Is(err, ErrSession) {
		t.Errorf("it was ended: %v", err)
	}
	who(t, p, tokens[1])
}

// notebook keeps notes, or fails.
type notebook struct {
	notes  []Note
	failed []string
	err    error
}

func (n *notebook) Note(_ context.Context, _ *sql.Tx, x Note) error {
	n.notes = append(n.notes, x)
	return n.err
}

func (n *notebook) Failed(_ time.Time, by Actor) { n.failed = append(n.failed, by.Name+" "+by.From) }

func TestEveryActIsNotedOrDoesNotHappen(t *testing.T) {
	p := newPeople(t)
	first(t, p)
	join(t, p, "li", Duty)
	session := enter(t, p, "王主任")
	s := who(t, p, session)
	book := &notebook{}
	p.KeepNotes(book)
	ctx := t.Context()
	link, err := p.Invite(ctx, admin, Viewer)
	if err != nil {
		t.Fatal(err)
	}
	acts := map[string]func() error{
		"set-role": func() error { return p.SetRole(ctx, admin, "li", Crew) }, "disable-user": func() error {
			return p.Disable(ctx, admin, "li")
		}, "enable-user": func() error { return p.Enable(ctx, admin, "li") },
		"reset-password": func() error { _, err := p.Reset(ctx, admin, "王主任"); return err },
		"invite":         func() error { _, err := p.Invite(ctx, admin, Duty); return err },
		"make-token": func() error {
			_, err := p.MakeToken(ctx, admin, "x", Viewer, t0.Add(time.Hour))
			return err
		}, "end-session": func() error { return p.End(ctx, s, "li", "abc") },
		"change-password": func() error { return p.ChangePassword(ctx, s, session, good, "another horse") },
		"log-in":          func() error { _, err := p.Login(ctx, Visitor{From: office}, "王主任", good); return err },
		"set-up":          func() error { return p.SetUp(ctx, "10.0.0.1", link, "zhao", good) },
	}
	for _, action := range []string{"set-role", "disable-user", "enable-user", "reset-password", "invite", "make-token",
		"end-session", "log-in", "set-up", "change-password"} {
		book.err = errors.New("the disk is full")
		if err := acts[action](); !errors.Is(err, book.err) {
			t.Errorf("%s without a note: %v", action, err)
		}
		book.notes, book.err = nil, nil
		if err := acts[action](); err != nil {
			t.Errorf("%s after that: %v", action, err)
		}
		if len(book.notes) != 1 || book.notes[0].Action != action || book.notes[0].By.From != "10.0.0.1" {
			t.Errorf("%s: %s", action, fmt.Sprint(book.notes))
		}
	}
}

func TestFailedLogInsAreCountedWithoutUnknownNames(t *testing.T) {
	p := newPeople(t)
	first(t, p)
	book := &notebook{}
	p.KeepNotes(book)
	for _, name := range []string{"王主任", "my password"} {
		if _, err := p.Login(t.Context(), Visitor{From: office}, name, "wrong horse"); !errors.Is(err, ErrPassword) {
			t.Error(err)
		}
	}
	if !slices.Equal(book.failed, []string{"王主任 10.0.0.1", " 10.0.0.1"}) {
		t.Errorf("%q", book.failed)
	}
}
