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

// Names on the board: of the recorder, and of its goroutine that waits for the disk.
const (
	part     = "recorder"
	partDisk = "disk"
)

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
	// One that is urgent, such as a fever, goes before the others.
	Overtake func(e wire.Entry, urgent bool)
	Clock    clock.Source
	BootID   string // names what the boot clock counts from
	Version  string
	Log      *slog.Logger
}

// Recorder writes the records of one agent. Append and TryAppend may be called
// from any goroutine. Everything else belongs to the goroutine of Run, but for space,
// which belongs to the one of runDisk, and before Run to the one that makes the agent.
type Recorder struct {
	opts    Options
	journal *journal.Journal
	board   *status.Board
	log     *slog.Logger
	alarms  alarms
	clocks  clocks
	space   space
	queue   queue
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
	r.queue.book, r.queue.hears, r.queue.seq = opts.Journal, r, opts.Journal.Last()
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
	if al.Type.Alarm().Posted() {
		lasts := al.Type.Known()
		r.board.Restore(condition(al), lasts && al.State == fact.AlarmRaised)
	}
	if rec.Seq > r.journal.State().Through {
		// The copy is sent with these bytes and this seq.
		e := wire.Entry{Record: wire.Record{Seq: rec.Seq}, Raw: append([]byte(nil), raw...)}
		r.opts.Overtake(e, al.Type.Overtakes())
	}
}

// Begin records that the agent has started. It is called before Run, after what
// earlier runs left has been taken over. The conditions of devices and machines
// for which known returns false end.
func (r *Recorder) Begin(now clock.Moment, known func(device string) bool) {
	r.board.Forget(known)
	if r.board.Detail(fact.AlarmJournalSync) != "" {
		r.space.failedAt = now.Boot
	}
	r.Append(now, &wire.Clock{
		Reason:       "start",
		BootID:       r.opts.BootID,
		Synchronised: r.clocks.synced,
		Version:      r.opts.Version,
	})
	r.raiseAlarms(now)
	r.WatchDisk(now)
	r.board.SetTurned(part, now)
	r.board.SetTurned(partDisk, now)
}

// RaiseAlarms records the alarms of the conditions on the board. The agent calls
// it when it can't start after it has opened the journal, which reports damage
// only once. Run is not called then.
func (r *Recorder) RaiseAlarms(now clock.Moment) { r.raiseAlarms(now) }

// Run watches the clocks and the disk and records alarms until ctx ends. It returns
// when its second goroutine has ended, which alone waits for the disk: the alarm that
// a disk does not answer must not wait for that disk.
func (r *Recorder) Run(ctx context.Context) {
	var disk sync.WaitGroup
	defer disk.Wait()
	disk.Go(func() { r.runDisk(ctx) })
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
		}
	}
}

// Turn does what is due every second, but for the disk. Run calls it.
func (r *Recorder) Turn(now clock.Moment) {
	r.watchClocks(now)
	r.raiseAlarms(now)
	r.board.SetTurned(part, now)
}

// runDisk watches the disk until ctx ends.
func (r *Recorder) runDisk(ctx context.Context) {
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-turn.C:
			now := r.opts.Clock.Now()
			r.WatchDisk(now)
			r.board.SetTurned(partDisk, now)
		case f := <-r.journal.Faults():
			r.diskFailed(r.opts.Clock.Now(), f)
		}
	}
}

// Append journals a body and returns its seq. What the journal can't take is a
// recorded loss, which has the seq that is returned, and a condition until the
// journal works again. While the disk does not answer the record waits in memory,
// and Append returns the seq that it will have.
func (r *Recorder) Append(now clock.Moment, body wire.Body) (seq uint64) {
	seq, _ = r.queue.put(now, body, wantLoss) // never with an error
	return seq
}

// TryAppend journals a body and returns its seq, or the error when the journal
// can't take it: then nothing is recorded.
func (r *Recorder) TryAppend(now clock.Moment, body wire.Body) (seq uint64, err error) {
	if seq, err = r.queue.put(now, body, wantError); err != nil {
		r.log.Error("a record could not be kept", "kind", body.Kind(), "err", err)
	}
	return seq, err
}

// Close returns when everything that was taken is in the journal. Nothing may be
// appended afterwards.
func (r *Recorder) Close() { r.queue.wg.Wait() }

// taken lets an alarm that is in the journal overtake the backlog.
func (r *Recorder) taken(rec wire.Record, body wire.Body) {
	if al, ok := body.(*wire.Alarm); ok {
		if raw, err := wire.EncodeRecord(rec); err == nil {
			r.opts.Overtake(wire.Entry{Record: rec, Raw: raw}, al.Type.Overtakes())
		} else {
			r.log.Error("encode an alarm to overtake the backlog", "seq", rec.Seq, "err", err)
		}
	}
}

// lost takes note of a record that the journal did not take.
func (r *Recorder) lost(seq uint64, body wire.Body, err error) {
	if errors.Is(err, journal.ErrShed) && (body.Kind() == wire.KindHealth || body.Kind() == wire.KindTrack) {
		return // in the stated order; journal-disk-low says so
	}
	r.log.Error("a record could not be kept; it is a recorded hole", "kind", body.Kind(), "seq", seq, "err", err)
	r.board.Set(status.Condition{Type: fact.AlarmJournalWrite, Detail: "records can't be kept: " + err.Error()})
}

// hangs takes note that the journal's disk does not answer.
func (r *Recorder) hangs() {
	r.log.Error("the journal's disk does not answer; records wait in memory, and the gate goes on", "after", patience)
	r.board.Set(status.Condition{Type: fact.AlarmJournalWrite,
		Detail: "the disk does not answer, records wait in memory: look whether it is worn out"})
}

// works takes note that the journal has taken everything.
func (r *Recorder) works() { r.board.Clear(fact.AlarmJournalWrite, "") }
