package complaint

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// names returns the attributes that say who complains, in the order in which they
// are looked for.
func names() []string {
	return []string{"machine", "device", "reader", "port", "source", "link", "agent", "topic", "broker",
		"remote", "address"}
}

const look = 2 * time.Second // between looks for lines that are due

// Handler passes records on to another handler, and groups those of level Warn that
// name who complains with one of the attributes machine, device, reader, port,
// source, link, agent, topic, broker, remote or address. Two such records are the
// same complaint when message and attribute are equal; of remote the host counts.
// Records of other levels, and those that name nobody, pass.
type Handler struct {
	next slog.Handler
	who  string // from WithAttrs
	log  *shelf
}

// shelf is what a handler and those derived from it share.
type shelf struct {
	mu    sync.Mutex // guards book
	book  Book
	out   slog.Handler
	stop  chan struct{}
	done  chan struct{}
	ended sync.Once
}

// NewHandler returns a handler in front of next. Close ends the goroutine that
// writes what is due.
func NewHandler(next slog.Handler) *Handler {
	s := &shelf{out: next, stop: make(chan struct{}), done: make(chan struct{})}
	go s.run()
	return &Handler{next: next, log: s}
}

// Close writes what has been counted and not said yet, and returns when it is written.
// Records that come later pass ungrouped.
func (h *Handler) Close() {
	h.log.ended.Do(func() { close(h.log.stop) })
	<-h.log.done
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{next: h.next.WithAttrs(attrs), who: first(h.who, attrs), log: h.log}
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{next: h.next.WithGroup(name), who: h.who, log: h.log}
}

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level != slog.LevelWarn {
		return h.next.Handle(ctx, r)
	}
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	who := first(h.who, attrs)
	if who == "" || h.log.note(Kind{Message: r.Message, Who: who}, said(attrs)) {
		return h.next.Handle(ctx, r)
	}
	return nil
}

// first returns who is named by the attributes; of several names the first in the
// order of names counts. Without one it returns known.
func first(known string, attrs []slog.Attr) string {
	for _, name := range names() {
		i := slices.IndexFunc(attrs, func(a slog.Attr) bool { return a.Key == name })
		if i < 0 {
			continue
		}
		v := attrs[i].Value.String()
		if host, _, err := net.SplitHostPort(v); err == nil && name == "remote" {
			v = host
		}
		return name + "=" + v
	}
	return known
}

// said returns what a record says of its complaint: its error, or its reason.
func said(attrs []slog.Attr) string {
	for _, name := range []string{"err", "reason", "detail", "what"} {
		for _, a := range attrs {
			if a.Key == name {
				return a.Value.String()
			}
		}
	}
	return ""
}

// note counts a complaint and reports whether it is to be said at once.
func (s *shelf) note(k Kind, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.stop:
		return true
	default:
		return s.book.Note(time.Now(), k, text)
	}
}

func (s *shelf) run() {
	defer close(s.done)
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			s.mu.Lock()
			lines := s.book.End(time.Now())
			s.mu.Unlock()
			s.say(lines)
			return
		case <-tick.C:
			s.mu.Lock()
			lines := s.book.Due(time.Now())
			s.mu.Unlock()
			s.say(lines)
		}
	}
}

// say writes lines.
func (s *shelf) say(lines []Line) {
	for _, l := range lines {
		text := l.Message
		if l.Shared {
			text = "further complaints, of more than can be told apart"
		}
		if l.Ended {
			text += " (has ended)"
		} else {
			text += " (goes on)"
		}
		r := slog.NewRecord(time.Now(), slog.LevelWarn, text, 0)
		if name, value, _ := strings.Cut(l.Who, "="); !l.Shared {
			r.AddAttrs(slog.String(name, value))
		}
		r.AddAttrs(slog.Int("count", l.Count), slog.Time("first", l.First), slog.Time("last", l.Last))
		if l.Newest != "" {
			r.AddAttrs(slog.String("newest", l.Newest))
		}
		_ = s.out.Handle(context.Background(), r) // as slog does: nobody could be told
	}
}
