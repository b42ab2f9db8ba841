package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"gatehouse/devices/port/pty"
	"gatehouse/gateway/cli"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/testkit/mosquitto"
)

const countyFile = `county: qinghe
dir: .
sites: sites.yaml
`

const sitesFile = `county: qinghe
name: x
crs: WGS-84
communities:
  - {id: c, name: c, grids: [{id: g, name: g, compounds: [{id: k, name: k, gates: [gate-001, gate-017, gate-018]}]}]}
`

// printers returns the command lines that print data, of a county and a gate that are there.
func printers(t *testing.T) []string {
	t.Helper()
	gate, dir, broker := t.TempDir(), newCounty(t, audit.Head{}), mosquitto.Start(t)
	fillJournal(t, gate)
	firstEntry(t, dir)
	announceFault(t, broker.URL)
	write(t, dir, "sites.yaml", sitesFile)
	file := write(t, dir, "collect.yaml", countyFile)
	policy := write(t, dir, "policy.yaml", inForce)
	track := write(t, dir, "track.csv", "lat,lon,time\n35.9,115.1,2020-02-14T06:00:00Z\n"+
		"35.901,115.1,2020-02-14T06:01:00Z\n")
	guards := write(t, dir, "guards.csv", "guard,card,pin\n")
	if err := os.Remove(guards); err != nil {
		t.Fatal(err)
	}
	return []string{
		"version",
		"devices",
		"devices rdm6300",
		"journal inspect --dir " + gate,
		"journal verify --dir " + gate,
		"history --from 2020-02-14 --to 2020-02-15 --dir " + dir,
		"explain gate-001 1 --dir " + dir,
		"quarantine list --dir " + dir,
		"quarantine show 1 --dir " + dir,
		"quarantine holes --dir " + dir,
		"quarantine expired --dir " + dir,
		"runs --dir " + dir,
		"checks --dir " + dir,
		"calls list --dir " + dir,
		"consent list --dir " + dir,
		"token list --dir " + dir,
		"guard list --file " + guards,
		"audit verify --dir " + dir,
		"rules list -c " + file,
		"config check " + file,
		"config show " + file,
		"replay --from 2020-02-14 --dir " + dir + " --policy " + policy,
		"policy diff " + policy + " " + policy,
		"import run " + track + " --dry-run",
		"machines try --topic gatehouse/v1/qinghe/drone-9/report --payload {\"v\":1,\"volume_l\":1}",
		"status --wait 0s --broker " + broker.URL,
	}
}

func TestDataAreOneDocument(t *testing.T) {
	for _, line := range printers(t) {
		var out, errOut bytes.Buffer
		code := cli.Run(t.Context(), append(strings.Fields(line), "-o", "json"), nil, &out, &errOut)
		var v any
		dec := json.NewDecoder(bytes.NewReader(out.Bytes()))
		err := dec.Decode(&v)
		if _, more := dec.Token(); code != 0 || err != nil || more != io.EOF || v == nil {
			t.Errorf("%s: exit code %d, %v, then %v:\n%s%s", line, code, err, more, &out, &errOut)
		}
		if bytes.ContainsRune(out.Bytes(), '\x1b') || bytes.ContainsRune(errOut.Bytes(), '\x1b') {
			t.Errorf("%s: escape codes", line)
		}
	}
}

func TestEscapeCodesAreForTerminalsOnly(t *testing.T) {
	lines := printers(t)
	t.Setenv("TERM", "xterm")
	for _, line := range lines {
		var out bytes.Buffer
		if code := cli.Run(t.Context(), strings.Fields(line), nil, &out, &out); code != 0 || out.Len() == 0 {
			t.Errorf("%s: exit code %d: %s", line, code, &out)
		}
		if bytes.ContainsRune(out.Bytes(), '\x1b') {
			t.Errorf("%s: escape codes in a pipe: %q", line, &out)
		}
	}
	coloured := 0
	for _, plain := range []string{"1", ""} {
		t.Setenv("NO_COLOR", plain)
		for _, line := range lines {
			got := onTerminal(t, strings.Fields(line)...)
			switch codes := strings.Contains(got, "\x1b"); {
			case codes && plain != "":
				t.Errorf("%s: escape codes in spite of NO_COLOR: %q", line, got)
			case codes:
				coloured++
			}
		}
	}
	if coloured == 0 {
		t.Error("no command has a colour on a terminal: does this test see them?")
	}
}

// onTerminal runs a command on a terminal, and returns what it has printed there.
func onTerminal(t *testing.T, args ...string) string { return besideTerminal(t, nil, args...) }

// besideTerminal runs a command whose standard error is a terminal, and returns what it has
// printed there. Its data go to out; nil: to the terminal, too.
func besideTerminal(t *testing.T, out io.Writer, args ...string) string {
	t.Helper()
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
	const end = "\x04the end\x04"
	got := make(chan string)
	go func() {
		var all []byte
		b := make([]byte, 4096)
		for !bytes.HasSuffix(all, []byte(end)) {
			n, err := p.Read(b)
			if all = append(all, b[:n]...); err != nil {
				break
			}
		}
		got <- string(all)
	}()
	if out == nil {
		out = tty
	}
	if code := cli.Run(t.Context(), args, nil, out, tty); code != 0 {
		t.Errorf("%q: exit code %d", args, code)
	}
	if _, err := tty.WriteString(end); err != nil {
		t.Fatal(err)
	}
	select {
	case text := <-got:
		return text
	case <-time.After(20 * time.Second):
		t.Fatalf("%q: the terminal got no end", args)
		return ""
	}
}
