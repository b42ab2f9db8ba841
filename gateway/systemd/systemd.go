// Package systemd tells the service manager how this process is, and writes the log as
// systemd's journal wants it. Without systemd it does nothing.
//
// The manager restarts a service that does not confirm in time that it is alive
// (WatchdogSec). This confirms only what it has looked at: that the work itself goes on, and
// not that some goroutine of the process still turns.
package systemd

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// State is how a service is.
type State struct {
	Working bool   // it does its work; false: it still starts, or starts anew
	Stuck   string // what of it does not go on, while it works; empty: all goes on
	Text    string // for people: the line Status of systemctl status
}

const (
	// mostStart is how long a start, which reads a journal or migrates a store, may ask for
	// more time. After that the manager may take it for stuck.
	mostStart = 30 * time.Minute
	// extension is what a start asks for, again and again.
	extension = 30 * time.Second
	// mostPause is the pause between two looks, unless a watchdog wants it shorter.
	mostPause = time.Second
)

// Service reports the state of this process. Make it with New and run it once.
type Service struct {
	send     func(state string) error // nil: no manager listens
	watchdog time.Duration            // within which it must be confirmed that the service is alive; 0: never
	log      *slog.Logger
	turns    turns
}

// turns is what has been said in turns before.
type turns struct {
	began time.Time // of the start that lasts; zero: it works
	ready bool      // the manager knows that it has started
	text  string
	stuck string
}

// New returns a service of the manager that the environment names.
func New(log *slog.Logger) *Service {
	s := &Service{log: log}
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return s
	}
	s.send = func(state string) error {
		_, err := daemon.SdNotify(false, state)
		return err
	}
	var err error
	if s.watchdog, err = daemon.SdWatchdogEnabled(false); err != nil {
		log.Warn("systemd's watchdog can't be used", "err", err)
	}
	return s
}

// Run looks at the service until ctx ends, and reports it. look is called from Run's
// goroutine and must not wait.
func (s *Service) Run(ctx context.Context, look func() State) {
	if s.send == nil {
		return
	}
	pause := mostPause
	if s.watchdog > 0 {
		pause = min(pause, s.watchdog/4)
	}
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			s.tell([]string{daemon.SdNotifyStopping, "STATUS=ends"})
			return
		case <-next.C:
		}
		s.tell(s.turns.next(time.Now(), look(), s.log))
		if s.turns.ready {
			next.Reset(pause)
		} else {
			next.Reset(pause / 10) // whoever waits for the start should not wait for the look
		}
	}
}

// tell sends lines in one message. One that is lost is followed by another one soon.
func (s *Service) tell(lines []string) {
	if len(lines) == 0 {
		return
	}
	if err := s.send(strings.Join(lines, "\n")); err != nil {
		s.log.Debug("tell systemd how this service is", "err", err)
	}
}

// next returns what the manager is told at now of a service in a state.
func (t *turns) next(now time.Time, st State, log *slog.Logger) (lines []string) {
	text := st.Text
	switch {
	case !st.Working:
		lines = t.starts(now)
	case st.Stuck != "":
		t.began, text = time.Time{}, "stuck: "+st.Stuck
		if t.stuck != st.Stuck {
			log.Error("a part of this program is stuck; systemd will start the program again", "part", st.Stuck)
		}
	default:
		t.began = time.Time{}
		if !t.ready {
			t.ready = true
			lines = append(lines, daemon.SdNotifyReady)
		}
		lines = append(lines, daemon.SdNotifyWatchdog)
	}
	t.stuck = st.Stuck
	if text = line(text); text != t.text {
		t.text = text
		lines = append(lines, "STATUS="+text)
	}
	return lines
}

// starts returns what is told while a service starts: that it needs more time, up to mostStart.
func (t *turns) starts(now time.Time) []string {
	if t.began.IsZero() {
		t.began = now
	}
	switch {
	case now.Sub(t.began) >= mostStart:
		return nil
	case t.ready: // it starts anew: the watchdog is on already
		return []string{daemon.SdNotifyWatchdog}
	}
	return []string{"EXTEND_TIMEOUT_USEC=" + strconv.FormatInt(extension.Microseconds(), 10)}
}

// line returns text as one line, which a line break would end.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }
