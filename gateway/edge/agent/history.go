package agent

import (
	"fmt"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// lastRecords is how many records, the newest, are searched for readings,
// passages and answers: more than a gate completes while any of them matters.
// However long a backlog is, a gate must not stay deaf for it.
const lastRecords = 8192

// begin hands each part what the journal holds of earlier runs, and lets it
// begin.
func (a *Agent) begin() error {
	now := a.clock.Now()
	if err := a.rememberAll(now); err != nil {
		return err
	}
	if a.station != nil {
		if err := a.rememberLast(now); err != nil {
			return err
		}
		a.station.Begin(now)
	}
	if a.bridge != nil {
		a.bridge.Begin(now)
	}
	a.recorder.Begin(now, a.has)
	a.commands.Begin(now)
	return nil
}

// has reports whether the configuration lists a device or machine.
func (a *Agent) has(device string) bool {
	return a.station != nil && a.station.Has(device) || a.bridge != nil && a.bridge.Has(device)
}

// rememberAll looks through the whole journal for what lasts: alarms, what the
// guard did, the runs of machines, and who has passed and what thermometers have read if
// the rules ask for it.
func (a *Agent) rememberAll(now clock.Moment) error {
	passed := a.station != nil && a.station.NeedsPassed()
	read := a.station != nil && a.station.NeedsReadings()
	return a.journal.Walk(a.journal.First(), func(raw []byte) {
		switch wire.PeekKind(raw) {
		case wire.KindAlarm, wire.KindAudit, wire.KindTrack, wire.KindRun, wire.KindClock, wire.KindCheck:
		case wire.KindPassage:
			if !passed {
				return
			}
		case wire.KindReading, wire.KindBaseline:
			if !read {
				return
			}
		default:
			return
		}
		rec, err := wire.DecodeRecord(raw)
		switch b := a.body(rec, err).(type) {
		case *wire.Track, *wire.Run:
			if a.bridge != nil {
				a.bridge.Remember(b)
			}
		case *wire.Clock, *wire.Passage:
			if a.station != nil {
				a.station.RememberPassed(rec, b)
			}
		case *wire.Reading, *wire.Baseline:
			a.station.RememberRead(now, b)
		case *wire.FieldCheck:
			if a.station != nil {
				a.station.RememberCheck(b)
			}
		case *wire.Audit:
			a.commands.Remember(b)
			if a.station != nil && !b.OfCounty() {
				a.station.RememberAnswer(rec, b)
			}
		case *wire.Alarm:
			a.recorder.Remember(rec, raw, b)
			a.help.Remember(a.clock.Now(), rec, b)
			if a.station != nil {
				a.station.RememberAlarm(b)
			}
		}
	})
}

// rememberLast reads the last records for the station.
func (a *Agent) rememberLast(now clock.Moment) error {
	durable := a.journal.Durable()
	for from := max(a.journal.First(), durable-min(durable, lastRecords)); from != 0 && from <= durable; {
		chunk, err := a.journal.Read(from, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil {
			return fmt.Errorf("read the journal from %d: %w", from, err)
		}
		for _, e := range chunk.Entries {
			switch e.Record.Kind {
			case wire.KindReading, wire.KindPassage, wire.KindAudit, wire.KindClock, wire.KindHealth, wire.KindCheck:
				if body := a.body(e.Record, nil); body != nil {
					a.station.Remember(now, e.Record, body)
				}
			}
		}
		if chunk.To < from {
			break
		}
		from = chunk.To + 1
	}
	return nil
}

// body decodes a record's body. Where it can't it logs that and returns nil.
func (a *Agent) body(rec wire.Record, err error) (b wire.Body) {
	if err == nil {
		b, err = rec.DecodeBody()
	}
	if err != nil {
		a.log.Warn("a record of the journal can't be read", "seq", rec.Seq, "err", err)
		return nil
	}
	return b
}
