package speak

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2020, 2, 14, 14, 0, 0, 0, time.UTC)

var key = ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))

// broker keeps what is published.
type broker struct {
	down     bool
	sent     int
	retained map[string][]byte
}

func (b *broker) Publish(m mqtt.Message) error {
	if b.down {
		return mqtt.ErrOffline
	}
	b.sent++
	b.retained[m.Topic] = m.Payload
	return nil
}

// read returns what a gate is told, which must be signed for it.
func (b *broker) read(t *testing.T, agent string) wire.Desk {
	t.Helper()
	d, err := wire.Decode[wire.Desk](b.retained[wire.Topic("qinghe", agent, wire.LeafDesk)])
	if err == nil {
		err = wire.VerifyDesk(d, "qinghe", agent, key.Public().(ed25519.PublicKey))
	}
	if err != nil {
		t.Fatalf("gate %s: %v", agent, err)
	}
	return d
}

func open(t *testing.T, path string, b *broker) *Speaker {
	t.Helper()
	s, err := Open(t.Context(), Options{File: committed.Open(t, path, Schema), County: "qinghe", Key: key,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.By(b)
	return s
}

func start(t *testing.T) (*Speaker, *broker, string) {
	t.Helper()
	b, path := &broker{retained: map[string][]byte{}}, filepath.Join(t.TempDir(), "f.db")
	return open(t, path, b), b, path
}

func asked(id uint64, state fact.CallState) []wire.DeskCall {
	return []wire.DeskCall{{ID: fact.CallID(fact.RoleDoctor, id), Asked: wire.At(t0), State: state, At: wire.At(t0)}}
}

func say(t *testing.T, s *Speaker, at time.Time, agent string, calls []wire.DeskCall) {
	t.Helper()
	if err := s.Say(context.Background(), at, agent, calls, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(at); err != nil {
		t.Fatal(err)
	}
}

func TestAGateIsToldOnceAndAgainWhenItChanges(t *testing.T) {
	s, b, _ := start(t)
	say(t, s, t0, "gate-2", nil)
	if b.sent != 0 {
		t.Error("a gate is told that there is nothing")
	}
	say(t, s, t0, "gate-1", asked(41, fact.CallAsked))
	say(t, s, t0, "gate-1", asked(41, fact.CallAsked))
	first := b.read(t, "gate-1")
	if b.sent != 1 || first.Calls[0].State != fact.CallAsked {
		t.Fatalf("%d messages, %+v", b.sent, first)
	}
	say(t, s, t0.Add(-time.Hour), "gate-1", asked(41, fact.CallSeen)) // the clock was set back
	second := b.read(t, "gate-1")
	if b.sent != 2 || second.No <= first.No || second.Calls[0].State != fact.CallSeen {
		t.Fatalf("%d messages, %+v after %+v", b.sent, second, first)
	}
	say(t, s, t0.Add(time.Minute), "gate-1", nil)
	if last := b.read(t, "gate-1"); last.No <= second.No || len(last.Calls) != 0 {
		t.Errorf("%+v", last)
	}
}

func TestARestartAndALostConnectionSayTheSame(t *testing.T) {
	s, b, path := start(t)
	say(t, s, t0, "gate-1", asked(41, fact.CallSeen))
	before := string(b.retained[wire.Topic("qinghe", "gate-1", wire.LeafDesk)])
	b.down = true
	say(t, s, t0.Add(time.Second), "gate-2", asked(5, fact.CallAsked))
	b.down, b.retained = false, map[string][]byte{} // the broker has lost what it kept
	s.Up()
	if err := s.Publish(t0.Add(2 * time.Second)); err != nil || len(b.retained) != 2 {
		t.Fatalf("%d gates are told, %v", len(b.retained), err)
	}
	b.retained = map[string][]byte{}
	s = open(t, path, b)
	say(t, s, t0.Add(time.Hour), "gate-1", asked(41, fact.CallSeen))
	if got := string(b.retained[wire.Topic("qinghe", "gate-1", wire.LeafDesk)]); got != before {
		t.Errorf("after a restart %s, before %s", got, before)
	}
}

func TestWhatIsPublishedInItsPlaceIsReplaced(t *testing.T) {
	s, b, _ := start(t)
	say(t, s, t0, "gate-1", asked(41, fact.CallSeen))
	right := b.retained[wire.Topic("qinghe", "gate-1", wire.LeafDesk)]
	s.Heard("gate-1", right)
	for i := range 200 {
		s.Heard("gate-1", []byte("rubbish"))
		s.Heard("gate-7", []byte("rubbish"))
		if err := s.Publish(t0.Add(time.Duration(i) * 100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	if b.sent < 2 || b.sent > 6 {
		t.Errorf("in 20 s it is said %d times", b.sent)
	}
	if got := b.retained[wire.Topic("qinghe", "gate-1", wire.LeafDesk)]; string(got) != string(right) {
		t.Errorf("%s in place of %s", got, right)
	}
	if got := s.Known(); len(got) != 1 {
		t.Errorf("it speaks to %q", got)
	}
}

// The desk's file was lost, and its clock set back: gates take only what is numbered above
// what they know.
func TestANewFileGoesOnAboveWhatIsOutInItsName(t *testing.T) {
	s, b, _ := start(t)
	say(t, s, t0, "gate-1", asked(41, fact.CallAsked))
	say(t, s, t0, "gate-2", asked(5, fact.CallAsked))
	before := b.read(t, "gate-1").No
	fresh := open(t, filepath.Join(t.TempDir(), "f.db"), b)
	for _, agent := range []string{"gate-1", "gate-2"} {
		fresh.Heard(agent, b.retained[wire.Topic("qinghe", agent, wire.LeafDesk)])
	}
	fresh.Heard("gate-3", b.retained[wire.Topic("qinghe", "gate-1", wire.LeafDesk)]) // not signed for it
	early := t0.Add(-24 * time.Hour)
	say(t, fresh, early, "gate-1", asked(42, fact.CallAsked))
	say(t, fresh, early, "gate-2", nil)
	if got := b.read(t, "gate-1"); got.No <= before || got.Calls[0].ID != "help-called:doctor-42" {
		t.Errorf("%+v after no %d", got, before)
	}
	if got := b.read(t, "gate-2"); len(got.Calls) != 0 {
		t.Errorf("what nobody says any more is %+v", got)
	}
	if got := fresh.Known(); len(got) != 2 {
		t.Errorf("it speaks to %q", got)
	}
}

func TestWhoWasReplacedIsSilent(t *testing.T) {
	s, b, _ := start(t)
	s.Silence()
	say(t, s, t0, "gate-1", asked(41, fact.CallAsked))
	if b.sent != 0 {
		t.Error("it speaks")
	}
}
