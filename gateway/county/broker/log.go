package broker

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// logger hands nats-server's log to slog. What nats-server calls notices are
// details of its start and end here.
type logger struct {
	log  *slog.Logger
	sick *sick
	mu   sync.Mutex
	err  error // the first fatal error: nats-server reports those in no other way
}

// fatal returns the error that kept the server from starting, or nil.
func (l *logger) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Fatalf keeps the error for Start to return; it never ends the process.
func (l *logger) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = fmt.Errorf(format, v...)
	}
}

// Errorf logs an error.
func (l *logger) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Error("broker: " + text)
	l.sick.hear(time.Now(), text)
}

// Warnf logs a warning.
func (l *logger) Warnf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Warn("broker: " + text)
	l.sick.hear(time.Now(), text)
}

// Noticef logs a detail.
func (l *logger) Noticef(format string, v ...any) {
	l.log.Debug("broker: " + fmt.Sprintf(format, v...))
}

// Debugf is never called: the server is told so.
func (*logger) Debugf(string, ...any) {}

// Tracef is never called.
func (*logger) Tracef(string, ...any) {}
