package bench

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/devices/port"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
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
limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 3s}
classes:
  resident:
    fever: go-home
    directions: [in, out]
    quota: {exits: 1, days: 2, per: household}
    anti_passback: soft
  visitor: {fever: turn-away, directions: [in], purposes: [repair]}
episode: {wait: 5m, expires: 30m, second: any}
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
6200000007,visitor,active,,,,repair
`

// pace is how long after one person the next one comes: longer than the pairing window,
// and not so long that the thermometer counts as silent.
const pace = 5 * time.Second

// alone is a gate whose every byte and instant the test gives. What it decides does not
// depend on how busy the computer is: bytes that belong together come at once, and time
// passes only when the agent has taken them.
type alone struct {
	t       *testing.T
	hw      *Hardware
	ports   opening
	cfg     agent.Config
	clock   *setClock
	agent   *agent.Agent
	stop    func()
	decided chan given
}

// given is a passage with its seq.
type given struct {
	seq uint64
	wire.Passage
}

// opening tells of each serial port that is opened.
type opening struct {
	devices.Ports

	opened chan struct{}
}

func (p opening) Serial(name string, baud int) (io.ReadWriteCloser, error) {
	line, err := p.Ports.Serial(name, baud)
	if err == nil {
		p.opened <- struct{}{}
	}
	return line, err
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
	a := &alone{t: t, hw: hw, ports: opening{hw.Ports(port.NewHost()), make(chan struct{}, 100)},
		decided: make(chan given, 100), clock: &setClock{now: clock.Moment{
			Wall: time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC), Boot: time.Hour}}}
	a.cfg = agent.Config{County: "qinghe", Agent: "gate-001", Dir: filepath.Join(dir, "journal"),
		Broker: mqtt.Broker{URL: brokerURL}, CollectorKey: filepath.Join(keys, "collector.pub"),
		SiteKey: filepath.Join(keys, "site.key"), Station: station.Config{Devices: hw.Devices()},
		Policy: filepath.Join(dir, "policy.yaml"), Roster: filepath.Join(dir, "roster.csv")}
	for path, text := range map[string]string{a.cfg.Policy: alonePolicy, a.cfg.Roster: aloneRoster} {
		a.must(os.WriteFile(path, []byte(text), 0o600))
	}
	a.start()
	t.Cleanup(func() {
		a.stop()
		for _, p := range hw.plugs {
			p.pull()
		}
	})
	return a
}

// start starts the agent, also after a stop, and waits until its ports are open and its
// thermometer has seen an empty gate.
func (a *alone) start() {
	a.t.Helper()
	x, err := agent.New(a.cfg, agent.Options{Ports: a.ports, Clock: a.clock, HostID: "host",
		BootID: "boot", Version: "test", Log: slog.New(slog.DiscardHandler),
		OnPassage: func(seq uint64, p wire.Passage) { a.decided <- given{seq, p} }})
	a.must(err)
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
	for range a.cfg.Station.Devices {
		select {
		case <-a.ports.opened:
		case <-time.After(aloneWithin):
			a.t.Fatalf("not all ports are open: %+v", x.Board().Snapshot().Devices)
		}
	}
	a.clock.add(time.Second)
	a.empty()
	a.seen()
}

// restart ends the agent and starts it again, a second later.
func (a *alone) restart() {
	a.t.Helper()
	a.stop()
	a.start()
}

// aloneWithin is how long the test waits for the agent on a busy computer.
const aloneWithin = time.Minute

// seen waits until the agent has taken what its thermometer sent last.
func (a *alone) seen() {
	a.t.Helper()
	for end := time.Now().Add(aloneWithin); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		for _, d := range a.agent.Board().Snapshot().Devices {
			if d.Name == thermometerName && d.Heard == a.clock.Now().Boot && d.State == fact.DeviceOK {
				return
			}
		}
	}
	a.t.Fatalf("the thermometer was not heard: %+v", a.agent.Board().Snapshot().Devices)
}

// next lets pace pass, until the next person comes.
func (a *alone) next() {
	a.t.Helper()
	a.seen()
	now := a.clock.Now().Wall
	a.clock.add(now.Truncate(pace).Add(pace).Sub(now))
	a.empty()
}

// send lets a device send bytes at once, as a computer sees them that was busy meanwhile.
func (a *alone) send(device string, b []byte) {
	a.t.Helper()
	pty, _ := a.hw.plugs[device].current()
	if n, err := pty.Write(b); n != len(b) || err != nil {
		a.t.Fatalf("%s sent %d of %d bytes: %v", device, n, len(b), err)
	}
}

// frames returns what the thermometer sends of these object temperatures.
func frames(ambient fact.Temp, objects ...fact.Temp) (out []byte) {
	for _, object := range objects {
		b := []byte{0x5A, 0x5A, 0x45, 0x04}
		b = binary.BigEndian.AppendUint16(b, uint16(object))
		b = binary.BigEndian.AppendUint16(b, uint16(ambient))
		var sum byte
		for _, v := range b {
			sum += v
		}
		out = append(out, append(b, sum)...)
	}
	return out
}

// nobody is what the thermometer sees of an empty gate: a sensor that works does not
// repeat one value. The median is 19.02 °C, wherever a part of it is forgotten.
var nobody = []fact.Temp{1902, 1900, 1902, 1906, 1902}

func (a *alone) empty() { a.send(thermometerName, frames(2000, nobody...)) }

// measure lets somebody stand at the thermometer and step away.
func (a *alone) measure(screening fact.Temp) {
	person := slices.Repeat([]fact.Temp{Surface(screening, offset)}, 6)
	a.send(thermometerName, frames(2000, slices.Concat(nobody, person, nobody)...))
}

// tap holds a card to a reader. The reader repeats it, as for each card that is near.
func (a *alone) tap(reader, card string) {
	a.t.Helper()
	frame, err := rdmFrame(card)
	a.must(err)
	a.send(reader, slices.Repeat(frame, 3))
}

// asked waits until the gate asks somebody for something.
func (a *alone) asked(want gate.Wants) {
	a.t.Helper()
	for end := time.Now().Add(aloneWithin); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		for _, p := range a.agent.Board().Snapshot().Prompts {
			if p.Wants == want {
				return
			}
		}
	}
	a.t.Fatalf("the gate does not ask for a %s: %+v", want, a.agent.Board().Snapshot().Prompts)
}

// await waits for a passage and compares verdict and reasons.
func (a *alone) await(want string) given {
	a.t.Helper()
	select {
	case p := <-a.decided:
		if got := string(p.Verdict) + " " + fact.JoinReasons(p.Reasons, "+"); got != want {
			a.t.Errorf("decided %q, want %q", got, want)
		}
		return p
	case <-time.After(aloneWithin):
		a.t.Fatalf("no verdict, want %q", want)
	}
	return given{}
}

func (a *alone) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}
