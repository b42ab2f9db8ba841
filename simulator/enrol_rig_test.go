package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/simulator/bench"
)

// enrolRig is a county whose desk makes codes, and the hardware of one gate.
type enrolRig struct {
	t      *testing.T
	dir    string
	desk   string // address
	broker string // likewise
	hw     *bench.Hardware
	page   *http.Client
	output map[string]*printed
	wg     sync.WaitGroup
	stop   map[string]context.CancelFunc
}

// printed is what a program has printed.
type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

const enrolPolicy = "version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}\n" +
	"classes:\n  resident: {fever: go-home, directions: [in, out]}\n"

const enrolSites = `county: qinghe
name: 清和县
crs: WGS-84
communities:
  - id: c1
    name: 东城社区
    grids: [{id: g1, name: 一, compounds: [{id: k1, name: 丽景苑, gates: [gate-001, gate-002, gate-003]}]}]
`

// newEnrolRig starts a county whose broker asks for certificates.
func newEnrolRig(t *testing.T) *enrolRig {
	t.Helper()
	return startEnrolRig(t, true, "")
}

// newOpenRig starts a county whose broker lets anybody in, with more of its configuration.
func newOpenRig(t *testing.T, more string) *enrolRig {
	t.Helper()
	return startEnrolRig(t, false, more)
}

func startEnrolRig(t *testing.T, certificates bool, more string) *enrolRig {
	t.Helper()
	r := &enrolRig{t: t, dir: t.TempDir(), output: map[string]*printed{}, stop: map[string]context.CancelFunc{}}
	t.Cleanup(func() {
		for _, stop := range r.stop {
			stop()
		}
		r.wg.Wait()
	})
	broker, desk := r.free(), r.free()
	r.desk, r.broker = "http://"+desk, broker
	var err error
	r.hw, err = bench.New(filepath.Join(r.dir, "ports"), bench.Spec{Thermometer: "gy-mcu90614", Offset: 320,
		Ambient: 2000, Readers: []bench.Reader{{Name: "reader", Model: "rdm6300", Direction: fact.DirectionIn}}})
	if err != nil {
		t.Fatal(err)
	}
	var serial []station.Device
	for _, d := range r.hw.Devices() {
		if d.Model != "gpio-outputs" {
			serial = append(serial, d)
		}
	}
	devices, err := config.Write(map[string][]station.Device{"devices": serial})
	if err != nil {
		t.Fatal(err)
	}
	url, listener := "{url: \"tcp://"+broker+"\"}", ""
	if certificates {
		url = "{url: \"ssl://" + broker + "\", ca: broker.crt}"
		listener = ", tls: {cert: enrol/default/broker.crt, key: broker.key}"
		r.writeCertificate("enrol/default/broker.crt", "broker.key")
	}
	r.write("enrol/default/agent.yaml", "broker: "+url+"\n"+
		"kiosk: {listen: \""+r.free()+"\", title: \"${compound} ${gate}\"}\n")
	r.write("enrol/default/devices.yaml", string(devices))
	r.write("enrol/default/policy.yaml", enrolPolicy)
	r.write("enrol/default/roster.csv", "card,class,status,household,from,until\n62E3086CED,resident,active,1,,\n")
	r.write("sites.yaml", enrolSites)
	r.write(
		"collect.yaml",
		fmt.Sprintf("county: qinghe\ndir: county\nsites: sites.yaml\nbroker: {embedded: {listen: "+
			"%q%s}}\ndesk: {listen: %q}\nenrol: {urls: [%q], files: enrol}\n%s",
			broker, listener, desk, r.desk, more),
	)
	ctx, cancel := context.WithCancel(context.Background())
	r.stop["hardware"] = cancel
	r.wg.Go(func() { r.hw.Run(ctx) })
	r.start("collect", "collect", "--config", r.path("collect.yaml"))
	r.logIn()
	return r
}

func (r *enrolRig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *enrolRig) free() string {
	r.t.Helper()
	address, err := loopback.Free(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return address
}

func (r *enrolRig) write(name, text string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(r.path(name)), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(r.path(name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// start runs a command until end is called with its name. It returns a channel with its
// exit code.
func (r *enrolRig) start(name string, args ...string) <-chan int {
	if args[0] == "enrol" && !slices.Contains(args, "--tpm") {
		args = append(args, "--tpm", "off") // this computer may have one
	}
	ctx, cancel := context.WithCancel(context.Background())
	out, code := &printed{}, make(chan int, 1)
	r.output[name], r.stop[name] = out, cancel
	r.wg.Go(func() { code <- cli.Run(ctx, args, strings.NewReader(""), out, out) })
	return code
}

// await waits until done, or fails with what all programs have printed.
func (r *enrolRig) await(what string, done func() bool) {
	r.t.Helper()
	for end := time.Now().Add(60 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			for name, out := range r.output {
				r.t.Logf("%s: %s", name, out)
			}
			r.t.Fatalf("%s did not come", what)
		}
	}
}

func (r *enrolRig) code(what string, c <-chan int) int {
	r.t.Helper()
	code := -1
	r.await("the end of "+what, func() bool {
		select {
		case code = <-c:
			return true
		default:
			return false
		}
	})
	return code
}

// logIn makes a user of the desk by the link in the county's folder.
func (r *enrolRig) logIn() {
	r.t.Helper()
	link := regexp.MustCompile(`/setup#([\w-]+)`)
	var text []byte
	r.await("the link", func() bool {
		text, _ = os.ReadFile(r.path("county/setup-link"))
		return link.Match(text)
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	r.page = &http.Client{Jar: jar}
	token := link.FindStringSubmatch(string(text))[1]
	r.await("the desk", func() bool {
		return r.post(
			"/api/setup",
			`{"token":"`+token+`","name":"li","password":"correct horse"}`,
		) == http.StatusNoContent
	})
	status := r.post("/api/login", `{"token":"","name":"li","password":"correct horse"}`)
	if status != http.StatusNoContent {
		r.t.Fatalf("log in: %d", status)
	}
}

func (r *enrolRig) post(path, body string, to ...any) int {
	r.t.Helper()
	a, err := r.page.Post(r.desk+path, "application/json", strings.NewReader(body))
	if err != nil {
		return 0
	}
	return r.decode(a, to)
}

func (r *enrolRig) get(path string, to any) int {
	r.t.Helper()
	a, err := r.page.Get(r.desk + path)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.decode(a, []any{to})
}

func (r *enrolRig) decode(a *http.Response, to []any) int {
	r.t.Helper()
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if len(to) > 0 && a.StatusCode < http.StatusMultipleChoices {
		if err := json.Unmarshal(b, to[0]); err != nil {
			r.t.Fatalf("%s: %v", b, err)
		}
	}
	return a.StatusCode
}

// newCode makes a code for a gate at the desk.
func (r *enrolRig) newCode(agent string) string {
	r.t.Helper()
	var cards []struct{ Text, Path string }
	if status := r.post("/api/enrol/codes", `{"agents":["`+agent+`"]}`, &cards); status != http.StatusOK ||
		len(cards) != 1 || cards[0].Path == "" {
		r.t.Fatalf("make a code: %d, %+v", status, cards)
	}
	return cards[0].Text
}

// enrolList is the desk's list.
type enrolList struct {
	Gates   []struct{ Agent, Fingerprint, Revoked string }
	Waiting []struct{ ID, Agent, Fingerprint, Replaces string }
	Others  []struct{ Name string }
	Unknown []struct{ Agent string }
}

func (r *enrolRig) list() (l enrolList) {
	r.t.Helper()
	if status := r.get("/api/enrol", &l); status != http.StatusOK {
		r.t.Fatalf("the list: %d", status)
	}
	return l
}

// approve approves whoever waits, when the fingerprint is the one that a program shows.
func (r *enrolRig) approve(program string) {
	r.t.Helper()
	var l enrolList
	r.await("a request", func() bool { l = r.list(); return len(l.Waiting) == 1 })
	r.await("the fingerprint", func() bool {
		return strings.Contains(r.output[program].String(), l.Waiting[0].Fingerprint)
	})
	if status := r.post("/api/enrol/decide", `{"id":"`+l.Waiting[0].ID+`","do":"approve"}`); status !=
		http.StatusNoContent {
		r.t.Fatalf("approve: %d", status)
	}
}
