package setup

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2020, 2, 14, 3, 0, 0, 0, time.UTC)

const sitesText = "county: qinghe\nname: 清和县\ncrs: WGS-84\ncommunities:\n- id: c-1\n  name: 东\n" +
	"  grids:\n  - id: g-1\n    name: 一\n    compounds: [{id: p-1, name: 苑, gates: [gate-001]}]\n"

// folder returns a folder with a file of each name.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAnswersAreChecked(t *testing.T) {
	dir := folder(t, map[string]string{"sites.yaml": sitesText, "a.pem": "x", "token": "x"})
	in := func(name string) string { return filepath.Join(dir, name) }
	q := func(change func(*Answers)) Answers {
		a := Answers{County: "qinghe"}
		change(&a)
		return a
	}
	at := func(address string, tls TLS) Answers {
		return Answers{County: "qinghe", Address: address, TLS: tls}
	}
	for name, c := range map[string]struct {
		a    Answers
		want string // empty: right
	}{
		"one computer":    {Answers{County: "qinghe"}, ""},
		"a name":          {q(func(a *Answers) { a.Address, a.Sites = "desk.county.example", in("sites.yaml") }), ""},
		"an IPv6 address": {at("fd00::5", TLS{}), ""},
		"a proxy":         {at("desk.example", TLS{Mode: Proxy}), ""},
		"no county":       {Answers{}, "county: is missing"},
		"a name as id":    {Answers{County: "清和县"}, "like qinghe"},
		"a URL":           {at("https://desk.example", TLS{}), `address: "https://desk.example": write only`},
		"a port":          {at("desk.example:8443", TLS{}), "without http:// and port"},
		"a blank":         {at("desk county", TLS{}), "no name of a computer"},
		"TLS nowhere":     {at("", TLS{Mode: Made}), "address: is missing"},
		"no TLS":          {at("desk.example", TLS{Mode: None}), "need TLS"},
		"a wrong mode":    {at("x", TLS{Mode: "letsencrypt"}), "write made, own, proxy or none"},
		"no key":          {at("x", TLS{Mode: Own, Cert: in("a.pem")}), "name cert and key"},
		"no such cert":    {at("x", TLS{Mode: Own, Cert: in("b.pem"), Key: in("a.pem")}), "b.pem: no such file"},
		"no such sites":   {q(func(a *Answers) { a.Sites = in("none.yaml") }), "none.yaml: no such file"},
		"other sites":     {Answers{County: "beihe", Sites: in("sites.yaml")}, `county "qinghe", and not "beihe"`},
		"a time zone":     {q(func(a *Answers) { a.TimeZone = "Peking" }), "time_zone: unknown time zone Peking"},
		"a wrong Influx":  {q(func(a *Answers) { a.Influx.URL = "influx:8086" }), "write it as http://127.0.0.1:8086"},
		"no bucket":       {q(func(a *Answers) { a.Influx.URL = "http://127.0.0.1:8086" }), "bucket is missing"},
		"a wrong broker":  {q(func(a *Answers) { a.Broker = "10.0.0.1" }), "write it as tcp://"},
		"one port":        {q(func(a *Answers) { a.Ports.Desk = 1883 }), "can't both have port 1883"},
		"a folder":        {q(func(a *Answers) { a.Gates.Policy = dir }), "is a folder: name a file"},
		"a wrong URL":     {q(func(a *Answers) { a.Gates.URLs = []string{"desk"} }), "write it as https://"},
	} {
		err := c.a.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestTheServersCertificateIsOfTheAuthorityAndForItsNames(t *testing.T) {
	by, err := NewAuthority("qinghe", now)
	if err != nil {
		t.Fatal(err)
	}
	server, err := NewServer(by, []string{"desk.example", "10.0.0.5", "localhost"}, now)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(server.Cert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(by.Cert)
	for name, want := range map[string]bool{"desk.example": true, "10.0.0.5": true, "localhost": true,
		"other.example": false} {
		_, err := cert.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: now})
		if (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cert.Verify(
		x509.VerifyOptions{Roots: roots, CurrentTime: now.Add(serverLife + time.Hour)},
	); err == nil {
		t.Error("it counts after its end")
	}
	if _, err := NewServer(Pair{[]byte("x"), []byte("y")}, []string{"a"}, now); err == nil {
		t.Error("a broken authority signs")
	}
}

// Set up again, the authority stays: gates trust it. What people change stays, too.
func TestSetUpAgainKeepsTheAuthorityAndWhatPeopleChange(t *testing.T) {
	dir := t.TempDir()
	a := Answers{County: "qinghe", Address: "desk.example"}
	place := Place{Dir: dir, Data: "/var/lib/gatehouse", Host: "county-1"}
	do := func(again bool, at time.Time) []Written {
		t.Helper()
		files, err := Plan(a, place, at, Reader{os.ReadFile, os.ReadFile})
		if err != nil {
			t.Fatal(err)
		}
		out, err := Write(dir, files, again, Owner{-1, -1}, at)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	do(false, now)
	ca, err := os.ReadFile(filepath.Join(dir, "tls", "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(dir, "enrol", "default", "policy.yaml")
	if err := os.WriteFile(changed, []byte("# mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := Plan(a, place, now, Reader{os.ReadFile, os.ReadFile})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Write(dir, files, false, Owner{-1, -1}, now); !errors.Is(err, ErrThere) {
		t.Fatalf("a second set-up replaces the first: %v", err)
	}
	a.Address = "new.example"
	later := now.Add(time.Hour)
	for _, w := range do(true, later) {
		name := filepath.Base(w.Path)
		want := map[string]string{"ca.crt": "same", "ca.key": "same", "policy.yaml": "kept", "collect.yaml": "replaced",
			"server.crt": "replaced"}[name]
		if want != "" && w.Done != want {
			t.Errorf("%s: %s, want %s", name, w.Done, want)
		}
	}
	if b, _ := os.ReadFile(changed); string(b) != "# mine\n" {
		t.Errorf("the policy is now %q", b)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "tls", "ca.crt")); !bytes.Equal(b, ca) {
		t.Error("another authority was made")
	}
	if b, err := os.ReadFile(filepath.Join(dir, "collect.yaml.20200214T040000Z")); err != nil ||
		!bytes.Contains(b, []byte("desk.example")) {
		t.Errorf("no copy of the configuration of before: %v", err)
	}
	for name, want := range map[string]os.FileMode{"tls/server.key": 0o600, "collect.yaml": 0o640,
		"enrol/default/roster.csv": 0o600, "tls/ca.key": 0o600} {
		if info, err := os.Stat(
			filepath.Join(dir, name),
		); err != nil ||
			info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// An authority that can't be used is said, and never replaced: gates and browsers trust it.
func TestAnAuthorityThatCannotBeUsedIsNotReplaced(t *testing.T) {
	a, place := Answers{County: "qinghe", Address: "desk.example"}, Place{Dir: t.TempDir(), Data: "/d", Host: "h"}
	refused := errors.New("others may read it")
	for what, read := range map[string]Reader{
		"the key is elsewhere": {os.ReadFile, func(string) ([]byte, error) { return nil, os.ErrNotExist }},
		"the key is open":      {os.ReadFile, func(string) ([]byte, error) { return nil, refused }},
		"it can't be read":     {func(string) ([]byte, error) { return nil, os.ErrPermission }, os.ReadFile},
	} {
		files, err := Plan(a, place, now, Reader{os.ReadFile, os.ReadFile})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Write(place.Dir, files, true, Owner{-1, -1}, now); err != nil {
			t.Fatal(err)
		}
		if _, err := Plan(a, place, now, read); err == nil || !strings.Contains(err.Error(), "authority") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A name goes into a comment of the configuration, and must not end it.
func TestANameIsNoPartOfTheConfiguration(t *testing.T) {
	b := text(Answers{County: "qinghe", Name: "清和\ndir: /elsewhere\n县"}, Place{Dir: "/e", Data: "/d"}, now)
	if strings.Contains(string(b), "\ndir: /elsewhere") {
		t.Errorf("%.200s", b)
	}
}

// dialog answers the questions with lines, and returns what was said.
func dialog(t *testing.T, chinese bool, input string) (Answers, string, error) {
	t.Helper()
	in := bufio.NewScanner(strings.NewReader(input))
	var out bytes.Buffer
	d := Dialog{
		Next: func(context.Context) (string, bool) {
			ok := in.Scan()
			return in.Text(), ok
		},
		Out:     &out,
		Chinese: chinese,
	}
	a, err := d.Run(t.Context(), Answers{})
	return a, out.String(), err
}

func TestThreeAnswersAreEnough(t *testing.T) {
	sites := filepath.Join(folder(t, map[string]string{"s.yaml": sitesText}), "s.yaml")
	a, said, err := dialog(
		t,
		true,
		"Qinghe!\nqinghe\nhttp://x\ndesk.example\nnone.yaml\n"+sites+"\n\n",
	)
	if err != nil || a.County != "qinghe" || a.Address != "desk.example" || a.Sites != sites ||
		a.Mode() != Made {
		t.Errorf("%+v, %v", a, err)
	}
	for _, want := range []string{"县的短名", "must be 1 to 48 characters", "write only the name", "no such file",
		"时区: Asia/Shanghai", "县的名称: 按名册", "自带的）: 自带的"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q was not said:\n%s", want, said)
		}
	}
}

func TestOtherAnswersCanBeChanged(t *testing.T) {
	a, said, err := dialog(t, false, "qinghe\n\n\n1\nQinghe\n5\nPeking\n\n5\nAsia/Urumqi\n\n")
	if err != nil || a.Name != "Qinghe" || a.TimeZone != "Asia/Urumqi" {
		t.Errorf("%+v, %v", a, err)
	}
	if !strings.Contains(said, "unknown time zone Peking") {
		t.Errorf("a wrong answer is not said:\n%s", said)
	}
	if _, _, err := dialog(t, false, "qinghe\n\n"); !errors.Is(err, ErrEnded) {
		t.Errorf("the input ends early: %v", err)
	}
}

func TestTheExampleOfAPolicyIsWhatGatesGet(t *testing.T) {
	want, err := os.ReadFile("../../deploy/policy.example.yaml")
	if err != nil || !bytes.Equal(policy, want) {
		t.Errorf("files/policy.yaml is not deploy/policy.example.yaml: copy it; %v", err)
	}
}
