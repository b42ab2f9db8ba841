package replay_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/replay"
	"gatehouse/gateway/wire"
)

// zone is the county's.
var zone = time.FixedZone("CST", 8*60*60)

type plain struct{}

func (plain) Pseudonym(kind, code string) string { return kind + "/" + strings.TrimLeft(code, "0") }

// fatal is a test.
type fatal interface{ Fatal(...any) }

const roster = `card,class,status,household,from,until,purpose,uses,opening
00000000A1,resident,active,7,,,,,
00000000A2,resident,active,7,,,,,
00000000B1,resident,active,8,,,,,
00000000C1,resident,lost,8,,,,,
00000000D1,resident,sealed,9,,,,,
00000000E1,visitor,active,,2020-02-13,2020-02-14,,2,
00000000F1,worker,active,,,,,,
`

const classes = `
classes:
  resident:
    fever: go-home
    directions: [in, out]
    windows: [{from: "06:00", until: "22:00", directions: [out]}]
    quota: {exits: 1, days: 2, per: household}
    anti_passback: soft
  visitor: {fever: turn-away, directions: [in, out]}
  worker: {fever: turn-away, directions: [in, out], anti_passback: hard, amnesty: 8h}
`

// rules returns a policy with a pairing window and more, and the roster.
func rules(t fatal, pairing time.Duration, fever, more string) *policy.Rules {
	return rulesOf(t, fmt.Sprintf("version: \"1\"\nlimits: {fever_c: %s, invalid_below_c: 35.0, pairing: %s}\n%s%s",
		fever, pairing, strings.TrimSpace(classes)+"\n", more))
}

// rulesOf returns the policy of a text, and the roster.
func rulesOf(t fatal, text string) *policy.Rules {
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := policy.ParseRoster(p, strings.NewReader(roster), plain{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// record is one of a journal.
type record struct {
	wire.Record

	body wire.Body
}

// agent is a gate with its journal. It does with its gate what the station of an agent
// does, without devices.
type agent struct {
	rules   *policy.Rules
	gate    *gate.Gate
	now     clock.Moment
	boots   int
	unsync  bool
	journal []record
}

func lanes() []gate.Lane {
	return []gate.Lane{
		{Name: "north", Measures: true, Thermometers: []string{"thermometer north"}, Readers: []string{"reader north"}},
		{Name: "south", Measures: true, Thermometers: []string{"thermometer south"}, Readers: []string{"reader south"}},
		{Name: "goods", Readers: []string{"reader goods"}},
	}
}

func newAgent(r *policy.Rules) *agent {
	a := &agent{rules: r, now: clock.Moment{Wall: time.Date(2020, 2, 14, 7, 0, 0, 0, zone).UTC(), Boot: time.Hour}}
	a.start(true)
	return a
}

func (a *agent) bootID() string { return fmt.Sprint("boot ", a.boots) }

func (a *agent) append(body wire.Body) uint64 {
	seq := uint64(len(a.journal) + 1)
	a.journal = append(a.journal, record{wire.Record{Seq: seq, At: wire.At(a.now.Wall), BootNS: int64(a.now.Boot),
		Unsync: a.unsync, Kind: body.Kind()}, body})
	return seq
}

// keep records what was decided; latency is 0 for what time alone did.
func (a *agent) keep(events []gate.Event, latency int64) {
	for _, e := range events {
		p := e.Passage
		p.LatencyUS = latency
		a.append(&p)
	}
	for _, e := range a.gate.Unresolved() {
		a.append(&wire.Alarm{ID: fact.AlarmUnresolved.ID(e.ID), Type: fact.AlarmUnresolved, State: fact.AlarmRaised})
	}
}

// pass lets time pass, and ends what is over meanwhile.
func (a *agent) pass(d time.Duration) {
	until := a.now.Boot + d
	for next, open := a.gate.Next(); open && next <= until; next, open = a.gate.Next() {
		a.now = a.now.Add(next - a.now.Boot + time.Millisecond)
		a.gate.SetSynchronised(a.now, !a.unsync)
		a.keep(a.gate.Tick(a.now), 0)
	}
	a.now = a.now.Add(max(0, until-a.now.Boot))
	a.gate.SetSynchronised(a.now, !a.unsync)
}

// read records a reading and decides on it.
func (a *agent) read(r wire.Reading) {
	r.BootID, r.BootNS = a.bootID(), int64(a.now.Boot)
	seq := a.append(&r)
	latency := int64(900)
	if r.Entered != nil {
		latency = 0
	}
	a.keep(a.gate.Observe(a.now, seq, r), latency)
}

// measure lets somebody stand at a thermometer until they are measured.
func (a *agent) measure(lane string, value, ambient fact.Temp, took time.Duration, settled, supersedes bool) {
	device := "thermometer " + lane
	a.gate.Begun(a.now, device)
	a.pass(took)
	a.read(wire.Reading{Device: device, Type: fact.ReadingTemperature, Lane: lane, Temperature: &wire.Temperature{
		Object: value, Screening: value, Ambient: ambient, RatedMin: 1600, RatedMax: 3500, Samples: 5, Settled: settled,
		DurationMS: took.Milliseconds(), Supersedes: supersedes}})
}

// works records the state of a device.
func (a *agent) works(device string, works bool) {
	state := fact.DeviceOK
	if !works {
		state = fact.DeviceFault
	}
	a.append(&wire.Health{Device: device, State: state})
	a.keep(a.gate.SetWorks(device, works), 0)
}

// last returns the newest passage.
func (a *agent) last() (record, *wire.Passage) {
	for _, r := range slices.Backward(a.journal) {
		if p, is := r.body.(*wire.Passage); is {
			return r, p
		}
	}
	return record{}, nil
}

// outcomes decides a journal again.
func outcomes(journal []record, cfg replay.Config) (all []replay.Outcome) {
	var s replay.Survey
	for _, r := range journal {
		s.Take(r.Record, r.body)
	}
	cfg.Zone, cfg.Runs = zone, s.Runs()
	x := replay.New(cfg, func(o replay.Outcome) { all = append(all, o) })
	for _, r := range journal {
		x.Take(r.Record, r.body)
	}
	x.End()
	return all
}
