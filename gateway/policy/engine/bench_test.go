package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// The gate of 60,000 people, all of whom have been out and in: a decision, with what it
// changes when it lets somebody pass.
func BenchmarkDecide(b *testing.B) {
	const people = 60_000
	var rows strings.Builder
	for i := range people {
		fmt.Fprintf(&rows, "62%08X,resident,active,%d,2020-01-01,2020-12-31,,,\n", i, i/4)
	}
	r := rules(b, classes, sealedRules, rows.String())
	card := func(i int) string { return fmt.Sprintf("card/62%08X", i%people) }
	var s State
	now := time.Date(2020, 2, 1, 7, 0, 0, 0, zone)
	pass := func(i int, way fact.Direction) Decision {
		a := Ask{Credential: card(i), Direction: way, At: now, Readings: []uint64{uint64(2*i + 1), uint64(2*i + 2)}}
		d := Decide(r, &s, a)
		if d.Allowed {
			s.Take(r, wire.Passage{Verdict: fact.VerdictPass, Direction: way, Credential: a.Credential,
				Readings: a.Readings, Basis: &d.Basis}, now)
		}
		return d
	}
	for i := range people {
		pass(i, fact.DirectionOut)
		pass(i, fact.DirectionIn)
	}
	b.ReportAllocs()
	b.ResetTimer()
	allowed := 0
	for i := range b.N {
		if i%people == 0 {
			now = now.Add(24 * time.Hour)
		}
		if pass(people+i, fact.DirectionOut).Allowed {
			allowed++
		}
	}
	b.ReportMetric(float64(allowed)/float64(b.N), "passes/op")
}
