package agent

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/sense"
	"gatehouse/gateway/wire"
)

const cardA, cardB = "62E3086CED", "62E3086CEE"

func twoResidents(t *testing.T) *policy.Rules {
	p, err := policy.Parse([]byte("version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n" +
		"classes:\n  resident: {fever: go-home, directions: [in, out]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	list := "card,class,status,household,from,until\n" + cardA + ",resident,active,,,\n" + cardB + ",resident,active,,,\n"
	r, err := policy.ParseRoster(p, strings.NewReader(list), identity.SiteKey{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// post is a record loop with a journal and a gate, whose devices the test plays.
type post struct {
	t    *testing.T
	dir  string
	h    *hand
	r    *recorder
	said []string
	in   map[string]*input
	cues chan cue
}

func newPost(t *testing.T) *post {
	w := &post{t: t, dir: t.TempDir(), h: &hand{clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC), Boot: time.Hour}}}
	w.start()
	return w
}

func (w *post) start() {
	j, _, err := journal.Open(journal.Options{Dir: w.dir, HostID: "h", Log: slog.New(slog.DiscardHandler)}, w.h.now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.cues = make(chan cue, 100)
	lane := gate.Lane{Measures: true, Thermometers: []string{"t"}, Readers: []string{"r"}}
	a := &Agent{opts: Options{Clock: w.h, BootID: "b"}, log: slog.New(slog.DiscardHandler), journal: j, board: newBoard(),
		alarms: newOvertakers(), outputs: []output{{cues: w.cues}}, began: w.h.now.Boot,
		gate: gate.New(gate.Config{Rules: twoResidents(w.t), Zone: time.UTC, Lanes: []gate.Lane{lane}})}
	a.opts.OnPassage = func(seq uint64, p wire.Passage) {
		w.said = append(w.said, fmt.Sprintf("%s %v %v amends=%v", p.Verdict, p.Reasons, p.Readings, p.Amends))
	}
	off := fact.Temp(320)
	tm, _ := devices.Find("gy-mcu90614")
	rm, _ := devices.Find("rdm6300")
	w.in = map[string]*input{"t": {cfg: Device{Name: "t"}, model: tm, meter: sense.NewMeter(3410), state: fact.DeviceOK},
		"r": {cfg: Device{Name: "r"}, model: rm, taps: sense.NewTaps(), state: fact.DeviceOK}}
	w.in["t"].cfg.Offset = &off
	a.inputs = []*input{w.in["t"], w.in["r"]}
	w.r = &recorder{Agent: a}
	if err := w.r.start(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *post) restart() {
	if err := w.r.journal.Sync(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	_ = w.r.journal.Close()
	w.said = append(w.said, "--restart--")
	w.start()
}

func (w *post) wait(s float64) { w.h.now = w.h.now.Add(time.Duration(s * 1e9)) }

func (w *post) reading(device, card string, screening fact.Temp) *wire.Reading {
	r := &wire.Reading{Device: device, Model: "gy-mcu90614", BootID: "b", BootNS: int64(w.h.now.Boot)}
	if card != "" {
		r.Type, r.Credential, r.Direction, r.Model = fact.ReadingCard, identity.SiteKey{}.Pseudonym("card", card), "in", "rdm6300"
		return r
	}
	r.Type = fact.ReadingTemperature
	r.Temperature = &wire.Temperature{Object: screening - 320, Offset: 320, Screening: screening, Ambient: 2000, Background: 2000,
		RatedMin: 1600, RatedMax: 3500, Samples: 5, DurationMS: 600, Settled: true}
	return r
}

func (w *post) observe(device, card string, screening fact.Temp) {
	x := w.reading(device, card, screening)
	seq := w.r.keep(w.h.now, x)
	w.r.apply(w.h.now, time.Time{}, w.r.gate.Observe(w.h.now, seq, *x))
}

// sample lets the thermometer see something.
func (w *post) sample(at time.Time, object int) {
	w.r.arrived(arrival{in: w.in["t"], r: devices.Sample{At: at, Object: fact.Temp(object), Ambient: 2000}})
}

// A's measurement ended with "no reader works"; the plug is put back, and the
// agent restarts: A's visit is open again and B passes on it.
func TestARestartReopensNoVisitThatWasOver(t *testing.T) {
	w := newPost(t)
	w.r.state(w.h.now, w.in["r"], fact.DeviceGone, "unplugged")
	w.observe("t", "", 3660)
	w.wait(2)
	w.restart()
	w.wait(1)
	w.observe("r", cardB, 0)
	for _, s := range w.said {
		if strings.HasPrefix(s, "pass") {
			t.Fatalf("B passes on A's temperature:\n%s", strings.Join(w.said, "\n"))
		}
	}
}

// The same, and the device is still broken: told twice.
func TestARestartTellsNobodyTwice(t *testing.T) {
	w := newPost(t)
	w.r.state(w.h.now, w.in["r"], fact.DeviceGone, "unplugged")
	w.observe("t", "", 3660)
	w.wait(2)
	w.restart()
	if p := w.r.gate.Prompts(); len(p) != 0 {
		t.Errorf("asks for %s, over since before the restart", p[0].Wants)
	}
	w.r.state(w.h.now, w.in["r"], fact.DeviceGone, "unplugged")
	if n := strings.Count(strings.Join(w.said, "\n"), "no-reader"); n != 1 {
		t.Errorf("told %d times:\n%s", n, strings.Join(w.said, "\n"))
	}
}

// The power goes between the record of a fever and that of its alarm.
func TestAFeverWhoseAlarmWasNotKeptIsRaisedAfterARestart(t *testing.T) {
	w := newPost(t)
	x := w.reading("t", "", 3840)
	seq := w.r.keep(w.h.now, x)
	events := w.r.gate.Observe(w.h.now, seq, *x)
	w.r.append(w.h.now, &events[0].Passage) // and then the lights go out
	w.wait(2)
	w.restart()
	w.wait(60)
	w.r.apply(w.h.now, time.Time{}, w.r.gate.Tick(w.h.now))
	if got := raised(t, w.r); !strings.Contains(strings.Join(got, " "), "fever") {
		t.Errorf("alarms: %q", got)
	}
}

// Card and temperature were kept and not decided; 50 s later the agent is back.
func TestAnOldPassDoesNotOpenTheBarrier(t *testing.T) {
	w := newPost(t)
	w.r.keep(w.h.now, w.reading("r", cardA, 0))
	w.wait(1)
	w.r.keep(w.h.now, w.reading("t", "", 3660))
	w.wait(50)
	w.restart()
	for len(w.cues) > 0 {
		if c := <-w.cues; c.Barrier {
			t.Errorf("50 s later the barrier opens for whoever stands there:\n%s", strings.Join(w.said, "\n"))
		}
	}
}

// The journal stalls for 20 s (a dying card). A was measured before, B taps 20 s
// later; both arrivals wait in the queue.
func TestAStallPairsNothingThatIsFarApart(t *testing.T) {
	w := newPost(t)
	now := time.Now() // sinceBoot looks at the real clock
	old := now.Add(-20 * time.Second)
	for i := range 30 {
		w.sample(old.Add(time.Duration(i-60)*70*time.Millisecond), 2000+2*(i%2))
	}
	for i := range 8 {
		w.sample(old.Add(time.Duration(i-30)*70*time.Millisecond), 3340+2*(i%2))
	}
	w.r.arrived(arrival{in: w.in["r"], r: devices.Tap{At: now, Code: cardB}})
	w.wait(0.1)
	got := strings.Join(w.said, "\n")
	if strings.Contains(got, "pass") {
		t.Errorf("B passes on what A was measured 20 s before:\n%s", got)
	}
}

// Who is measured first is asked for the card with a short sound.
func TestTheBuzzerAsksForTheCard(t *testing.T) {
	w := newPost(t)
	now := time.Now()
	for len(w.cues) > 0 {
		<-w.cues
	}
	for i := range 40 {
		o := 2000
		if i > 20 {
			o = 3340
		}
		w.sample(now.Add(time.Duration(i-60)*70*time.Millisecond), o+2*(i%2))
	}
	p := w.r.gate.Prompts()
	if len(p) != 1 || p[0].Wants != gate.WantsCard {
		t.Fatalf("%+v", p)
	}
	if len(w.cues) != 1 {
		t.Errorf("%d cues", len(w.cues))
	}
}
