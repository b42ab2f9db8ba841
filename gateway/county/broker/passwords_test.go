package broker

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"golang.org/x/crypto/bcrypt"

	"gatehouse/gateway/identity/authority"
)

// writeUsers writes a users file with lines of a name, a kind and a password.
func writeUsers(t *testing.T, path string, lines ...[3]string) {
	t.Helper()
	var text strings.Builder
	for _, l := range lines {
		hash, err := bcrypt.GenerateFromPassword([]byte(l[2]), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(strings.TrimSuffix(l[0]+":"+string(hash)+":"+l[1], ":") + "\n")
	}
	next := path + ".new"
	if err := os.WriteFile(next, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

// with returns how a user connects by password.
func (c *testCounty) with(user, password string) login {
	l := c.by(user + "-" + rand.Text())
	l.user, l.password = user, password
	return l
}

func TestAPasswordIsForThoseWithoutACertificate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	writeUsers(t, path, [3]string{"gate-001", "", "a"}, [3]string{"gate-009", "", "b"}, [3]string{"gate-010", "", "c"},
		[3]string{"fogger-1", "machine", "d"}, [3]string{"watch", "reader", "e"})
	c := newCounty(t, func(cfg *Config) { cfg.UsersFile = path })
	gate := c.enrol(t, "gate-001", authority.Agent, long)
	stolen := c.enrol(t, "gate-009", authority.Agent, long)
	c.revoke("gate-009")
	for name, x := range map[string]struct {
		login login
		ok    bool
	}{
		"enrolled, by its certificate": {c.by("gate-001", gate), true},
		"enrolled, by its password":    {c.with("gate-001", "a"), false},
		"revoked, by its password":     {c.with("gate-009", "b"), false},
		"revoked, by its certificate":  {c.by("gate-009", stolen), false},
		"not enrolled yet":             {c.with("gate-010", "c"), true},
		"a machine":                    {c.with("fogger-1", "d"), true},
		"a reader":                     {c.with("watch", "e"), true},
		"a wrong password":             {c.with("watch", "f"), false},
		"neither":                      {c.by("gate-010"), false},
		"another one's certificate": {login{url: "ssl://" + c.Addr(), id: "gate-010", user: "gate-010", password: "c",
			tls: c.by("", gate).tls}, false},
	} {
		if _, err := dial(t, x.login); (err == nil) != x.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	eye := c.eye(t)
	fogger, watch := connect(t, c.with("fogger-1", "d")), connect(t, c.with("watch", "e"))
	watch.subscribe(t, "gatehouse/v1/qinghe/#", 1)
	_ = done(watch.Publish("gatehouse/v1/qinghe/watch/status", 0, false, "forged"))
	_ = done(fogger.Publish("gatehouse/v1/qinghe/fogger-1/status", 0, false, "forged"))
	connect(t, c.with("fogger-1", "d")).publish(t, "gatehouse/v1/qinghe/fogger-1/report", 1, false, "genuine")
	eye.want(t, "gatehouse/v1/qinghe/fogger-1/report", "genuine")
}

// Who is taken out of the users file, or gets another password there, is cut and can't
// come back; the others stay.
func TestTheUsersFileIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	a, b, gone := [3]string{"gate-001", "", "a"}, [3]string{"gate-002", "", "b"}, [3]string{"gate-003", "", "c"}
	writeUsers(t, path, a, b, gone)
	c := newCounty(t, func(cfg *Config) { cfg.UsersFile = path })
	other := connect(t, c.with("gate-002", "b"))
	removed := connect(t, c.with("gate-003", "c"))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	if err := os.WriteFile(path, []byte(lines[0]+lines[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Logf("cut %s after it was removed", removed.ended(t, 5*time.Second))
	if _, err := dial(t, c.with("gate-003", "c")); err == nil {
		t.Error("a removed user came back")
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil { // the former ones count
		t.Fatal(err)
	}
	c.log.wait(t, "the former users count until it is mended")
	connect(t, c.with("gate-001", "a"))
	other.stays(t)
	writeUsers(t, path, a, [3]string{"gate-002", "", "another"})
	other.ended(t, 5*time.Second)
	connect(t, c.with("gate-002", "another"))
}

// Guessing is slow, leaves others alone, and the log names who does it.
func TestPasswordsCannotBeGuessed(t *testing.T) {
	c := newCounty(t, func(cfg *Config) { cfg.UsersFile = users(t, "gate-001", "gate-002") })
	for n := range 30 {
		packet := connectPacket("MQTT", 4, 0xC2, "x", "gate-001", fmt.Sprint("guess ", n))
		got, from := answer(t, c.by("x"), packet)
		if len(got) != 4 || got[3] != packets.ErrRefusedNotAuthorised {
			t.Fatalf("guess %d: % x", n, got)
		}
		if n == 0 {
			c.log.wait(t, "user=gate-001 remote="+from)
		}
	}
	c.log.wait(t, "too many wrong passwords")
	if _, err := dial(t, c.with("gate-001", "gate-001!")); err == nil {
		t.Error("the 31st guess is taken")
	}
	connect(t, c.with("gate-002", "gate-002!")) // from the same address
}

func TestTriesAreLimited(t *testing.T) {
	at := time.Unix(0, 0)
	x := newTries()
	for n := range freeTries {
		if wait := x.begin(at, "gate-001", "10.0.0.1"); wait != 0 {
			t.Fatalf("try %d has to wait %s", n, wait)
		}
	}
	if wait := x.begin(at, "gate-001", "10.0.0.1"); wait != time.Second {
		t.Errorf("the next one waits %s", wait)
	}
	if x.begin(at, "gate-002", "10.0.0.1") != 0 || x.begin(at, "gate-001", "10.0.0.2") != 0 {
		t.Error("others have to wait")
	}
	got, tried := at, 0
	for end := at.Add(time.Hour); got.Before(end); got = got.Add(time.Second) {
		if x.begin(got, "gate-001", "10.0.0.1") == 0 {
			tried++
		}
	}
	if tried < 60 || tried > 66 {
		t.Errorf("%d passwords can be tried in an hour", tried)
	}
	x.right("gate-001", "10.0.0.1")
	if wait := x.begin(got, "gate-001", "10.0.0.1"); wait != 0 {
		t.Errorf("after a right one: %s", wait)
	}
	names := 0
	for n := range 1000 { // of many names from one address
		if x.begin(at, fmt.Sprint("name-", n), "10.0.0.3") == 0 {
			names++
		}
	}
	if names != triesOnce {
		t.Errorf("%d names could be tried at once", names)
	}
}
