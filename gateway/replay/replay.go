// Package replay decides recorded readings again, by the same rules or by others, through
// the code of the gate: same inputs and rules give the same verdicts. It is pure: the
// records of a journal go in, in their order; each recorded verdict comes out with the one
// that is given now. What a replay keeps is as large as what the gate itself remembers: who
// has passed on as many days as the rules look back, the passages of the last hour or of
// fever episodes, and a few minutes of readings.
package replay

import (
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/policy/engine"
	"gatehouse/gateway/wire"
)

// Config says how a journal is decided again.
type Config struct {
	Rules *policy.Rules  // until the first of Sets; nil: they are not at hand, but those of some set are
	Sets  []Set          // that came into force by themselves, the oldest first; nil: Rules decide all
	Zone  *time.Location // the county's
	Runs  []Run          // of a Survey of the same records
	Lanes []gate.Lane    // of the gate; nil: as the Runs say
	// From is when deciding again begins. What passed before counts as it was recorded.
	// Zero: with the first record.
	From time.Time
	// Recorded lets what was recorded count as having passed after each restart, as at the
	// gate; false: what is decided now.
	Recorded bool
	// Unlisted says that the rules' roster is what People found out: a passage that days,
	// purpose or uses of its card decided counts as it was recorded.
	Unlisted bool
}

// Outcome is a verdict that was recorded, and what is decided now on the same readings.
type Outcome struct {
	Seq     uint64        // of the recorded passage; 0: there is none
	At      time.Time     // when it was recorded; without a record, when it is decided now
	Was     *wire.Passage // nil: none was recorded
	Is      *wire.Passage // nil: none is given now
	Missing uint64        // seq of a reading that is not among the records; 0: none, or it was never asked for
	// Replaced says of a verdict that is on one side only that a later one replaced it
	// there: what was decided about the person in the end is another outcome.
	Replaced bool
	Cut      bool // the agent ended before it could record the verdict of Is
	Unruled  bool // it is not decided again: the rules of then are not at hand
}

// Replay decides the readings of one journal again. It is for one goroutine.
type Replay struct {
	cfg  Config
	tell func(Outcome)

	gate    *gate.Gate // nil: deciding has not begun
	queue   queue
	now     clock.Moment  // of the newest record that was taken out of the queue
	decided time.Duration // boot clock of the newest reading that the gate has taken
	bootID  string
	sure    bool // the wall clock was known to be right when the newest record was made
	unruled bool // the rules in force are not at hand

	past    past
	pending pending
	rolled  rolled
}

// New returns a replay that tells each outcome, in about the order of time.
func New(cfg Config, tell func(Outcome)) *Replay {
	r := &Replay{cfg: cfg, tell: tell, past: past{rules: cfg.Rules, zone: cfg.Zone, pruneAt: pruneLeast}}
	r.past.old = memories(cfg)
	r.unruled = cfg.Rules == nil
	if r.unruled {
		r.cfg.Rules, r.past.rules = r.past.any(), r.past.any()
	}
	return r
}

// before is how much earlier than From deciding begins: a value can be entered for a
// visit of ten minutes ago.
const before = 15 * time.Minute

// Take takes the next record of the journal. Kinds that the gate does not ask for change
// nothing.
func (r *Replay) Take(rec wire.Record, body wire.Body) {
	switch b := body.(type) {
	case *wire.Clock, *wire.Reading, *wire.Passage, *wire.Health, *wire.Audit, *wire.Alarm, *wire.Baseline,
		*wire.FieldCheck:
		for _, x := range r.queue.add(rec, b) {
			r.item(x)
		}
	}
}

// End decides what is left. Visits that were open at the last record stay undecided, as
// they were then.
func (r *Replay) End() {
	for _, x := range r.queue.rest() {
		r.item(x)
	}
	r.settle(r.pending.all())
}

// item does what one record, or the coming of a person, means.
func (r *Replay) item(x item) {
	if c, is := x.body.(*wire.Clock); is {
		r.clock(x, c)
		return
	}
	b, isReading := x.body.(*wire.Reading)
	switch began := r.gate != nil; {
	case isReading && b.BootID != r.bootID: // the record of the start is not there
		r.bootID = b.BootID
		if began || r.due(x) {
			r.begin(x)
		}
	case !began && r.due(x):
		r.begin(x)
	}
	r.now, r.sure = x.moment(), !x.rec.Unsync
	if isReading && r.cfg.Rules.Baseline != nil {
		r.past.input(x, r.bootID)
	}
	switch b := x.body.(type) {
	case *wire.Audit:
		r.apply(x)
	case *wire.Alarm, *wire.Baseline, *wire.FieldCheck:
		r.input(x)
	case *wire.Passage:
		if r.gate == nil {
			r.past.passage(x, r.bootID, b)
		}
	}
	if r.gate != nil {
		r.do(x)
	}
}

// due reports whether deciding begins with a record.
func (r *Replay) due(x item) bool { return !x.rec.At.Before(r.cfg.From.Add(-before)) }

// do lets the gate do what an item means.
func (r *Replay) do(x item) {
	switch b := x.body.(type) {
	case nil:
		r.emit(r.gate.Tick(x.moment()))
		r.gate.Begun(x.moment(), x.device)
	case *wire.Reading:
		r.reading(x, b)
	case *wire.Passage:
		r.passage(x, b)
	case *wire.Health:
		r.tick(x.boot)
		r.past.event(r.bootID, event{at: x.moment(), device: b.Device, works: b.State == fact.DeviceOK})
		r.emit(r.gate.SetWorks(b.Device, b.State == fact.DeviceOK))
	case *wire.Audit:
		r.audit(x, b)
	}
	r.settle(r.pending.due(x.boot))
}

// audit takes what the guard did.
func (r *Replay) audit(x item, b *wire.Audit) {
	r.tick(x.boot)
	if b.Episode != "" {
		r.past.event(r.bootID, event{at: x.moment(), again: b})
		_ = r.gate.Retest(x.moment(), b.Lane, b.Episode) // by other rules there may be no such episode
	}
	if readings := r.past.readings(b.Passage); readings != nil {
		r.past.event(r.bootID, event{at: x.moment(), answered: readings})
		r.gate.Answered(readings)
	}
}

// clock takes a start of the agent, or what is known of the time.
func (r *Replay) clock(x item, c *wire.Clock) {
	r.past.clock(x, c.BootID)
	start := c.Reason == "start" || c.BootID != r.bootID
	r.bootID = c.BootID
	r.now, r.sure = x.moment(), !x.rec.Unsync
	if start && r.gate != nil {
		r.begin(x)
	}
}

// reading decides on a reading.
func (r *Replay) reading(x item, b *wire.Reading) {
	r.decided = max(r.decided, time.Duration(b.BootNS))
	at := x.moment().Add(r.decided - x.boot)
	r.gate.SetSynchronised(x.moment(), !x.rec.Unsync)
	r.past.event(r.bootID, event{at: at, seq: x.rec.Seq, reading: b})
	r.pending.seen(x.rec.Seq)
	r.emit(r.gate.Observe(at, x.rec.Seq, *b))
}

// passage takes what was decided then. A passage that no reading caused says until when
// the gate had waited.
func (r *Replay) passage(x item, p *wire.Passage) {
	if p.Override != nil {
		r.override(x, p)
		return
	}
	if p.LatencyUS == 0 {
		r.decided = max(r.decided, x.boot)
		r.emit(r.gate.Tick(x.moment()))
	}
	missing := r.pending.missing(p.Readings)
	over := r.rolled.over(p.Credential, x.rec.At.Time, r.cfg.Rules.Reach())
	unlisted := r.cfg.Unlisted && (over || byRoster(r.cfg.Rules.Policy, p))
	kept := missing != 0 || unlisted || r.unruled // not decided again
	counts := kept || x.rec.At.Before(r.cfg.From) // as it was recorded
	if r.cfg.Recorded || counts {
		r.past.passage(x, r.bootID, p)
	}
	if kept {
		r.gate.Answered(p.Readings) // it is over
		r.pending.drop(p.Readings)
	}
	if counts {
		r.gate.Remember(gate.Earlier{At: x.rec.At.Time, Synchronised: !x.rec.Unsync, Boot: x.boot, Passage: p})
	}
	r.past.note(x.rec.Seq, p.Readings)
	switch {
	case r.unruled:
		r.report(Outcome{Seq: x.rec.Seq, At: x.rec.At.Time, Was: p, Unruled: true})
	case missing != 0:
		r.report(Outcome{Seq: x.rec.Seq, At: x.rec.At.Time, Was: p, Missing: missing})
	case unlisted:
		r.report(Outcome{Seq: x.rec.Seq, At: x.rec.At.Time, Was: p, Is: p})
	default:
		r.pending.was(x, p)
		r.settle(r.pending.matched())
	}
}

// tick ends the visits that were over at a time on the boot clock.
func (r *Replay) tick(boot time.Duration) {
	for next, open := r.gate.Next(); open && next <= boot; next, open = r.gate.Next() {
		events := r.gate.Tick(r.now.Add(next - r.now.Boot))
		r.emit(events)
		if after, still := r.gate.Next(); still && after <= next {
			return // it waits for something else
		}
	}
}

// emit keeps what is decided now until the record of it comes.
func (r *Replay) emit(events []gate.Event) {
	if r.unruled {
		return
	}
	for _, e := range events {
		p := e.Passage
		if !r.cfg.Recorded && !r.now.Wall.Before(r.cfg.From) {
			r.past.decided(r.now, r.sure, r.bootID, &p)
		}
		r.pending.is(r.now, &p)
	}
	r.settle(r.pending.matched())
}

func (r *Replay) settle(outcomes []Outcome) {
	for _, o := range outcomes {
		r.report(o)
	}
}

// report tells an outcome, unless it is of before From.
func (r *Replay) report(o Outcome) {
	if !o.At.Before(r.cfg.From) {
		if o.Was != nil && r.cfg.Rules.Renamed() {
			o.Was = new(engine.Named(r.cfg.Rules, *o.Was))
		}
		r.tell(o)
	}
}
