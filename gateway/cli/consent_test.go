package cli_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/people"
)

// cheapHash is that of "correct horse" with the least memory.
const cheapHash = "$argon2id$v=19$m=8,t=1,p=1$" + //nolint:gosec // of a test
	"vsvLHVzK6CYSaGtBZ/Fo3w$NrWFvK1jncQvyHW3PvIin0T+eH/rXB2RU7fIbAHbmk0"

// addUsers makes users of the desk in dir, each with the role of its name.
func addUsers(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		change(t, dir, "INSERT INTO users (name, hash, role, created) VALUES ('"+name+"', '"+cheapHash+"', '"+
			strings.TrimRight(name, "12")+"', 0)")
	}
}

// typed runs a command that is told lines.
func typed(t *testing.T, lines string, args ...string) (out string, code int) {
	t.Helper()
	var b bytes.Buffer
	code = cli.Run(t.Context(), args, strings.NewReader(lines), &b, &b)
	return b.String(), code
}

func TestASecondPersonAgreesInATerminal(t *testing.T) {
	dir := t.TempDir()
	addUsers(t, dir, "admin1", "admin2", "duty1")
	file, err := desk.OpenFile(filepath.Join(dir, centre.DeskFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	asked := consent.New(file, time.Now)
	for range 2 {
		by := people.Actor{Name: "admin1", Role: people.Admin}
		_, err := asked.Ask(t.Context(), by, consent.End, "county qinghe", "")
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args, typed, want string
		code              int
	}{
		{"list", "", "waits", 0},
		{"agree 1 --as admin1", "correct horse\n", "another person", 1},
		{"agree 1 --as duty1", "correct horse\n", "your role does not allow this", 1},
		{"agree 1 --as nobody", "correct horse\n", "name or password is wrong", 1},
		{"agree 1 --as admin2", "guess guess\n", "name or password is wrong", 1},
		{"agree 1 --as admin2", "", "password of admin2", 1},
		{"agree one --as admin2", "", "no number", 2},
		{"agree 1", "", "as", 2},
		{"agree 1 --as admin2", "correct horse", "", 0},
		{"refuse 2 --as admin1", "correct horse\n", "", 0},
		{"agree 2 --as admin2", "correct horse\n", "it was decided", 1},
		{"list", "", "agreed by admin2", 0},
		{"list", "", "refused by admin1", 0},
	} {
		out, code := typed(t, c.typed, append([]string{"consent", "--dir", dir}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: %d %s", c.args, code, out)
		}
	}
	text, _ := run(t, "audit", "export", "--dir", dir)
	for _, want := range []string{"agree-consent,consent 1", "refuse-consent,consent 2", "log-in-failed"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in the audit:\n%s", want, text)
		}
	}
	if out, code := typed(t, "", "consent", "list", "--dir", t.TempDir()); code != 1 {
		t.Errorf("a folder without a desk: %d %s", code, out)
	}
}
