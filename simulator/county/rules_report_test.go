package county

import (
	"slices"
	"time"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/wire"
)

// records calls each with what the journal holds.
func (r *swapRig) records(each func(wire.Record, wire.Body)) {
	r.b.Helper()
	v, err := journal.Look(r.cfg.Dir)
	if err != nil {
		return // it is being made
	}
	defer v.Close()
	for next := max(1, v.First); next <= v.Last; {
		chunk, err := v.Read(next, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil || chunk.To < next {
			r.b.Fatal(chunk.To, err)
		}
		for _, e := range chunk.Entries {
			if body, err := e.Record.DecodeBody(); err == nil {
				each(e.Record, body)
			}
		}
		next = chunk.To + 1
	}
}

// applied returns how many sets came into force.
func (r *swapRig) applied() (n int) {
	r.b.Helper()
	r.records(func(_ wire.Record, body wire.Body) {
		if b, is := body.(*wire.Audit); is && b.Action == wire.ActionRulesApplied {
			n++
		}
	})
	return n
}

// report reports how long verdicts took before the first set was published, and from a set's
// publication until two seconds after it came into force.
func (r *swapRig) report() {
	r.b.Helper()
	var before, during []float64
	var until []time.Time
	r.records(func(rec wire.Record, body wire.Body) {
		if b, is := body.(*wire.Audit); is && b.Action == wire.ActionRulesApplied {
			until = append(until, rec.At.Add(2*time.Second))
		}
	})
	refused := 0
	r.records(func(rec wire.Record, body wire.Body) {
		p, is := body.(*wire.Passage)
		if !is || p.LatencyUS == 0 {
			return
		}
		if p.Verdict != "pass" {
			refused++
		}
		ms := float64(p.LatencyUS) / 1000
		if rec.At.Before(r.waiting[0]) {
			before = append(before, ms)
		}
		for i := range until {
			if rec.At.After(r.waiting[i]) && rec.At.Before(until[i]) {
				during = append(during, ms)
			}
		}
	})
	if len(before) < 20 || len(during) < 20 || refused > 0 {
		r.b.Fatalf("%d verdicts before, %d during; %d did not pass", len(before), len(during), refused)
	}
	slices.Sort(before)
	slices.Sort(during)
	r.b.ReportMetric(before[len(before)*95/100], "p95-ms-before")
	r.b.ReportMetric(slices.Max(before), "max-ms-before")
	r.b.ReportMetric(during[len(during)*95/100], "p95-ms")
	r.b.ReportMetric(slices.Max(during), "max-ms")
	r.b.ReportMetric(float64(len(during)), "verdicts")
}
