package bench

import (
	"testing"
	"time"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/replay"
	"gatehouse/gateway/wire"
)

// again decides all that the agent's journal holds once more, and compares. It is called
// at the end of each test, when the agent has ended.
func (r *gateRig) again() {
	r.t.Helper()
	key, err := identity.LoadSiteKey(r.cfg.SiteKey)
	if err != nil {
		r.t.Fatal(err)
	}
	p, err := policy.Load(r.cfg.Policy)
	if err != nil {
		r.t.Fatal(err)
	}
	rules, err := policy.LoadRules(p, r.cfg.Roster, key)
	if err != nil {
		r.t.Fatal(err)
	}
	passages, same := 0, 0
	var s replay.Survey
	r.records(func(rec wire.Record, body wire.Body) {
		if s.Take(rec, body); rec.Kind == wire.KindPassage {
			passages++
		}
	})
	config := replay.Config{Rules: rules, Zone: time.UTC, Runs: s.Runs(), Recorded: true}
	x := replay.New(config, func(o replay.Outcome) {
		switch c := o.Change(); c {
		case replay.Same:
			same++
		case replay.Ended:
		default:
			r.t.Errorf("record %d is decided otherwise: %s: %+v, was %+v", o.Seq, c, o.Is, o.Was)
		}
	})
	r.records(x.Take)
	if x.End(); same != passages {
		r.t.Errorf("%d of %d recorded verdicts came out again", same, passages)
	}
}

// records calls each with what the agent's journal holds.
func (r *gateRig) records(each func(wire.Record, wire.Body)) {
	r.t.Helper()
	v, err := journal.Look(r.cfg.Dir)
	if err != nil {
		r.t.Fatal(err)
	}
	defer v.Close()
	for next := max(1, v.First); next <= v.Last; {
		chunk, err := v.Read(next, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil || chunk.To < next {
			r.t.Fatal(chunk.To, err)
		}
		for _, e := range chunk.Entries {
			body, err := e.Record.DecodeBody()
			if err != nil {
				r.t.Fatal(err)
			}
			each(e.Record, body)
		}
		next = chunk.To + 1
	}
}

// What a real agent has recorded, with restarts, is decided again the same.
func TestARealJournalIsDecidedAgainTheSame(t *testing.T) {
	r := newGateRig(t)
	r.tap(cardA)
	r.measure(3650)
	r.expect("", "pass normal resident 36.50")
	r.tap(cardB)
	r.stop()
	r.start()
	r.seeBackground()
	r.measure(3840)
	r.expect("", "fever fever resident 38.40")
	r.tap("6200000099")
	r.expect("", "refuse unknown-card ")
}
