package engine

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// draw makes cards come one after the other, and returns what was asked and decided,
// with the passages as a journal has them.
func draw(t *rapid.T, s *State) (asks []Ask, decisions []Decision, passages []wire.Passage) {
	r := rules(t, classes, sealedRules, roster)
	now := at(t, "12 00:00")
	for i := range rapid.IntRange(1, 40).Draw(t, "steps") {
		now = now.Add(time.Duration(rapid.IntRange(0, 10*60).Draw(t, "minutes")) * time.Minute)
		a := Ask{At: now, Readings: []uint64{uint64(i + 1)}, Unsure: rapid.Bool().Draw(t, "unsure"),
			Credential: "card/" + rapid.SampledFrom([]string{"A1", "A2", "B1", "C1", "D1", "D2", "D3", "E1", "F1", "F2",
				"F3", "F4", "FF", ""}).Draw(t, "card"),
			Direction: rapid.SampledFrom([]fact.Direction{"in", "out", ""}).Draw(t, "way")}
		d := Decide(r, s, a)
		p := wire.Passage{Verdict: fact.VerdictRefuse, Credential: a.Credential, Direction: a.Direction,
			Readings: a.Readings, Basis: &d.Basis}
		switch {
		case d.Allowed && rapid.IntRange(0, 5).Draw(t, "fever") == 0:
			p.Verdict = fact.VerdictFever
		case d.Allowed:
			p.Verdict = fact.VerdictPass
		}
		s.Take(r, p, now)
		asks, decisions, passages = append(asks, a), append(decisions, d), append(passages, p)
	}
	return asks, decisions, passages
}

// Who is not listed never passes; every decision names its rule, and every refusal its
// reason.
func TestNobodyPassesByDefault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asks, decisions, _ := draw(t, &State{})
		for i, d := range decisions {
			listed := asks[i].Credential != "card/FF" && asks[i].Credential != "card/"
			if d.Allowed && (!listed || asks[i].Credential == "card/C1") {
				t.Fatalf("%+v passes", asks[i])
			}
			if d.Allowed == (d.Reason != "") || d.Basis.Rule == "" || listed != (d.Class != "") {
				t.Fatalf("%+v: %+v", asks[i], d)
			}
		}
	})
}

// The passages of the journal make the state that the gate had, and it decides the same
// again.
func TestReplayEqualsTheRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var live, restored State
		asks, decisions, passages := draw(t, &live)
		r := rules(t, classes, sealedRules, roster)
		for i, p := range passages {
			if d := Decide(r, &restored, asks[i]); !reflect.DeepEqual(d, decisions[i]) {
				t.Fatalf("again: %+v\nrecord: %+v", d, decisions[i])
			}
			restored.Take(r, p, asks[i].At)
		}
		if got, want := fmt.Sprint(restored), fmt.Sprint(live); got != want {
			t.Fatalf("%s\n%s", got, want)
		}
	})
}
