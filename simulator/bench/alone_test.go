package bench

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/devices/port"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// setClock is a clock that a test sets: both clocks stand still until it moves them.
type setClock struct {
	mu  sync.Mutex
	now clock.Moment
}

func (h *setClock) Now() clock.Moment   { h.mu.Lock(); defer h.mu.Unlock(); return h.now }
func (*setClock) Synchronised() bool    { return true }
func (h *setClock) add(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.now = h.now.Add(d) }

const alonePolicy = `version: "alone"
limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}
classes:
  resident:
    fever: go-home
    directions: [in, out]
    quota: {exits: 1, days: 2, per: household}
    anti_passback: soft
  visitor: {fever: turn-away, directions: [in], purposes: [repair]}
sealed: {in: allow}
lost: {pass: identify}
`

const aloneRoster = `card,class,status,household,from,until,purpose
6200000001,resident,active,1,,,
6200000002,resident,active,1,,,
6200000003,resident,sealed,2,,,
6200000004,resident,lost,3,,,
6200000005,visitor,active,,2020-02-01,2020-02-20,repair
6200000006,visitor,active,,,,
`

// alone is a gate whose every byte and instant the test gives.
type alone struct {
	t       *testing.T
	hw      *Hardware
	cfg     agent.Config
	clock   *setClock
	agent   *agent.Agent
	stop    func()
	decided chan wire.Passage
}

// newAlone returns a gate that sends to broker, with the keys in keys.
func newAlone(t *testing.T, keys, brokerURL string) *alone {
	t.Helper()
	dir := t.TempDir()
	hw, err := New(filepath.Join(dir, "ports"), Spec{Thermometer: "gy-mcu90614", Offset: offset, Ambient: 2000,
		Readers: []Reader{{"in", "rdm6300", "in"}, {"out", "rdm6300", "out"}}})
	if err != nil {
		t.Fatal(err)
	}
	a := &alone{t: t, hw: hw, decided: make(chan wire.Passage, 100), clock: &setClock{now: clock.Moment{
		Wall: time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC), Boot: time.Hour}}}
	a.cfg = agent.Config{County: "qinghe", Agent: "gate-001", Dir: filepath.Join(dir, "journal"),
		Broker: mqtt.Broker{URL: brokerURL}, CollectorKey: filepath.Join(keys, "collector.pub"),
		SiteKey: filepath.Join(keys, "site.key"), Station: station.Config{Devices: hw.Devices()},
		Policy: filepath.Join(dir, "policy.yaml"), Roster: filepath.Join(dir, "roster.csv")}
	for path, text := range map[string]string{a.cfg.Policy: alonePolicy, a.cfg.Roster: aloneRoster} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a.start()
	t.Cleanup(func() { a.stop() })
	return a
}

// start starts the agent, also after a stop, and waits until its devices work.
func (a *alone) start() {
	a.t.Helper()
	x, err := agent.New(a.cfg, agent.Options{Ports: a.hw.Ports(port.NewHost()), Clock: a.clock, HostID: "host",
		BootID: "boot", Version: "test", Log: slog.New(slog.DiscardHandler),
		OnPassage: func(_ uint64, p wire.Passage) { a.decided <- p }})
	if err != nil {
		a.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- x.Run(ctx) }()
	a.agent, a.stop = x, func() {
		cancel()
		if err := <-ended; err != nil {
			a.t.Errorf("the agent: %v", err)
		}
		a.stop = func() {}
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		works := 0
		for _, d := range x.Board().Snapshot().Devices {
			if d.State == fact.DeviceOK {
				works++
			}
		}
		if works == 3 {
			break
		}
		if time.Now().After(end) {
			a.t.Fatalf("not all devices work: %+v", x.Board().Snapshot().Devices)
		}
		a.background()
		a.clock.add(100 * time.Millisecond) // readers work when nothing was wrong for a while
	}
}

// frames lets the thermometer send n frames of an object temperature.
func (a *alone) frames(n int, object, ambient fact.Temp) {
	b := []byte{0x5A, 0x5A, 0x45, 0x04}
	b = binary.BigEndian.AppendUint16(b, uint16(object))
	b = binary.BigEndian.AppendUint16(b, uint16(ambient))
	var sum byte
	for _, v := range b {
		sum += v
	}
	for range n {
		a.hw.SendBytes(a.t.Context(), thermometerName, append(slices.Clone(b), sum))
	}
}

func (a *alone) background() { a.frames(3, 1900, 2000) }

// later lets time pass in steps in which nothing is late.
func (a *alone) later(d time.Duration) {
	for ; d > 0; d -= time.Second {
		a.clock.add(time.Second)
		a.background()
	}
}

// tap holds a card to a reader.
func (a *alone) tap(reader, card string) {
	a.t.Helper()
	frame, err := rdmFrame(card)
	if err != nil {
		a.t.Fatal(err)
	}
	a.hw.SendBytes(a.t.Context(), reader, slices.Repeat(frame, 3)) // one that no roster lists counts when it is repeated
}

// measure lets somebody stand at the thermometer and step away.
func (a *alone) measure(screening, ambient fact.Temp) {
	a.frames(6, Surface(screening, offset), ambient)
	a.background()
}

// await waits for a passage and compares verdict and reasons.
func (a *alone) await(want string) wire.Passage {
	a.t.Helper()
	select {
	case p := <-a.decided:
		if got := string(p.Verdict) + " " + fact.JoinReasons(p.Reasons, "+"); got != want {
			a.t.Errorf("decided %q, want %q", got, want)
		}
		return p
	case <-time.After(20 * time.Second):
		a.t.Fatalf("no verdict, want %q", want)
	}
	return wire.Passage{}
}

func (a *alone) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// verdictsOfScenario is how many passages the scenario has.
const verdictsOfScenario = 15

// scenario is a morning with everything that a gate decides on, and a restart.
func (a *alone) scenario() {
	ctx := a.t.Context()
	a.tap("out", "6200000001")
	a.measure(3650, 2000)
	a.await("pass normal")
	a.later(3 * time.Second)
	a.tap("out", "6200000002")
	a.await("refuse quota-used")
	a.measure(3660, 2000)
	a.await("refuse quota-used")
	a.later(3 * time.Second)
	a.tap("in", "6200000005")
	a.measure(3340, 2000)
	cold := a.await("invalid too-cold")
	a.must(a.agent.Enter(ctx, "", wire.Entered{Value: 3660, With: fact.HandHeldContact, Of: cold.Readings}))
	a.await("pass normal+entered")
	a.later(3 * time.Second)
	a.tap("in", "6200000006")
	a.await("refuse purpose")
	a.measure(3650, 2000)
	a.await("refuse purpose")
	a.later(3 * time.Second)
	a.measure(3840, 2000)
	a.await("fever fever")
	a.tap("in", "6200000001")
	a.await("fever fever")
	a.must(a.agent.Note(ctx, wire.Audit{Actor: "guard", Action: "isolate", Passage: 1}))
	a.later(9 * time.Second)
	a.stop()
	a.start()
	a.tap("out", "6200000003")
	a.await("refuse sealed-household")
	a.later(9 * time.Second)
	a.tap("in", "6200000003")
	a.measure(3650, 2000)
	a.await("pass normal+sealed-entry")
	a.later(3 * time.Second)
	a.tap("in", "6200000004")
	a.await("refuse lost-card")
	a.later(9 * time.Second)
	a.tap("in", "99ABCDEF01")
	a.await("refuse unknown-card")
	a.tap("out", "6200000002")
	a.await("refuse quota-used")
	a.later(9 * time.Second)
	a.tap("in", "6200000001") // who had a fever is measured again
	a.measure(3600, 2000)
	a.await("pass normal")
	a.later(3 * time.Second)
}

// decisions returns the records of verdicts and alarms as the journal has them: seq, kind
// and body. What depends on when bytes arrived, on real ports, is left out or rounded:
// latency_us and duration_ms are measured durations; the instants in a basis are those
// at which a reading came, and are rounded up to the second, to which the test's clock
// is set.
func (a *alone) decisions() (out []string) {
	a.t.Helper()
	a.stop()
	v, err := journal.Look(a.cfg.Dir)
	a.must(err)
	defer v.Close()
	c, err := v.Read(1, 10000, 1<<22)
	a.must(err)
	for _, e := range c.Entries {
		body, err := e.Record.DecodeBody()
		a.must(err)
		if p, ok := body.(*wire.Passage); ok {
			p.LatencyUS = 0
			if p.Temperature != nil {
				p.Temperature.DurationMS = 0
			}
			if p.Basis != nil {
				for _, at := range []*wire.Time{p.Basis.At, p.Basis.Last} {
					if at != nil {
						at.Time = at.Add(time.Second - 1).Truncate(time.Second)
					}
				}
			}
		}
		if k := body.Kind(); k != wire.KindPassage && k != wire.KindAlarm && k != wire.KindAudit {
			continue
		}
		b, err := json.Marshal(body)
		a.must(err)
		out = append(out, fmt.Sprintf("%d %s %s", e.Record.Seq, body.Kind(), b))
	}
	return out
}

// Whether collector and broker run, or neither does for the whole scenario: the same
// readings give the same records of verdicts, byte for byte.
func TestVerdictsAreTheSameWithoutTheCounty(t *testing.T) {
	dir := t.TempDir()
	listen, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cfg := centre.Config{County: "qinghe", Dir: filepath.Join(dir, "county"), Sites: filepath.Join(dir, "sites.yaml"),
		Broker: centre.Broker{Embedded: &broker.Config{Listen: listen}}}
	sites, err := config.Write(world.New(1).Sites)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.Sites, sites, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := identity.LoadOrCreateCollectorKey(cfg.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.CreateSiteKey(filepath.Join(cfg.Dir, "site.key")); err != nil {
		t.Fatal(err)
	}
	with := withTheCounty(t, cfg, listen)
	without := newAlone(t, cfg.Dir, "tcp://"+listen) // nobody listens there any more
	without.scenario()
	got, want := without.decisions(), with
	if !slices.Equal(got, want) || len(got) < verdictsOfScenario {
		t.Errorf("without the county:\n%s\nwith it:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// withTheCounty plays the scenario at a gate that delivers to a county, and stops the
// county when it has stored each verdict.
func withTheCounty(t *testing.T, cfg centre.Config, listen string) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- centre.Run(ctx, cfg, "test", slog.New(slog.DiscardHandler)) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the county: %v", err)
		}
	}()
	a := newAlone(t, cfg.Dir, "tcp://"+listen)
	linked := func() bool { return a.agent.Board().Snapshot().Delivery.Linked }
	for end := time.Now().Add(30 * time.Second); !linked(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the county does not answer")
		}
	}
	a.scenario()
	s, err := archive.OpenReadOnly(filepath.Join(cfg.Dir, centre.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		stored := 0
		for row, err := range s.Rows(t.Context(), store.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Kind == wire.KindPassage {
				stored++
			}
		}
		if stored == verdictsOfScenario {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the county has %d verdicts", stored)
		}
	}
	return a.decisions()
}
