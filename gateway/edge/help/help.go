package help

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
)

// part is the name on the board.
const part = "help"

const (
	turnEvery   = time.Second
	refusedFor  = 10 * time.Minute // after which a refused message of the desk is said no more
	afterFailed = time.Minute      // after which a file that could not be written is tried again
)

// Journal keeps records.
type Journal interface {
	// TryAppend records a body, or returns an error.
	TryAppend(now clock.Moment, body wire.Body) (seq uint64, err error)
}

// Options of a Help.
type Options struct {
	County, Agent string

	Collector ed25519.PublicKey // signs what the desk says
	Contacts  []Contact
	File      string // where the last message of the desk is kept
	Journal   Journal
	Board     *status.Board
	Clock     clock.Source
	Log       *slog.Logger
}

// Help keeps the calls of one gate. Its methods may be called from any goroutine, except
// Remember, which is called before Run.
type Help struct {
	opts     Options
	contacts []status.Contact

	mu      sync.Mutex
	book    book
	refused string        // why the last message of the desk was not heard
	at      time.Duration // boot clock: when
	count   uint64        // of refused messages
	kept    bool          // the last message is in the file
	tried   time.Duration // boot clock: when it was last tried to write it
}

// New makes a Help, and reads the last message of the desk.
func New(opts Options) *Help {
	h := &Help{opts: opts, kept: true}
	h.contacts = listed(opts.Contacts)
	payload, err := os.ReadFile(opts.File)
	if err == nil {
		var d wire.Desk
		if d, err = h.read(payload); err == nil {
			h.book.hear(d)
		}
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		opts.Log.Warn("what the desk said last can't be read; it says it again", "file", opts.File, "err", err)
	}
	h.post(opts.Clock.Now())
	return h
}

// listed returns contacts in the order in which the screen lists them.
func listed(contacts []Contact) (out []status.Contact) {
	for _, r := range fact.Roles() {
		if i := slices.IndexFunc(contacts, func(c Contact) bool { return c.Role == r }); i >= 0 {
			out = append(out, status.Contact(contacts[i]))
		}
	}
	return out
}

// SetContacts lists other offices from now on.
func (h *Help) SetContacts(contacts []Contact) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.contacts = listed(contacts)
	h.post(h.opts.Clock.Now())
}

// read returns a message of the desk that is for this gate.
func (h *Help) read(payload []byte) (d wire.Desk, err error) {
	if len(payload) > wire.MaxDeskBytes {
		return d, fmt.Errorf("it has %d bytes, and may have %d", len(payload), wire.MaxDeskBytes)
	}
	if d, err = wire.Decode[wire.Desk](payload); err != nil {
		return d, err
	}
	if err := wire.VerifyDesk(d, h.opts.County, h.opts.Agent, h.opts.Collector); err != nil {
		return d, err
	}
	return d, d.Check()
}

// Remember takes over a record of a call from an earlier run of the agent.
func (h *Help) Remember(now clock.Moment, rec wire.Record, al *wire.Alarm) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.book.take(rec.At.Time, earlier(now, rec.At.Time), al)
}

// Call asks the county for a role, about the passage with this seq; 0: about none. It returns
// when the journal holds that. A call that has not ended is not made twice.
func (h *Help) Call(_ context.Context, r fact.Role, passage uint64) error {
	if !r.Valid() {
		return fmt.Errorf("nobody can call %q", r)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.opts.Clock.Now()
	raise, over := h.book.ask(r, passage)
	if raise == nil {
		return nil
	}
	if over != "" {
		if err := h.keep(now, h.book.clear(over, "too many calls")); err != nil {
			return err
		}
	}
	err := h.keep(now, raise)
	h.post(now)
	return err
}

// End ends a call; how is the action help-arrived or help-reached. It returns when the journal
// holds that; ok is false when there is no such call.
func (h *Help) End(_ context.Context, id, how string) (ok bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.opts.Clock.Now()
	audit, clear := h.book.end(cmp.Or(h.opts.Board.Snapshot().Post.On, post.Anybody), id, how)
	if clear == nil {
		return false, nil
	}
	// The audit comes before the end: it is about a call that has not ended.
	if _, err := h.opts.Journal.TryAppend(now, audit); err != nil {
		return true, fmt.Errorf("keep how a call has ended: %w", err)
	}
	err = h.keep(now, clear)
	h.post(now)
	return true, err
}

// keep journals a record of a call. The caller holds mu.
func (h *Help) keep(now clock.Moment, al *wire.Alarm) error {
	if _, err := h.opts.Journal.TryAppend(now, al); err != nil {
		return fmt.Errorf("keep a call: %w", err)
	}
	h.book.take(now.Wall, now, al)
	return nil
}

// Hear takes what was published as a message of the desk.
func (h *Help) Hear(payload []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.opts.Clock.Now()
	d, err := h.read(payload)
	switch {
	case err != nil:
		h.refuse(now, err.Error())
	case d.No < h.book.desk.No:
		h.refuse(now, "it is older than what the desk said before")
	case h.book.hear(d):
		h.kept = false // Turn writes it
		h.post(now)
	}
}

// refuse notes that a message is not heard. The caller holds mu.
func (h *Help) refuse(now clock.Moment, why string) {
	h.count++
	h.at = now.Boot
	h.refused = fmt.Sprintf("%d messages in the name of the county's desk were refused: somebody else publishes "+
		"on this gate's topic, or the desk has another key than collector_key; the last: %s", h.count, why)
	h.opts.Log.Warn("a message in the name of the desk is refused: it changes nothing",
		"topic", wire.Topic(h.opts.County, h.opts.Agent, wire.LeafDesk), "err", why)
}

// save writes the last message of the desk to its file, so that a restart without the
// network knows it, and an older one is refused. It waits as long as the disk does.
func (h *Help) save(now clock.Moment) {
	h.mu.Lock()
	d := h.book.desk
	due := !h.kept && (h.tried == 0 || now.Boot-h.tried >= afterFailed)
	if due {
		h.tried = max(now.Boot, 1)
	}
	h.mu.Unlock()
	if !due {
		return
	}
	payload, err := wire.Encode(d)
	if err == nil {
		err = write(h.opts.File, payload)
	}
	if err != nil {
		h.opts.Log.Warn("what the desk says can't be kept; it is tried again", "file", h.opts.File, "err", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = h.book.desk.No == d.No
	h.tried = 0
}

// write replaces a file, at once or not at all.
func write(path string, b []byte) error {
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	return os.Rename(path+".new", path)
}

// post posts how the guard gets somebody. The caller holds mu, or is New.
func (h *Help) post(now clock.Moment) {
	s := h.book.show(now)
	s.Contacts = h.contacts
	if h.count > 0 && now.Boot-h.at < refusedFor {
		s.Refused = h.refused
	}
	h.opts.Board.SetHelp(s)
}

// Run lets time pass until ctx ends.
func (h *Help) Run(ctx context.Context) {
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-turn.C:
			h.Turn(h.opts.Clock.Now())
		}
	}
}

// Turn does what is due every second. Run calls it.
func (h *Help) Turn(now clock.Moment) {
	h.look(now)
	h.save(now)
	h.opts.Board.SetTurned(part, now)
}

// look ends a call that has lasted too long, and posts what time has changed.
func (h *Help) look(now clock.Moment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id := h.book.expired(now); id != "" {
		if err := h.keep(now, h.book.clear(id, "nobody has ended it")); err != nil {
			h.opts.Log.Error("a call that has lasted too long could not be ended; it is tried again", "err", err)
		}
	}
	h.post(now)
}
