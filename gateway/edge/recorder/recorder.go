// Package recorder writes an agent's journal for the parts that have something
// to record: what becomes of a record that a full or failing disk does not take,
// which conditions on the board become alarm records, and what the journal must
// know of the clocks.
package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// part is the recorder's name on the board.
const part = "recorder"

const (
	turnEvery = time.Second
	// longestWait bounds how long a part can have waited for another one to write;
	// a boot clock that is further behind is another one.
	longestWait = time.Minute
)

// Options of a recorder.
type Options struct {
	Journal *journal.Journal
	Board   *status.Board
	// Overtake sends an alarm record ahead of the backlog. It must not wait.
	Overtake func(e wire.Entry, fever bool)
	Clock    clock.Source
	BootID   string // names what the boot clock counts from
	Version  string
	Log      *slog.Logger
}

// Recorder writes the records of one agent. Append and TryAppend may be called
// from any goroutine. Everything else belongs to the goroutine of Run, and
// before Run to the one that makes the agent.
type Recorder struct {
	opts    Options
	journal *journal.Journal
	board   *status.Board
	log     *slog.Logger
	alarms  alarms
	clocks  clocks
	disk    disk

	mu   sync.Mutex    // orders the records
	last time.Duration // boot clock of the newest one
}

// New makes a recorder; report is what the journal found when it was opened.
func New(opts Options, report journal.Report) *Recorder {
	now := opts.Clock.Now()
	r := &Recorder{
		opts:    opts,
		journal: opts.Journal,
		board:   opts.Board,
		log:     opts.Log,
		alarms:  newAlarms(),
		clocks:  clocks{shift: shift(now), synced: opts.Clock.Synchronised(), syncedAt: now.Boot},
	}
	r.journal.SetSynced(r.clocks.synced)
	r.opened(report)
	return r
}

// opened logs what the journal found and posts damage as a condition.
func (r *Recorder) opened(rep journal.Report) {
	if rep.NewJID != "" {
		r.log.Info("new journal", "jid", r.journal.JID(), "former", rep.Former, "why", rep.NewJID)
	}
	if rep.StateLost != "" {
		r.log.Warn("the journal no longer knows what was acknowledged; the collector's answer will say",
			"why", rep.StateLost)
	}
	if rep.TornBytes > 0 {
		r.log.Info("the journal's torn end was cut", "bytes", rep.TornBytes)
	}
	damaged := ""
	if len(rep.Damaged) > 0 {
		damaged = fmt.Sprintf("%d damaged ranges, the first: %s", len(rep.Damaged), rep.Damaged[0])
	}
	r.board.Set(status.Condition{Type: fact.AlarmJournalDamaged, Detail: damaged})
}

// Remember takes over an alarm record of an earlier run of the agent; raw are
// the bytes of the record, which are copied. It is called before Begin with each
// of them, in their order. Alarms that the county may not know of overtake the
// backlog again.
func (r *Recorder) Remember(rec wire.Record, raw []byte, al *wire.Alarm) {
	r.alarms.remember(al, rec.Seq, rec.At.Time)
	if al.Type != fact.AlarmFever {
		lasts := al.Type.Known() && !al.Type.Alarm().Happened
		r.board.Restore(condition(al), lasts && al.State == fact.AlarmRaised)
	}
	if rec.Seq > r.journal.State().Through {
		// The copy is sent with these bytes and this seq.
		e := wire.Entry{Record: wire.Record{Seq: rec.Seq}, Raw: append([]byte(nil), raw...)}
		r.opts.Overtake(e, al.Type == fact.AlarmFever)
	}
}

// Begin records that the agent has started. It is called before Run, after what
// earlier runs left has been taken over. The conditions of devices and machines
// for which known returns false end.
func (r *Recorder) Begin(now clock.Moment, known func(device string) bool) {
	r.board.Forget(known)
	if r.board.Detail(fact.AlarmJournalSync) != "" {
		r.disk.failedAt = now.Boot
	}
	r.Append(now, &wire.Clock{
		Reason:       "start",
		BootID:       r.opts.BootID,
		Synchronised: r.clocks.synced,
		Version:      r.opts.Version,
	})
	r.raiseAlarms(now)
	r.watchDisk(now)
	r.board.SetTurned(part, now)
}

// RaiseAlarms records the alarms of the conditions on the board. The agent calls
// it when it can't start after it has opened the journal, which reports damage
// only once. Run is not called then.
func (r *Recorder) RaiseAlarms(now clock.Moment) { r.raiseAlarms(now) }

// Run watches the clocks and the disk and records alarms until ctx ends.
func (r *Recorder) Run(ctx context.Context) {
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-turn.C:
			r.Turn(r.opts.Clock.Now())
		case <-r.board.Troubled():
			r.raiseAlarms(r.opts.Clock.Now())
		case f := <-r.journal.Faults():
			r.diskFailed(r.opts.Clock.Now(), f)
		}
	}
}

// Turn does what is due every second. Run calls it.
func (r *Recorder) Turn(now clock.Moment) {
	r.watchClocks(now)
	r.watchDisk(now)
	r.raiseAlarms(now)
	r.board.SetTurned(part, now)
}

// Append journals a body and returns its seq. What the journal can't take is a
// recorded loss, which has the seq that is returned, and a condition until the
// journal works again.
func (r *Recorder) Append(now clock.Moment, body wire.Body) (seq uint64) {
	seq, err := r.append(now, body)
	if errors.Is(err, journal.ErrShed) && (body.Kind() == wire.KindHealth || body.Kind() == wire.KindTrack) {
		return r.journal.Lose(journal.ReasonDiskFull) // in the stated order; journal-disk-low says so
	}
	if err != nil {
		seq = r.journal.Lose(journal.ReasonDiskFull)
		r.log.Error("a record could not be kept; it is a recorded hole", "kind", body.Kind(), "seq", seq, "err", err)
		r.board.Set(status.Condition{Type: fact.AlarmJournalWrite, Detail: "records can't be kept: " + err.Error()})
		return seq
	}
	r.board.Clear(fact.AlarmJournalWrite, "")
	return seq
}

// TryAppend journals a body and returns its seq, or the error when the journal
// can't take it: then nothing is recorded.
func (r *Recorder) TryAppend(now clock.Moment, body wire.Body) (seq uint64, err error) {
	if seq, err = r.append(now, body); err != nil {
		r.log.Error("a record could not be kept", "kind", body.Kind(), "err", err)
	}
	return seq, err
}

// append journals a body; an alarm overtakes the backlog.
func (r *Recorder) append(now clock.Moment, body wire.Body) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// The parts read the clock before they wait for each other here. A record
	// must not look as if the clock had been set back.
	if late := r.last - now.Boot; late > 0 && late < longestWait {
		now = now.Add(late)
	}
	r.last = now.Boot
	rec, err := r.journal.Append(now, body)
	if err != nil {
		return 0, err
	}
	if al, ok := body.(*wire.Alarm); ok {
		if raw, err := wire.EncodeRecord(rec); err == nil {
			r.opts.Overtake(wire.Entry{Record: rec, Raw: raw}, al.Type == fact.AlarmFever)
		} else {
			r.log.Error("encode an alarm to overtake the backlog", "seq", rec.Seq, "err", err)
		}
	}
	return rec.Seq, nil
}
