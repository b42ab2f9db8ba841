package cli_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"gatehouse/devices/port/pty"
	"gatehouse/gateway/cli"
)

// playedDesk is a desk that lets everybody in, and says of the command the states one after
// the other.
func playedDesk(t *testing.T, states ...string) (url string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.Path)
		switch r.URL.Path {
		case "/api/open", "/api/command":
			fmt.Fprint(w, `{"id":"the-command"}`)
		case "/api/commands":
			fmt.Fprintf(w, `[{"id":"other","state":"done"},{"id":"the-command","agent":"gate-001",%s}]`, states[0])
			if len(states) > 1 {
				states = states[1:]
			}
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func TestWhatBecameOfACommandIsSaid(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	for name, tt := range map[string]struct {
		states []string
		code   int
		want   string
	}{
		"done in the end": {
			[]string{`"state":"asked"`, `"state":"sent"`, `"state":"unknown"`, `"state":"done"`}, 0, "Done",
		},
		"refused": {[]string{`"state":"refused","why":"fever","detail":"at \u001b[2J"`}, 1,
			"nothing happened: a fever or another alarm is shown there (at ?[2J)"},
		"undelivered":     {[]string{`"state":"undelivered"`}, 1, "nothing was sent"},
		"not known":       {[]string{`"state":"unknown"`}, 1, "telephone the gate"},
		"no record":       {[]string{`"state":"sent"`}, 1, "waiting for the gate's record"},
		"an odd answer":   {[]string{`"state":`}, 1, "is no desk of gatehouse's"},
		"listed no more":  {[]string{`"id":"a third","state":"done"`}, 1, "look at the page of the gate"},
		"of another time": {[]string{`"state":"later"`}, 1, "gate-001: "},
	} {
		t.Run(name, func(t *testing.T) {
			url, asked := playedDesk(t, tt.states...)
			for _, form := range []string{"table", "json"} {
				var out, errOut bytes.Buffer
				args := []string{"gate", "open", "gate-001", "--as", "li", "--reason", "x", "--yes", "--wait", "2s",
					"--url", url, "-o", form}
				code := cli.Run(t.Context(), args, strings.NewReader("secret\n"), &out, &errOut)
				if code != tt.code || !strings.Contains(out.String()+errOut.String(), tt.want) && form == "table" {
					t.Errorf("exit code %d, want %d and %q:\n%s%s", code, tt.code, tt.want, &out, &errOut)
				}
				if last := (*asked)[len(*asked)-1]; last != "/api/logout" {
					t.Errorf("the session stays: %q", *asked)
				}
			}
		})
	}
}

// On a terminal somebody is asked before a barrier opens, and the password is not shown.
func TestABarrierOpensOnlyAfterAYes(t *testing.T) {
	for typed, want := range map[string]struct {
		code  int
		opens bool
	}{"yes\nsecret\n": {0, true}, "no\n": {1, false}, "\n": {1, false}, "YES please\n": {1, false}} {
		url, asked := playedDesk(t, `"state":"done"`)
		p, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		tty, err := os.OpenFile(p.Path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer tty.Close()
		if _, err := p.Write([]byte(typed)); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		code := cli.Run(t.Context(), []string{"gate", "open", "gate-001", "--as", "li", "--reason", "x", "--url", url},
			tty, &out, &out)
		if opens := strings.Contains(strings.Join(*asked, " "), "/api/open"); code != want.code || opens != want.opens {
			t.Errorf("%q: exit code %d, opens: %v: %s", typed, code, opens, &out)
		}
	}
}
