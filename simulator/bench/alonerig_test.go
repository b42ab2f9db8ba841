package bench

import (
	"context"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse/devices/port"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
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
	a.hw.SendBytes(a.t.Context(), reader, slices.Repeat(frame, 3)) // an unknown card counts when it is repeated
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
