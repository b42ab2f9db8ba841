package gate_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

const rollPolicy = `version: "1"
limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}
passes: {days: 3}
episode: {wait: 5m, expires: 2h, second: any}
classes:
  resident: {fever: go-home, directions: [in, out], anti_passback: hard, quota: {exits: 1, days: 2, per: household}}
  courier: {fever: turn-away, directions: [in, out], quota: {entries: 1, days: 1, per: card}}
`

const rollRoster = `card,class,status,household,from,until,purpose,uses
00000000A1,resident,active,7,,,,
00000000A2,resident,active,7,,,,
00000000B1,resident,sealed,8,,,,
00000000C1,courier,active,,,,,
00000000D1,courier,active,,2020-02-01,2020-02-20,,2
`

var (
	rollAt   = time.Date(2020, 2, 14, 0, 0, 0, 0, time.UTC)
	rollRing = identity.NewRing(
		identity.GateKey(bytes.Repeat([]byte{1}, 32), "gate-001", time.Time{}, rollAt),
		identity.GateKey(bytes.Repeat([]byte{2}, 32), "gate-001", rollAt, time.Time{}))
	rollPass = wire.Pass{ID: "p1", Gate: "gate-001", Class: "courier", Uses: 1,
		From: wire.At(rollAt.Add(-48 * time.Hour)), Until: wire.At(rollAt.Add(24 * time.Hour))}
)

// post is a gate, by whose key cards have names.
type post struct {
	*gate.Gate

	names  identity.Named
	before []gate.Earlier
}

func rollRules(t *rapid.T, n identity.Named) *policy.Rules {
	p, err := policy.Parse([]byte(rollPolicy))
	if err != nil {
		t.Fatal(err)
	}
	r, err := policy.ParseRoster(p, strings.NewReader(rollRoster), n)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// start begins a gate that knows what was decided before.
func (p *post) start(t *rapid.T, now clock.Moment, n identity.Named) {
	p.names = n
	p.Gate = gate.New(gate.Config{Rules: rollRules(t, n), Zone: time.UTC, Lanes: []gate.Lane{{Measures: true,
		Thermometers: []string{"t"}, Readers: []string{"in", "out"}}}})
	for _, e := range p.before {
		p.Remember(e)
	}
	p.SetSynchronised(now, true)
}

// do lets somebody come, and returns what is decided, without names.
func (p *post) do(now clock.Moment, seq uint64, card string, way fact.Direction, c fact.Temp) (out []string) {
	kind, code := "card", card
	r := wire.Reading{Device: string(way), Type: fact.ReadingCard, Direction: way}
	if card == "pass" {
		pass := rollPass
		r.Type, r.Pass, kind, code = fact.ReadingCode, &pass, "pass", pass.ID
	}
	r.Credential = p.names.Pseudonym(kind, code)
	p.Known(p.names.Others(kind, code), r.Credential)
	events := p.Observe(now, seq, r)
	events = append(events, p.Observe(now.Add(time.Second), seq+1, wire.Reading{Device: "t",
		Type: fact.ReadingTemperature, Temperature: &wire.Temperature{Object: c, Screening: c, Ambient: 2000,
			RatedMin: 1600, RatedMax: 3500, Settled: true}})...)
	events = append(events, p.Tick(now.Add(time.Minute))...)
	for _, e := range events {
		x := e.Passage
		p.before = append(p.before, gate.Earlier{At: now.Wall, Synchronised: true, Boot: now.Boot, Passage: &x})
		s := fmt.Sprint(x.Verdict, x.Reasons, x.Instruction, x.Class, x.Readings, x.Amends)
		if x.Credential != "" && !strings.HasPrefix(x.Credential, p.names.KeyID()+"-") {
			s += " by a former key"
		}
		if b := x.Basis; b != nil {
			s += fmt.Sprint(b.Rule, b.Used, b.Times, b.Last, b.Next)
			if b.Household != "" && !strings.HasPrefix(b.Household, p.names.KeyID()+"-") {
				s += " household by a former key"
			}
		}
		if x.Episode != nil {
			s += fmt.Sprint(*x.Episode)
		}
		out = append(out, s)
	}
	return out
}

// Whether the key changes in between, while the gate runs or over a restart, or not: what
// is decided is the same. Records are made with the key in force only.
func TestDecisionsWithARollOverAreThoseWithout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := clock.Moment{Wall: rollAt.Add(-30 * time.Hour), Boot: time.Hour}
		var rolls, stays post
		rolls.start(t, now, rollRing.Named(now.Wall))
		stays.start(t, now, rollRing.Named(now.Wall))
		rolled := false
		for i := range rapid.IntRange(4, 30).Draw(t, "people") {
			now = now.Add(time.Duration(rapid.IntRange(2, 400).Draw(t, "minutes")) * time.Minute)
			restart := rapid.IntRange(0, 9).Draw(t, "restart") == 0
			if n := rollRing.Named(now.Wall); !rolled && !now.Wall.Before(rollAt) {
				rolled = true
				if rolls.names = n; !restart {
					rolls.SetNames(rollRules(t, n))
				}
			}
			if restart {
				rolls.start(t, now, rolls.names)
				stays.start(t, now, stays.names)
			}
			card := rapid.SampledFrom([]string{"00000000A1", "00000000A2", "00000000B1", "00000000C1", "00000000D1",
				"00000000FF", "pass"}).Draw(t, "card")
			way := rapid.SampledFrom([]fact.Direction{"in", "out"}).Draw(t, "way")
			c := rapid.SampledFrom([]fact.Temp{3640, 3660, 3810}).Draw(t, "value")
			got := rolls.do(now, uint64(10*i+1), card, way, c)
			want := stays.do(now, uint64(10*i+1), card, way, c)
			if !slices.Equal(got, want) {
				t.Fatalf("%s %s at %s, rolled %v, restart %v:\n%q\nwithout a roll-over:\n%q", card, way, now.Wall,
					rolled, restart, got, want)
			}
		}
	})
}
