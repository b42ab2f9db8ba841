package systemd

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/journal"
)

// Journal reports whether what is written to w comes into systemd's journal: w is standard
// error, and systemd has connected it.
func Journal(w io.Writer) bool {
	if f, ok := w.(*os.File); !ok || f.Fd() != os.Stderr.Fd() {
		return false
	}
	yes, err := journal.StderrIsJournalStream()
	return yes && err == nil
}

// The prefixes by which the journal knows the priority of a line (sd-daemon(3)).
const (
	prefixError = "<3>"
	prefixWarn  = "<4>"
	prefixInfo  = "<6>"
	prefixDebug = "<7>"
)

func prefix(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return prefixError
	case l >= slog.LevelWarn:
		return prefixWarn
	case l >= slog.LevelInfo:
		return prefixInfo
	}
	return prefixDebug
}

// Errors returns text so that each of its lines is an error in the journal.
func Errors(text string) string {
	var out bytes.Buffer
	for l := range bytes.Lines([]byte(text)) {
		out.WriteString(prefixError)
		out.Write(l)
	}
	return out.String()
}

// handler writes lines with priorities, and without the time and the level, which the
// journal has itself.
type handler struct{ by map[string]slog.Handler } // by prefix

// prefixed puts a prefix before what is written at once.
type prefixed struct {
	prefix string
	w      io.Writer
}

// Write implements io.Writer.
func (p prefixed) Write(b []byte) (int, error) {
	if _, err := p.w.Write(append([]byte(p.prefix), b...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// NewHandler returns a handler that writes to w lines as systemd's journal wants them. Each
// record is one call of w.Write, which may come from several goroutines at once.
func NewHandler(w io.Writer, level slog.Leveler) slog.Handler {
	h := handler{map[string]slog.Handler{}}
	for _, prefix := range []string{prefixError, prefixWarn, prefixInfo, prefixDebug} {
		h.by[prefix] = slog.NewTextHandler(prefixed{prefix, w}, &slog.HandlerOptions{Level: level, ReplaceAttr: short})
	}
	return h
}

// short leaves out the level of a record.
func short(groups []string, a slog.Attr) slog.Attr {
	if _, level := a.Value.Any().(slog.Level); level && len(groups) == 0 && a.Key == slog.LevelKey {
		return slog.Attr{}
	}
	return a
}

// Enabled implements slog.Handler.
func (h handler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.by[prefix(l)].Enabled(ctx, l)
}

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	r.Time = time.Time{} // which is left out
	return h.by[prefix(r.Level)].Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.each(func(one slog.Handler) slog.Handler { return one.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	return h.each(func(one slog.Handler) slog.Handler { return one.WithGroup(name) })
}

func (h handler) each(do func(slog.Handler) slog.Handler) slog.Handler {
	out := handler{map[string]slog.Handler{}}
	for prefix, one := range h.by {
		out.by[prefix] = do(one)
	}
	return out
}
