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
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

const (
	cardA = "62E3086CED" // a resident
	cardB = "62E3086CEE" // another
)

// post is the production agent on simulated hardware, with nobody to report to.
type post struct {
	t     *testing.T
	g     *Gate
	cfg   agent.Config
	opts  agent.Options
	mu    sync.Mutex
	said  []string
	asked []string // what the screen was told to ask
	last  uint64   // seq of the newest passage
	came  chan struct{}
	agent *agent.Agent
	stop  func()
}

func newPost(t *testing.T) *post {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if _, _, err := identity.LoadOrCreateCollectorKey(dir); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "site.key")
	if _, err := identity.CreateSiteKey(key); err != nil {
		t.Fatal(err)
	}
	g, err := NewGate(filepath.Join(dir, "ports"), Spec{Thermometer: "gy-mcu90614", Offset: offset, Ambient: 2000,
		Readers: []Reader{{"reader", "rdm6300", "in"}}})
	if err != nil {
		t.Fatal(err)
	}
	p := &post{t: t, g: g, came: make(chan struct{}, 100)}
	p.cfg = agent.Config{
		County:       "qinghe",
		Agent:        "gate-001",
		Dir:          filepath.Join(dir, "journal"),
		Broker:       mqtt.Broker{URL: "tcp://127.0.0.1:1"},
		CollectorKey: filepath.Join(dir, "collector.pub"),
		SiteKey:      key,
		Devices:      g.Devices(),
		Policy: write("policy.yaml", "version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}\n"+
			"classes:\n  resident: {fever: go-home, directions: [in, out]}\n"),
		Roster: write("roster.csv",
			fmt.Sprintf("card,class,status,household,from,until\n%s,resident,active,,,\n%s,resident,active,,,\n",
				cardA, cardB)),
	}
	boot, err := clock.BootID()
	if err != nil {
		t.Fatal(err)
	}
	p.opts = agent.Options{
		Ports:     g.Ports(port.NewHost()),
		Clock:     clock.System{},
		HostID:    "host",
		BootID:    boot,
		Version:   "test",
		Log:       slog.New(slog.DiscardHandler),
		OnPassage: p.passage,
		Screen:    p,
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { g.Run(ctx) })
	p.start()
	t.Cleanup(func() { p.stop(); cancel(); wg.Wait() })
	time.Sleep(500 * time.Millisecond) // the thermometer has seen the background
	return p
}

// start starts the agent, or starts it again.
func (p *post) start() {
	p.t.Helper()
	a, err := agent.New(p.cfg, p.opts)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	p.agent = a
	p.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			p.t.Errorf("the agent: %v", err)
		}
	}
}

func (p *post) passage(seq uint64, x wire.Passage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = seq
	who := "nobody"
	if x.Credential != "" {
		who = x.Class
	}
	text := fmt.Sprintf("%s %s %s", x.Verdict, fact.JoinReasons(x.Reasons, "+"), who)
	if x.Temperature != nil {
		text += " " + x.Temperature.Screening.String()
	}
	p.said = append(p.said, text)
	p.came <- struct{}{}
}

// Passage, Earlier and Status make it the agent's screen.
func (p *post) Passage(clock.Moment, uint64, wire.Passage) {}
func (p *post) Earlier(clock.Moment, uint64, wire.Passage) {}
func (p *post) Status(_ clock.Moment, s agent.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := ""
	for _, x := range s.Prompts {
		text += string(x.Wants)
	}
	if len(p.asked) == 0 && text != "" || len(p.asked) > 0 && p.asked[len(p.asked)-1] != text {
		p.asked = append(p.asked, text)
	}
}

// measure lets somebody be measured and step away; tap holds a card.
func (p *post) measure(screening fact.Temp) {
	p.t.Helper()
	if err := p.g.Present(p.t.Context(), Person{Screening: screening}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *post) tap(card string) {
	p.t.Helper()
	if err := p.g.Tap(p.t.Context(), "reader", card); err != nil {
		p.t.Fatal(err)
	}
}

// answer is the guard's to the newest passage.
func (p *post) answer() {
	p.t.Helper()
	p.mu.Lock()
	audit := wire.Audit{Actor: "guard", Action: "isolate", Passage: p.last}
	p.mu.Unlock()
	if err := p.agent.Note(p.t.Context(), audit); err != nil {
		p.t.Fatal(err)
	}
}

// expect waits for so many passages and compares all there were, and what was
// asked meanwhile.
func (p *post) expect(asked string, passages ...string) {
	p.t.Helper()
	for range passages {
		select {
		case <-p.came:
		case <-time.After(10 * time.Second):
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("the gate said only %q", p.said)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if got, want := strings.Join(p.said, "\n"), strings.Join(passages, "\n"); got != want {
		p.t.Errorf("the gate said\n%s\nwant\n%s", got, want)
	}
	if got := strings.Join(p.asked, ">"); asked != "" && got != asked {
		p.t.Errorf("the screen asked %q, want %q", got, asked)
	}
	p.said, p.asked = nil, nil
}

// alarms returns how many fever alarms the journal holds.
func (p *post) alarms() int {
	p.t.Helper()
	p.stop()
	j, _, err := journal.Open(journal.Options{
		Dir:     p.cfg.Dir,
		HostID:  "host",
		Version: "test",
		Keep:    time.Hour,
		Log:     p.opts.Log,
	}, clock.System{}.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	n := 0
	err = j.Walk(j.First(), func(raw []byte) {
		if strings.Contains(string(raw), `"type":"fever"`) {
			n++
		}
	})
	if err = errors.Join(err, j.Close()); err != nil {
		p.t.Fatal(err)
	}
	p.start()
	return n
}

func TestTwoPeopleCannotSwapTemperatures(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.measure(3660)
	p.measure(3840)
	p.tap(cardA)
	time.Sleep(400 * time.Millisecond)
	p.tap(cardB)
	p.expect("", "retest one-at-a-time nobody 36.60", "fever fever+one-at-a-time nobody 38.40",
		"retest one-at-a-time resident", "retest one-at-a-time resident")
	if n := p.alarms(); n != 1 {
		t.Errorf("%d fever alarms, want one", n)
	}
}

func TestWhoComesAlonePassesAndIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.tap(cardA)
	p.measure(3660)
	p.expect("temperature>", "pass normal resident 36.60")
	p.measure(3670)
	p.tap(cardB)
	p.expect("card>", "pass normal resident 36.70")
	p.tap(cardA)
	time.Sleep(3 * time.Second) // late, but what is asked for counts while it is
	p.measure(3650)
	p.expect("temperature>", "pass normal resident 36.50")
}

func TestAStrangersFeverIsNobodyElses(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.measure(3840)
	p.expect("", "fever fever nobody 38.40")
	time.Sleep(3 * time.Second) // nobody answers, and the window runs out
	p.tap(cardA)
	p.measure(3660)
	p.expect("temperature>", "pass normal resident 36.60")
	p.measure(3840)
	p.expect("", "fever fever nobody 38.40")
	p.answer()
	p.tap(cardA)
	p.measure(3660)
	p.expect("", "pass normal resident 36.60")
}

func TestWhatABrokenDeviceCannotGiveIsNotAskedFor(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	if err := p.g.Unplug("reader"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(700 * time.Millisecond)
	p.measure(3660)
	p.expect("", "refuse no-reader nobody 36.60")
	if err := p.g.Plug("reader"); err != nil {
		t.Fatal(err)
	}
	p.g.SetFault(FaultSilent)
	time.Sleep(7 * time.Second) // silent for 5 s: a fault
	p.tap(cardA)
	p.expect("", "retest no-thermometer resident")
}

func TestAVisitSurvivesARestart(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	p.tap(cardA)
	time.Sleep(500 * time.Millisecond)
	p.stop()
	p.start()
	time.Sleep(500 * time.Millisecond)
	p.measure(3660)
	p.expect("", "pass normal resident 36.60")
	p.measure(3840)
	p.expect("", "fever fever nobody 38.40")
	p.stop()
	p.start()
	time.Sleep(500 * time.Millisecond)
	p.tap(cardB) // the fever's visit is open still, and is told once
	p.expect("", "fever fever resident 38.40")
}
