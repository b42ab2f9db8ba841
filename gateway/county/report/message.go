package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/county/mapping"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// quarantine stores a report that can't be read. If its machine's share is full
// the report is dropped, which is counted and reported: the broker would send it
// again for ever.
func (t *Taker) quarantine(ctx context.Context, p store.Poison) bool {
	full := false
	kept := t.retry(ctx, func() error {
		err := t.opts.Store.Quarantine(ctx, p)
		if full = errors.Is(err, store.ErrShare); full {
			return nil
		}
		return err
	})
	switch {
	case full:
		t.drop(p.Agent, "its share of the quarantine is full of reports that can't be read")
	case kept && t.dropped.Load() == 0:
		t.opts.Log.Warn("report put into quarantine", "topic", p.Topic, "reason", p.Reason)
	}
	return kept
}

// drop counts and reports a report that can neither be stored nor put into
// quarantine.
func (t *Taker) drop(machine, why string) {
	n := t.dropped.Add(1)
	if n == 1 || n%1000 == 0 {
		t.opts.Log.Error("a report of a machine was dropped", "machine", machine, "reason", why, "dropped", n)
	}
	if t.opts.Watch != nil {
		t.opts.Watch.Refused(machine, why, n)
	}
}

// decode returns the machine that a message is of, if that is known, and its
// report.
func (t *Taker) decode(m mqtt.Message) (machine string, r mapping.Reading, err error) {
	to := t.topics[m.Topic]
	machine, documented := t.reports(m.Topic)
	switch {
	case to != nil:
		machine = to.machine
	case !documented:
		return "", r, wire.CheckReportTopic(m.Topic)
	}
	switch {
	case len(m.Payload) > maxReport:
		err = fmt.Errorf("a report of %d bytes is larger than %d", len(m.Payload), maxReport)
	case to == nil:
		r, err = mapping.Documented(m.Payload)
	default:
		if r, err = to.mapping.Read(m.Payload); err == nil {
			t.count(to, r, m)
		}
	}
	return machine, r, err
}

// reports returns the machine of a topic for reports of the documented form.
func (t *Taker) reports(topic string) (machine string, ok bool) {
	_, id, leaf, ok := wire.ParseTopic(topic)
	return id, ok && leaf == wire.LeafReport && id != wire.CollectorID
}

// count counts a message of a firmware's own form, and warns once when a mapped
// field never comes.
func (t *Taker) count(to *mapped, r mapping.Reading, m mqtt.Message) {
	to.mu.Lock()
	defer to.mu.Unlock()
	if warning := to.tally.Add(r, m.Payload); warning != "" {
		t.opts.Log.Warn("a mapped field never came", "machine", to.machine, "topic", m.Topic, "what", warning,
			"not for us", to.tally.Empty())
	}
	if n := to.tally.Empty(); r.Empty() && (n == 1 || n == 10 || n == 100 || n%1000 == 0) {
		t.opts.Log.Info("messages without a value of a mapped field are counted, not stored",
			"machine", to.machine, "topic", m.Topic, "messages", n)
	}
}

// track returns the record's body of a report; judged is when it was made.
func (t *Taker) track(m *reporter, r mapping.Reading, payload []byte, arrived time.Time, j judged) *wire.Track {
	report := r.Report
	track := &wire.Track{Machine: m.cfg.Machine, Source: wire.SourceReport, At: wire.At(j.at),
		Received: new(wire.At(arrived)), BadClock: j.wrong, NoClock: j.timeless, Import: report.Import}
	if year := j.own.UTC().Year(); year < 1970 || year > 2261 {
		track.BadClock = true // a record can't hold such a time
	} else if !j.own.Equal(j.at) || !j.timeless && j.at.Equal(arrived) {
		track.Clock = new(wire.At(j.own))
	}
	var bad []error
	track.Points, bad = points(report)
	if len(bad) > 0 {
		t.opts.Log.Warn("a report has values that can't be true",
			"machine", m.cfg.Machine, "what", bad[0], "more", len(bad)-1)
	}
	if report.Import != nil {
		track.Source = wire.SourceImport
		track.Clock = nil
	} else {
		track.Raw = string(payload)
	}
	return track
}

// points returns a report's points without the values that can't be true, and
// what is wrong with those.
func points(r wire.Report) (out []wire.TrackPoint, bad []error) {
	out = r.Points
	if r.Import == nil {
		out = []wire.TrackPoint{{Values: r.Values}}
	}
	for i := range out {
		bad = append(bad, runs.Clean(&out[i].Values)...)
	}
	return out, bad
}
