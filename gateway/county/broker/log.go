package broker

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// logger passes nats-server's log on to slog. Notices of nats-server concern its
// start and end; they are logged at level debug.
type logger struct {
	log     *slog.Logger
	store   *storeWatch
	remotes *remotes
	mu      sync.Mutex
	err     error // the first fatal error: nats-server reports those in no other way
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

// ofClients are errors of single clients, which the proxy logs with more detail.
var ofClients = []string{"character not supported for MQTT topics", "unacceptable protocol version of 5"}

// Errorf logs an error.
func (l *logger) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	level := slog.LevelError
	if slices.ContainsFunc(ofClients, func(fault string) bool { return strings.Contains(text, fault) }) {
		level = slog.LevelDebug
	}
	l.log.Log(context.Background(), level, "broker: "+l.remotes.name(text))
	l.store.observe(time.Now(), text)
}

// Warnf logs a warning.
func (l *logger) Warnf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Warn("broker: " + l.remotes.name(text))
	l.store.observe(time.Now(), text)
}

// Noticef logs a detail.
func (l *logger) Noticef(format string, v ...any) {
	l.log.Debug("broker: " + l.remotes.name(fmt.Sprintf(format, v...)))
}

// Debugf is never called: SetLogger turns these off.
func (*logger) Debugf(string, ...any) {}

// Tracef is never called.
func (*logger) Tracef(string, ...any) {}
