package station

import (
	"cmp"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/edge/recorder"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

const cardA, cardB = "62E3086CED", "62E3086CEE"

// hand is a clock that only the test moves.
type hand struct{ now clock.Moment }

func (h *hand) Now() clock.Moment  { return h.now }
func (h *hand) Synchronised() bool { return true }

// rig is a station whose devices the test plays, with a recorder and a journal.
type rig struct {
	t        *testing.T
	dir      string
	h        *hand
	j        *journal.Journal
	rec      *recorder.Recorder
	board    *status.Board
	st       *Station
	in       map[string]*input // thermometer, reader
	out      *output
	passages []string
	rules    *policy.Rules
	offset   fact.Temp // of the thermometer; 0: 3.20 °C
}

func newRig(t *testing.T) *rig {
	start := clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC), Boot: time.Hour}
	g := &rig{t: t, dir: t.TempDir(), h: &hand{start}, rules: twoResidents(t, "")}
	g.start(func(string) bool { return true })
	t.Cleanup(func() { _ = g.j.Close() })
	return g
}

// codes takes the code PASS for a pass.
type codes struct{ identity.SiteKey }

func (codes) Pass(code string) (*wire.Pass, fact.PassFault) {
	if code != "PASS" {
		return nil, ""
	}
	return &wire.Pass{ID: "0102030405060708", Gate: "g", Class: "resident", Uses: 1}, ""
}

// twoResidents returns rules for cards A and B of one household, with more rules of
// their class.
func twoResidents(t *testing.T, more string) *policy.Rules {
	t.Helper()
	p, err := policy.Parse([]byte("version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n" +
		"classes:\n  resident: {fever: go-home, directions: [in, out]" + more + "}\n"))
	if err != nil {
		t.Fatal(err)
	}
	list := "card,class,status,household,from,until\n" +
		cardA + ",resident,active,7,,\n" + cardB + ",resident,active,7,,\n"
	r, err := policy.ParseRoster(p, strings.NewReader(list), identity.SiteKey{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// start starts the station; known says which devices the agent still has.
func (g *rig) start(known func(device string) bool) {
	g.t.Helper()
	log := slog.New(slog.DiscardHandler)
	j, report, err := journal.Open(journal.Options{Dir: g.dir, HostID: "h", Log: log}, g.h.now)
	if err != nil {
		g.t.Fatal(err)
	}
	g.j, g.board = j, status.NewBoard()
	g.rec = recorder.New(recorder.Options{Journal: j, Board: g.board, Overtake: func(wire.Entry, bool) {}, Clock: g.h,
		BootID: "b", Log: log}, report)
	g.st, err = New(Config{}, Options{Rules: g.rules, Asks: true, Zone: time.UTC, Codes: codes{},
		Journal: g.rec, Board: g.board, Clock: g.h, BootID: "b", Log: log, OnPassage: g.passage})
	if err != nil {
		g.t.Fatal(err)
	}
	g.play()
	g.remember()
	g.st.Begin(g.h.now)
	g.rec.Begin(g.h.now, known)
}

// play replaces the devices of the station by a thermometer, a reader and an
// output without ports.
func (g *rig) play() {
	offset := cmp.Or(g.offset, 320)
	find := func(name string) devices.Model {
		m, err := devices.Find(name)
		if err != nil {
			g.t.Fatal(err)
		}
		return m
	}
	t := g.st.newInput(Device{Name: "thermometer", Offset: &offset}, Lane{}, find("gy-mcu90614"))
	r := g.st.newInput(Device{Name: "reader"}, Lane{}, find("rdm6300"))
	g.in = map[string]*input{"thermometer": t, "reader": r}
	g.out = &output{cues: make(chan cue, 100)}
	g.st.inputs, g.st.outputs = []*input{t, r}, outputs{g.out}
	g.st.gate = gate.New(gate.Config{Rules: g.st.opts.Rules, Zone: time.UTC,
		Lanes: []gate.Lane{{Measures: true, Thermometers: []string{"thermometer"}, Readers: []string{"reader"}}}})
}

// remember hands station and recorder what the journal holds, as an agent does.
func (g *rig) remember() {
	g.t.Helper()
	visit := func(each func(rec wire.Record, raw []byte, body wire.Body)) {
		err := g.j.Walk(g.j.First(), func(raw []byte) {
			rec, err := wire.DecodeRecord(raw)
			if err != nil {
				g.t.Error(err)
			}
			body, err := rec.DecodeBody()
			if err != nil {
				g.t.Error(err)
			}
			each(rec, raw, body)
		})
		if err != nil {
			g.t.Fatal(err)
		}
	}
	visit(func(rec wire.Record, raw []byte, body wire.Body) {
		switch b := body.(type) {
		case *wire.Alarm:
			g.rec.Remember(rec, raw, b)
			g.st.RememberAlarm(b)
		case *wire.Audit:
			g.st.RememberAnswer(rec, b)
		case *wire.Clock, *wire.Passage:
			g.st.RememberPassed(rec, b)
		case *wire.Reading, *wire.Baseline:
			g.st.RememberRead(g.h.now, b)
		case *wire.FieldCheck:
			g.st.RememberCheck(b)
		}
	})
	visit(func(rec wire.Record, _ []byte, body wire.Body) { g.st.Remember(g.h.now, rec, body) })
}

func (g *rig) stop() {
	g.t.Helper()
	if err := g.j.Sync(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	_ = g.j.Close()
}

func (g *rig) restart() {
	g.t.Helper()
	g.stop()
	g.passages = append(g.passages, "--restart--")
	g.start(func(string) bool { return true })
}

func (g *rig) passage(_ uint64, p wire.Passage) {
	g.passages = append(g.passages, fmt.Sprintf("%s %v %v amends=%v", p.Verdict, p.Reasons, p.Readings, p.Amends))
}

func (g *rig) wait(s float64) { g.h.now = g.h.now.Add(time.Duration(s * 1e9)) }

// tapped and measured are completed readings.
func (g *rig) tapped(card string) *wire.Reading {
	return &wire.Reading{Device: "reader", Model: "rdm6300", BootID: "b", BootNS: int64(g.h.now.Boot),
		Type: fact.ReadingCard, Credential: identity.SiteKey{}.Pseudonym("card", card), Direction: fact.DirectionIn}
}

func (g *rig) measured(screening fact.Temp) *wire.Reading {
	t := &wire.Temperature{Object: screening - 320, Offset: 320, Screening: screening,
		Ambient: 2000, Background: 2000, RatedMin: 1600, RatedMax: 3500, Samples: 5, DurationMS: 600, Settled: true}
	return &wire.Reading{Device: "thermometer", Model: "gy-mcu90614", BootID: "b", BootNS: int64(g.h.now.Boot),
		Type: fact.ReadingTemperature, Temperature: t}
}

func (g *rig) observe(x *wire.Reading) {
	seq := g.st.keep(g.h.now, x)
	g.st.apply(g.h.now, time.Time{}, g.st.gate.Observe(g.h.now, seq, *x))
}

// sample lets the thermometer yield a value.
func (g *rig) sample(at time.Time, object int) {
	g.st.arrived(g.h.now, arrival{in: g.in["thermometer"],
		r: devices.Sample{At: at, Object: fact.Temp(object), Ambient: 2000}})
}

// fail lets a device fail with an error of its driver.
func (g *rig) fail(device string, kind error, text string) {
	g.st.arrived(g.h.now, arrival{in: g.in[device], err: fmt.Errorf("%w: %s", kind, text)})
}

// bodies returns the bodies in the journal, in order.
func (g *rig) bodies() (out []wire.Body) {
	g.t.Helper()
	if err := g.j.Sync(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	c, err := g.j.Read(1, 1000, 1<<20)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, e := range c.Entries {
		body, err := e.Record.DecodeBody()
		if err != nil {
			g.t.Fatal(err)
		}
		out = append(out, body)
	}
	return out
}

// alarms returns the alarms in the journal but for the first n.
func (g *rig) alarms(n int) string {
	g.t.Helper()
	var out []string
	for _, body := range g.bodies() {
		if a, ok := body.(*wire.Alarm); ok {
			out = append(out, a.ID+" "+string(a.State))
		}
	}
	return strings.Join(out[min(n, len(out)):], ", ")
}
