package systemd

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var began = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

// Each step is one look; what is told follows from the state, and never from the look alone.
func TestOnlyWorkThatGoesOnIsConfirmed(t *testing.T) {
	const hour = time.Hour
	const extend, ready, alive = "EXTEND_TIMEOUT_USEC=30000000", "READY=1", "WATCHDOG=1"
	working := State{Working: true, Text: "takes records"}
	stuck := State{Working: true, Stuck: "station", Text: "takes records"}
	starts := State{Text: "reads its\njournal"}
	for _, c := range []struct {
		name  string
		steps []State
		at    []time.Duration
		want  [][]string
	}{
		{"ready once", []State{starts, working, working}, nil, [][]string{
			{extend, "STATUS=reads its journal"}, {ready, alive, "STATUS=takes records"}, {alive}}},
		{"stuck", []State{working, stuck, stuck, working}, nil, [][]string{
			{ready, alive, "STATUS=takes records"}, {"STATUS=stuck: station"}, nil, {alive, "STATUS=takes records"}}},
		{"never worked", []State{stuck}, nil, [][]string{{"STATUS=stuck: station"}}},
		{"a start that does not end", []State{starts, starts, starts},
			[]time.Duration{0, mostStart - 1, mostStart},
			[][]string{{extend, "STATUS=reads its journal"}, {extend}, nil}},
		{"starts anew", []State{working, starts, starts, starts, working, starts},
			[]time.Duration{0, hour, hour + mostStart - 1, hour + mostStart, 2 * hour, 3 * hour},
			[][]string{{ready, alive, "STATUS=takes records"}, {alive, "STATUS=reads its journal"}, {alive}, nil,
				{alive, "STATUS=takes records"}, {alive, "STATUS=reads its journal"}}},
	} {
		var turns turns
		for i, st := range c.steps {
			at := began
			if c.at != nil {
				at = at.Add(c.at[i])
			}
			if got := turns.next(at, st, slog.New(slog.DiscardHandler)); !slices.Equal(got, c.want[i]) {
				t.Errorf("%s, step %d: %q, want %q", c.name, i, got, c.want[i])
			}
		}
	}
}

func TestAStuckPartIsLoggedOnce(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	var turns turns
	for _, stuck := range []string{"", "station", "station", "", "recorder"} {
		turns.next(began, State{Working: true, Stuck: stuck}, log)
	}
	if n := strings.Count(out.String(), "level=ERROR"); n != 2 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
}

// manager is the socket of a service manager, and what has come.
func manager(t *testing.T, watchdog time.Duration) (messages chan string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt(watchdog.Microseconds(), 10))
	messages = make(chan string, 1000)
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			messages <- string(b[:n])
		}
	}()
	return messages
}

// next returns the next message that has a line, and how many came before it.
func next(t *testing.T, messages <-chan string, line string) (before int) {
	t.Helper()
	for late := time.After(30 * time.Second); ; before++ {
		select {
		case m := <-messages:
			if slices.Contains(strings.Split(m, "\n"), line) {
				return before
			}
		case <-late:
			t.Fatalf("no message with %q", line)
		}
	}
}

// A real socket: a loop that hangs ends the confirmations, one that turns again brings them back.
func TestTheManagerHearsOfAServiceUntilItEnds(t *testing.T) {
	messages := manager(t, 80*time.Millisecond)
	states := make(chan State, 1)
	var now State
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		New(slog.New(slog.DiscardHandler)).Run(ctx, func() State {
			select {
			case now = <-states:
			default:
			}
			return now
		})
	}()
	next(t, messages, "EXTEND_TIMEOUT_USEC=30000000")
	states <- State{Working: true}
	next(t, messages, "READY=1")
	next(t, messages, "WATCHDOG=1")
	states <- State{Working: true, Stuck: "station"}
	next(t, messages, "STATUS=stuck: station")
	states <- State{Working: true, Text: "goes on"}
	if n := next(t, messages, "STATUS=goes on"); n != 0 {
		t.Errorf("%d messages while it was stuck", n)
	}
	next(t, messages, "WATCHDOG=1")
	cancel()
	next(t, messages, "STOPPING=1")
	<-ended
}

func TestWithoutAManagerNothingRuns(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	New(slog.New(slog.DiscardHandler)).Run(t.Context(), func() State {
		t.Error("it has looked")
		return State{}
	})
}

func TestAManagerThatIsGoneDoesNoHarm(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	ctx, cancel := context.WithCancel(t.Context())
	New(slog.New(slog.DiscardHandler)).Run(ctx, func() State {
		cancel()
		return State{Working: true}
	})
}
