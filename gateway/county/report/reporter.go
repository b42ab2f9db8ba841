package report

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/county/reckon"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// reporter is one machine that reports by itself.
type reporter struct {
	cfg machine.Config
	ledger
	arrived time.Time // when its last report arrived: no two arrive at the same moment
	stream  stream
	state   state
	stored  mark // of state, as the index has it
	again   again
	offset  time.Duration // of its clock, as it was last complained of

	volume volume
	open   atomic.Bool // a run is, after the last turn; read by others
}

// ledger is what is known of the machine's journal.
type ledger struct {
	jid     string
	lastSeq uint64    // the highest that was ever used, also if the store has lost it
	lastAt  time.Time // of its last record: times strictly rise
	// compared is the store's term at which what the store has was last compared with
	// the index.
	compared uint64
}

// volume is the counter in reports without a time: its newest value, and a lower one
// that was taken for that of a repeat.
type volume struct{ newest, back *float64 }

// again is how runs were last found again.
type again struct {
	at   time.Time
	cost int // reports that were read
}

// stream is what was observed of a machine's reports, in the order of their times.
type stream struct {
	timing   timing
	counts   counts
	fuser    runs.Fuser
	runs     *machine.Recorder
	observed time.Duration // T of the newest sample
	newest   kept          // the report of that sample
	apart    time.Duration // between the arrivals of the last two
	held     bool          // its command may hold although it is not repeated
	ended    string        // the id of the open run, when it was recorded as closed
}

// state is what is known of a machine's stream beside its reports. It is kept in the
// index.
type state struct {
	Clock reckon.Clock
	Moved time.Time // reports that arrived then or later have moved; zero: none has
	Late  []span    // where reports came late: runs there are to be found again
}

// mark is what changes in a state that must be kept before reports are stored.
type mark struct {
	since, moved time.Time
	offset       time.Duration
	settled      bool
	late         string
}

func (s *state) mark() mark {
	return mark{s.Clock.Since, s.Moved, s.Clock.Offset, s.Clock.Settled, fmt.Sprint(s.Late)}
}

// JID returns the id of the journal that the collector keeps of a machine which
// reports by itself: the same in every run of the county. Unlike an agent's, its
// records can't be sent again.
func JID(county, machine string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(wire.Topic(county, machine, wire.LeafReport))).String()
}

// reporter returns the machine of an id. When it is asked for the first time it
// is restored from what is stored.
func (t *Taker) reporter(ctx context.Context, id string) (*reporter, error) {
	t.mu.Lock()
	m := t.machines[id]
	t.mu.Unlock()
	if m != nil {
		return m, nil
	}
	m = &reporter{cfg: machine.Config{Machine: id, Name: id, Type: "machine"},
		ledger: ledger{jid: JID(t.opts.County, id)}}
	for _, c := range t.opts.Machines {
		if c.Machine == id {
			m.cfg = c.Config
			m.cfg.Holds = cmp.Or(c.Holds, c.holds())
		}
	}
	var err error
	if m.lastSeq, err = t.index.catchUp(ctx, t.opts.Now(), t.opts.Store, id, m.jid); err != nil {
		return nil, err
	}
	if err := t.restore(ctx, m); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.machines) >= mostMachines {
		t.forget()
	}
	t.machines[id] = m
	return m, nil
}

// restore observes again the reports since the open run began, or since some time
// before the newest one.
func (t *Taker) restore(ctx context.Context, m *reporter) (err error) {
	if m.state, err = t.index.state(ctx, m.cfg.Machine); err != nil {
		return err
	}
	m.stored = m.state.mark()
	m.stream = newStream(m.cfg)
	newest, ok, err := t.index.newest(ctx, m.cfg.Machine)
	if err != nil || !ok {
		return err
	}
	from := newest.Add(-m.pause() - time.Hour)
	open, err := t.index.open(ctx, m.cfg.Machine)
	if err != nil {
		return err
	}
	if open != nil && open.Start.Add(-time.Minute).Before(from) {
		from = open.Start.Add(-time.Minute)
	}
	reports, err := t.index.tracks(ctx, m.cfg.Machine, from, newest)
	if err != nil {
		return err
	}
	for _, k := range m.stream.arrange(reports) {
		m.stream.observe(k) // the records of it are stored
		m.arrived = later(m.arrived, k.arrived())
	}
	if found, _ := m.stream.runs.Open(); found && (open == nil || open.ID != m.stream.runs.Run().ID) {
		m.stream.ended = m.stream.runs.Run().ID
	}
	m.turned()
	return nil
}

// mostMachines is how many machines are in memory: somebody may invent ids.
const mostMachines = 2000

// forget removes a machine from memory that has no open run; when it reports again it
// is restored. The caller holds the lock.
func (t *Taker) forget() {
	for id, m := range t.machines {
		if !m.open.Load() {
			delete(t.machines, id)
			return
		}
	}
}

// remember keeps a machine in memory that was forgotten while its messages were taken,
// when it has an open run now: nobody else would end that.
func (t *Taker) remember(m *reporter) {
	if !m.open.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.machines[m.cfg.Machine] = m
}

func newStream(cfg machine.Config) stream {
	return stream{runs: machine.NewRecorder(cfg, wire.SourceReport),
		fuser: runs.Fuser{Fresh: machine.Fresh(wire.SourceReport), Holds: cfg.Holds}}
}

// pause returns how far apart two runs are at least.
func (m *reporter) pause() time.Duration {
	if m.cfg.Pause > 0 {
		return m.cfg.Pause
	}
	return 15 * time.Minute // the default of package runs
}

// turned is called when something was done for the machine.
func (m *reporter) turned() {
	open, _ := m.stream.runs.Open()
	m.open.Store(open && m.stream.ended == "" || len(m.state.Late) > 0 || !m.state.Moved.IsZero())
}

// pass observes reports whose times are known. Those that are older than what was
// observed are noted: runs around them are found again later, many at once.
func (m *reporter) pass(reports []kept) (out []wire.Body) {
	for _, k := range reports {
		if time.Duration(k.at.UnixNano()) < m.stream.observed {
			m.state.Late = include(m.state.Late, k.at, m.pause())
			continue
		}
		out = append(out, m.stream.observe(k)...)
	}
	return out
}

// tick is called every second, and returns the records that time makes.
func (m *reporter) tick(now time.Time) []wire.Body {
	out := m.pass(m.stream.timing.expire(now.Add(-patience)))
	return append(out, m.stream.end(now, m.pause())...)
}
