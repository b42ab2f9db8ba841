package ship

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// bubble is the clock of a synctest bubble.
type bubble struct{ began time.Time }

func (b bubble) Now() clock.Moment {
	return clock.Moment{Wall: time.Now(), Boot: time.Hour + time.Since(b.began)}
}
func (bubble) Synchronised() bool { return true }

// hung is a journal whose fsync does not return.
type hung struct{ memory }

func (h *hung) Last() uint64             { return h.Durable() }
func (h *hung) Origin() string           { return h.jid }
func (h *hung) Changed() <-chan struct{} { return nil }
func (h *hung) Sync(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// line is a connection that notes what is sent.
type line struct{ sent []mqtt.Message }

func (l *line) Publish(m mqtt.Message) error {
	l.sent = append(l.sent, m)
	return nil
}

func (l *line) PublishThen(m mqtt.Message, _ func()) error { return l.Publish(m) }

// beats returns the heartbeats among what was sent.
func (l *line) beats(t *testing.T) (out []wire.Beat) {
	t.Helper()
	for _, m := range l.sent {
		if !strings.HasSuffix(m.Topic, string(wire.LeafBeat)) {
			continue
		}
		b, err := wire.Decode[wire.Beat](m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func newShipper(t *testing.T, c clock.Source) *Shipper {
	t.Helper()
	s, err := New(Options{County: "county", Agent: "gate", Broker: mqtt.Broker{URL: "tcp://127.0.0.1:1"},
		Journal: &hung{memory{jid: testJID}}, Board: status.NewBoard(), Clock: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// An fsync that takes long delays no heartbeat. One that hangs while an alarm
// waits for it ends them: the gate must not look alive.
func TestAnFsyncThatHangsEndsTheHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &line{}
		s := newShipper(t, bubble{time.Now()})
		ctx, cancel := context.WithCancel(t.Context())
		up := make(chan struct{}, 1)
		go s.beats(ctx, l, up)
		go s.waitForAlarms(ctx, nil)
		up <- struct{}{}
		s.Overtake(wire.Entry{Record: wire.Record{Seq: 1}}, true)
		for range 60 {
			time.Sleep(time.Second)
			s.opts.Board.SetTurned("station", s.opts.Clock.Now())
		}
		synctest.Wait()
		if got := l.beats(t); len(got) != 2 || got[1].UptimeS != 10 {
			t.Errorf("%d heartbeats in a minute: %+v", len(got), got)
		}
		if got := s.opts.Board.Stuck(s.opts.Clock.Now()); len(got) != 1 || got[0] != partAlarms {
			t.Errorf("stuck are %q", got)
		}
		cancel()
		synctest.Wait()
	})
}

func TestAHeartbeatCarriesTheStateOfTheAgent(t *testing.T) {
	c := bubble{time.Now().Add(-time.Hour)} // boot clock: two hours
	s := newShipper(t, c)
	now, oldest := c.Now(), time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	reader := status.Device{Name: "reader", State: fact.DeviceGone, Heard: now.Boot - 90*time.Second}
	s.opts.Board.SetGate(status.Gate{Devices: []status.Device{reader}})
	s.opts.Board.SetJournal(status.Journal{Oldest: oldest, FullIn: 150 * time.Minute})
	if b := s.heartbeat(now); b.Oldest != nil {
		t.Errorf("nothing waits, and the heartbeat says since %s", b.Oldest)
	}
	s.opts.Journal.(*hung).entries = make([]wire.Entry, 1)
	b := s.heartbeat(now)
	if len(b.Devices) != 1 || b.Devices[0] != (wire.BeatDevice{Name: "reader", State: fact.DeviceGone, IdleS: 90}) {
		t.Errorf("devices %+v", b.Devices)
	}
	if b.JID != testJID || b.Oldest == nil || !b.Oldest.Equal(oldest) || b.FullInH == nil || *b.FullInH != 2 {
		t.Errorf("%+v", b)
	}
}

func TestAStuckAgentSendsNoHeartbeat(t *testing.T) {
	c := bubble{time.Now()}
	s, l := newShipper(t, c), &line{}
	now := c.Now()
	s.opts.Board.SetTurned("station", clock.Moment{Boot: now.Boot - status.StuckAfter - time.Second})
	s.opts.Board.SetTurned("recorder", now)
	s.beat(l)
	if got := l.beats(t); len(got) != 0 {
		t.Errorf("%d heartbeats of an agent whose station is stuck", len(got))
	}
	s.opts.Board.SetTurned("station", now)
	s.beat(l)
	if got := l.beats(t); len(got) != 1 {
		t.Errorf("%d heartbeats of an agent that turns", len(got))
	}
}

// What was told before there was a connection would be wrong in a heartbeat that arrives.
func TestTheFirstHeartbeatDoesNotSayThatThereIsNoConnection(t *testing.T) {
	s := newShipper(t, bubble{time.Now()})
	d := s.delivery(&line{}, func(event) {})
	up := make(chan struct{}, 1)
	var told telling
	begins := func(answered bool) { d.standing.up(s.opts.Clock.Now()); d.greeting.answered = answered }
	ends := func(why string) { d.down(s.opts.Clock.Now(), errors.New(why)); d.greeting.answered = false }
	for _, c := range []struct {
		name   string
		do     func()
		beats  bool
		broker bool // the heartbeat says that there is no connection
	}{
		{"before a connection", func() {}, false, true},
		{"a connection that failed", func() { ends("refused") }, false, true},
		{"a connection", func() { begins(false) }, false, true},
		{"an answer", func() { d.greeting.answered = true }, true, false},
		{"nothing new", func() {}, false, false},
		{"the end of the connection", func() { ends("EOF") }, false, true},
		{"another one, answered", func() { begins(true) }, true, false},
	} {
		c.do()
		s.tell(d, &told, up)
		beats := len(up) > 0
		if beats {
			<-up
		}
		says := slices.ContainsFunc(s.heartbeat(s.opts.Clock.Now()).Troubles, func(x wire.Trouble) bool {
			return x.Kind == fact.TroubleNoBroker
		})
		if beats != c.beats || says != c.broker {
			t.Errorf("%s: a heartbeat %t, want %t; no connection %t, want %t", c.name, beats, c.beats, says, c.broker)
		}
	}
}
