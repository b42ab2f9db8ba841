package report

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Store is what reports need of the county's store.
type Store interface {
	Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error)
	Position(ctx context.Context, jid string) (store.Position, error)
	Quarantine(ctx context.Context, p store.Poison) error
	Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error]
}

// Observer is told what is stored. It must not wait.
type Observer interface {
	Committed(batches []store.Batch)
	// Refused is called with each report that was dropped, why, and how many they
	// are since the start.
	Refused(machine, why string, count uint64)
}

// Options is what a taker is made of.
type Options struct {
	County   string
	Path     string // of its own file
	Machines []Machine
	Store    Store
	Watch    Observer       // may be nil
	Zone     *time.Location // of times that name none
	Now      func() time.Time
	Log      *slog.Logger
}

// Taker takes reports. Its methods may be called from any goroutine.
type Taker struct {
	opts   Options
	book   *book
	topics map[string]mapped

	dropped  atomic.Uint64 // reports, for want of room in quarantine
	mu       sync.Mutex    // guards what follows; one report at a time is committed
	machines map[string]*reporter
}

type mapped struct {
	machine string
	topic   Topic
}

// reporter is one machine.
type reporter struct {
	cfg     machine.Config
	jid     string
	through uint64    // the highest seq that was ever given
	at      time.Time // of its last record: times strictly rise
	tracker *runs.Tracker
	fuser   *runs.Fuser
	pace    pace
	last    time.Duration // T of the newest sample
	newest  *wire.Track   // that it was made of
	told    time.Time     // when its open run was last written
}

const (
	tellEvery = 10 * time.Second
	// quietFor is how long a machine must have said nothing before time alone ends
	// its run: reports that were held up come one after the other, and each may lie
	// more than a pause ago.
	quietFor = 10 * time.Second
	keepFor  = tooLate + 2*24*time.Hour
)

// Open opens the file and notes what the store has and the file has not.
func Open(ctx context.Context, opts Options) (*Taker, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	b, err := openBook(opts.Path)
	if err != nil {
		return nil, fmt.Errorf("open the reports: %w", err)
	}
	t := &Taker{opts: opts, book: b, topics: map[string]mapped{}, machines: map[string]*reporter{}}
	known, err := b.machines(ctx)
	for _, m := range opts.Machines {
		for _, topic := range m.Topics {
			t.topics[topic.Topic] = mapped{m.Machine, topic}
		}
		known = append(known, m.Machine)
	}
	for _, id := range known {
		if err == nil {
			_, err = t.reporter(ctx, id)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the reports: %w", err), b.close())
	}
	return t, nil
}

// Close ends the taker.
func (t *Taker) Close() error { return t.book.close() }

// Filters are the topics to subscribe to.
func (t *Taker) Filters() []string {
	out := []string{wire.Topic(t.opts.County, "+", wire.LeafReport)}
	for topic := range t.topics {
		out = append(out, topic)
	}
	return out
}

// Run closes runs whose machines fell silent, until ctx ends.
func (t *Taker) Run(ctx context.Context) error {
	tick, prune := time.NewTicker(time.Second), time.NewTicker(time.Hour)
	defer tick.Stop()
	defer prune.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			t.Tick(ctx, t.opts.Now())
		case <-prune.C:
			if err := t.book.prune(ctx, t.opts.Now().Add(-keepFor)); err != nil && ctx.Err() == nil {
				t.opts.Log.Error("reports", "err", err)
			}
		}
	}
}

// Tick lets time pass.
func (t *Taker) Tick(ctx context.Context, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.machines {
		var bodies []wire.Body
		for _, p := range m.pace.expire(now.Add(-patience)) {
			bodies = append(bodies, m.observe(p)...)
		}
		if m.newest == nil || now.Sub(received(m.newest)) >= quietFor {
			for _, e := range m.tracker.Tick(time.Duration(now.UnixNano())) {
				bodies = append(bodies, m.cfg.Body(wire.SourceReport, e.Run, fact.RunClosed))
			}
		}
		if len(bodies) > 0 {
			t.keep(ctx, m, now, bodies)
		}
	}
}

// Take keeps a message. It returns true when the broker may forget it: it is
// stored, or in quarantine, or was here before.
func (t *Taker) Take(ctx context.Context, m mqtt.Message) bool {
	now := t.opts.Now()
	id, r, err := t.decode(m)
	if err != nil {
		return t.quarantine(ctx, store.Poison{At: now, Agent: id, Topic: m.Topic, Reason: err.Error(), Raw: m.Payload})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var rep *reporter
	if !t.retry(ctx, func() (err error) { rep, err = t.reporter(ctx, id); return err }) {
		return false
	}
	track := t.track(id, r, m.Payload, now)
	var seen bool
	if !t.retry(ctx, func() (err error) { seen, err = t.book.seen(ctx, track); return err }) {
		return false
	}
	if seen {
		return true
	}
	return t.keepReport(ctx, rep, now, track)
}

// quarantine keeps a report that can't be read. Beyond its machine's share it is
// dropped, which is counted and told: the broker would send it again for ever.
func (t *Taker) quarantine(ctx context.Context, p store.Poison) bool {
	full := false
	kept := t.retry(ctx, func() error {
		err := t.opts.Store.Quarantine(ctx, p)
		if full = errors.Is(err, store.ErrShare); full {
			return nil
		}
		return err
	})
	switch n := t.dropped.Load(); {
	case full:
		n = t.dropped.Add(1)
		if n == 1 || n%1000 == 0 {
			t.opts.Log.Error("a report that can't be read was dropped: its machine's share of the quarantine is full",
				"topic", p.Topic, "dropped", n)
		}
		if t.opts.Watch != nil {
			t.opts.Watch.Refused(p.Agent, "its share of the quarantine is full of reports that can't be read", n)
		}
	case kept && n == 0:
		t.opts.Log.Warn("report put into quarantine", "topic", p.Topic, "reason", p.Reason)
	}
	return kept
}

// decode finds the machine and what it says.
func (t *Taker) decode(m mqtt.Message) (machine string, r wire.Report, err error) {
	if to, ok := t.topics[m.Topic]; ok {
		r, err = to.topic.decode(m.Payload, t.opts.Zone)
		return to.machine, r, err
	}
	_, id, leaf, ok := wire.ParseTopic(m.Topic)
	if !ok || leaf != wire.LeafReport || id == wire.CollectorID {
		return "", r, errors.New("the topic is not of this contract")
	}
	if len(m.Payload) > maxReport {
		return id, r, fmt.Errorf("a report of %d bytes is larger than %d", len(m.Payload), maxReport)
	}
	r, err = decode(m.Payload)
	return id, r, err
}

// maxReport is how large a report may be, bytes: its record holds it as text.
const maxReport = 40 << 10

// track makes the record's body of a report.
func (t *Taker) track(id string, r wire.Report, payload []byte, now time.Time) *wire.Track {
	at, wrong := when(r, now)
	track := &wire.Track{Machine: id, Source: wire.SourceReport, At: wire.At(at), Received: new(wire.At(now)), BadClock: wrong, Import: r.Import}
	var bad []error
	track.Points, bad = points(r)
	if len(bad) > 0 {
		t.opts.Log.Warn("a report says what can't be true", "machine", id, "what", bad[0], "more", len(bad)-1)
	}
	if r.Import != nil {
		track.Source = wire.SourceImport
	} else {
		track.Raw = string(payload)
	}
	return track
}

// keepReport commits a report with the runs that it makes.
func (t *Taker) keepReport(ctx context.Context, m *reporter, now time.Time, track *wire.Track) bool {
	bodies := []wire.Body{track}
	switch {
	case track.Import != nil:
		run, err := t.imported(ctx, m, track)
		if err != nil {
			t.opts.Log.Error("an imported file", "machine", track.Machine, "err", err)
			return false
		}
		if run != nil {
			bodies = append(bodies, run)
		}
	default:
		for _, p := range m.pace.take(track) {
			if time.Duration(p.at.UnixNano()) >= m.last {
				bodies = append(bodies, m.observe(p)...)
				continue
			}
			late, err := t.late(ctx, m, track)
			if err != nil {
				t.opts.Log.Error("a late report", "machine", track.Machine, "err", err)
				return false
			}
			bodies = append(bodies, late...)
			break // it was arranged with all the others
		}
	}
	return t.keep(ctx, m, now, bodies)
}

// retry does what until it succeeds; false when ctx ended before.
func (t *Taker) retry(ctx context.Context, what func() error) bool {
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 30*time.Second) {
		err := what()
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		t.opts.Log.Error("a report can't be kept yet; the broker is not told", "err", err, "next", pause)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}
