package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/devices/port"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

const testPolicy = `version: "1"
limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}
classes:
  resident: {fever: go-home, directions: [in, out]}
  visitor: {fever: turn-away, directions: [in, out]}
passes: {days: 7}
`

const testRoster = "card,class,status,household,from,until\n" +
	cardA + ",resident,active,,,\n" +
	cardB + ",resident,active,,,\n"

// gateRig is the production agent on simulated hardware, without a broker.
type gateRig struct {
	t     *testing.T
	hw    *Hardware
	clock *rightClock
	cfg   agent.Config
	opts  agent.Options
	agent *agent.Agent
	stop  func()
	seen  chan struct{} // a value per passage

	mu       sync.Mutex
	passages []string
	prompts  []string // what the board asked people for, without repetitions
	last     uint64   // seq of the newest passage
}

func newGateRig(t *testing.T, more ...Reader) *gateRig {
	t.Helper()
	dir := t.TempDir()
	if _, _, err := identity.LoadOrCreateCollectorKey(dir); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "site.key")
	if _, err := identity.CreateSiteKey(key); err != nil {
		t.Fatal(err)
	}
	hw, err := New(filepath.Join(dir, "ports"), Spec{
		Thermometer: "gy-mcu90614",
		Offset:      offset,
		Ambient:     2000,
		Readers:     append([]Reader{{"reader", "rdm6300", "in"}}, more...),
		Display:     true,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &gateRig{t: t, hw: hw, clock: &rightClock{}, seen: make(chan struct{}, 100)}
	r.cfg = agent.Config{
		County:       "qinghe",
		Agent:        "gate-001",
		Dir:          filepath.Join(dir, "journal"),
		Broker:       mqtt.Broker{URL: "tcp://127.0.0.1:1"},
		CollectorKey: filepath.Join(dir, "collector.pub"),
		SiteKey:      key,
		Station:      station.Config{Devices: hw.Devices()},
		Policy:       filepath.Join(dir, "policy.yaml"),
		Roster:       filepath.Join(dir, "roster.csv"),
	}
	for path, text := range map[string]string{r.cfg.Policy: testPolicy, r.cfg.Roster: testRoster} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	boot, err := clock.BootID()
	if err != nil {
		t.Fatal(err)
	}
	r.opts = agent.Options{
		Ports:     hw.Ports(port.NewHost()),
		Clock:     r.clock,
		HostID:    "host",
		BootID:    boot,
		Version:   "test",
		Log:       slog.New(slog.DiscardHandler),
		OnPassage: r.passage,
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { hw.Run(ctx) })
	r.start()
	t.Cleanup(func() { r.stop(); cancel(); wg.Wait(); r.again() })
	r.seeBackground()
	return r
}

// seeBackground waits until the thermometer works and has measured the
// background for a moment; the agent does not show when it has seen enough.
func (r *gateRig) seeBackground() {
	r.t.Helper()
	r.awaitDevice("thermometer", true)
	time.Sleep(500 * time.Millisecond)
}

// awaitDevice waits until the agent's board says that a device works, or does
// not.
func (r *gateRig) awaitDevice(name string, works bool) {
	r.t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, d := range r.agent.Board().Snapshot().Devices {
			if d.Name == name && (d.State == fact.DeviceOK) == works {
				return
			}
		}
	}
	r.t.Fatalf("%s: not (working: %v) within 15 s", name, works)
}

// start starts the agent, also after a stop.
func (r *gateRig) start() {
	r.t.Helper()
	a, err := agent.New(r.cfg, r.opts)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	var reading sync.WaitGroup
	reading.Go(func() { r.readPrompts(ctx, a.Board()) })
	go func() { ended <- a.Run(ctx) }()
	r.agent = a
	r.stop = func() {
		cancel()
		reading.Wait()
		if err := <-ended; err != nil {
			r.t.Errorf("the agent: %v", err)
		}
	}
}

func (r *gateRig) passage(seq uint64, x wire.Passage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = seq
	who := "nobody"
	if x.Credential != "" {
		who = x.Class
	}
	text := fmt.Sprintf("%s %s %s", x.Verdict, fact.JoinReasons(x.Reasons, "+"), who)
	if x.Temperature != nil {
		text += " " + x.Temperature.Screening.String()
	}
	r.passages = append(r.passages, text)
	r.seen <- struct{}{}
}

// readPrompts notes what the board asks of people until ctx ends.
func (r *gateRig) readPrompts(ctx context.Context, board *status.Board) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-board.Changed():
		}
		text := ""
		for _, x := range board.Snapshot().Prompts {
			text += string(x.Wants)
		}
		r.mu.Lock()
		last := ""
		if len(r.prompts) > 0 {
			last = r.prompts[len(r.prompts)-1]
		}
		if text != last {
			r.prompts = append(r.prompts, text)
		}
		r.mu.Unlock()
	}
}

// awaitPrompts waits until the prompts are these.
func (r *gateRig) awaitPrompts(want string) {
	r.t.Helper()
	got := ""
	for range 100 {
		r.mu.Lock()
		got = strings.Join(r.prompts, ">")
		r.mu.Unlock()
		if got == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Errorf("people were asked for %q, want %q", got, want)
}

// measure simulates a person who is measured and steps away.
func (r *gateRig) measure(screening fact.Temp) {
	r.t.Helper()
	if err := r.hw.Present(r.t.Context(), Person{Screening: screening}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *gateRig) tap(card string) {
	r.t.Helper()
	if err := r.hw.Tap(r.t.Context(), "reader", card); err != nil {
		r.t.Fatal(err)
	}
}

// answer records the guard's answer to the newest passage.
func (r *gateRig) answer() {
	r.t.Helper()
	r.mu.Lock()
	audit := wire.Audit{Actor: "guard", Action: "isolate", Passage: r.last}
	r.mu.Unlock()
	if err := r.agent.Note(r.t.Context(), audit); err != nil {
		r.t.Fatal(err)
	}
}

// expect waits for as many passages as given and compares all that there were
// since the last call, and the prompts meanwhile unless prompts is "".
func (r *gateRig) expect(prompts string, passages ...string) {
	r.t.Helper()
	for range passages {
		select {
		case <-r.seen:
		case <-time.After(10 * time.Second):
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Fatalf("no more passages for 10 s after %q", r.passages)
		}
	}
	if prompts != "" {
		r.awaitPrompts(prompts)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if got, want := strings.Join(r.passages, "\n"), strings.Join(passages, "\n"); got != want {
		r.t.Errorf("passages:\n%s\nwant\n%s", got, want)
	}
	r.passages, r.prompts = nil, nil
}

// alarms returns how many fever alarms the journal holds.
func (r *gateRig) alarms() int {
	r.t.Helper()
	r.stop()
	j, _, err := journal.Open(journal.Options{
		Dir:     r.cfg.Dir,
		HostID:  "host",
		Version: "test",
		Keep:    time.Hour,
		Log:     r.opts.Log,
	}, clock.System{}.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	n := 0
	err = j.Walk(j.First(), func(raw []byte) {
		if strings.Contains(string(raw), `"type":"fever"`) {
			n++
		}
	})
	if err = errors.Join(err, j.Close()); err != nil {
		r.t.Fatal(err)
	}
	r.start()
	return n
}
