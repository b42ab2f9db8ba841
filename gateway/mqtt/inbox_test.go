package mqtt

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// incoming is a message as paho hands it over.
type incoming struct {
	paho.Message // nil: nothing else of it is asked for

	text  string
	qos   byte
	id    uint16
	acked *[]string
}

func (m incoming) Topic() string     { return "t" }
func (m incoming) Payload() []byte   { return []byte(m.text) }
func (m incoming) Qos() byte         { return m.qos }
func (m incoming) MessageID() uint16 { return m.id }
func (m incoming) Retained() bool    { return m.text == "old" }
func (m incoming) Duplicate() bool   { return m.text == "again" }
func (m incoming) Ack()              { *m.acked = append(*m.acked, m.text) }

func TestAnEarlierConnectionAddsNothingBehindTheNextOne(t *testing.T) {
	var got, acked []string
	ctx, cancel := context.WithCancel(t.Context())
	b := newInbox(Config{Log: slog.New(slog.DiscardHandler), Keep: func(m Message, end func(bool)) {
		got = append(got, string(m.Payload))
		if len(got) == 4 {
			cancel()
		}
		end(string(m.Payload) != "2")
	}})
	send := func(put func(paho.Message) error, text string) {
		if err := put(incoming{text: text, qos: 1, acked: &acked}); err != nil {
			t.Fatal(err)
		}
	}
	first := b.open()
	send(first, "1")
	send(first, "2")
	second := b.open()
	send(second, "1")
	send(first, "3")
	send(second, "2")
	b.deliver(ctx)
	if !slices.Equal(got, []string{"1", "2", "1", "2"}) {
		t.Errorf("delivered %q", got)
	}
	if !slices.Equal(acked, []string{"1", "1"}) {
		t.Errorf("acknowledged %q; 2 is not kept", acked)
	}
}

func TestTheInboxIsBounded(t *testing.T) {
	b := newInbox(Config{Log: slog.New(slog.DiscardHandler)})
	put := b.open()
	for range 2 * mostWaiting {
		if err := put(incoming{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.waiting) != mostWaiting || b.dropped != mostWaiting {
		t.Errorf("%d messages of QoS 0 wait, %d were dropped", len(b.waiting), b.dropped)
	}
	for n := range mostInAll - mostWaiting {
		if err := put(incoming{qos: 1, id: uint16(n)}); err != nil {
			t.Fatalf("message %d of QoS 1: %v", n, err)
		}
	}
	if err := put(incoming{qos: 1}); !errors.Is(err, errTooMany) {
		t.Errorf("without room: %v", err)
	}
}

// A broker that waits for an acknowledgement sends a message again.
func TestAMessageIsTakenOnceWhileItIsNotEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var acked []string
	var ends []func(bool)
	b := newInbox(Config{Log: slog.New(slog.DiscardHandler), Keep: func(_ Message, end func(bool)) {
		if ends = append(ends, end); len(ends) == 3 {
			cancel()
		}
	}})
	put := b.open()
	send := func(text string, id uint16) {
		if err := put(incoming{text: text, qos: 1, id: id, acked: &acked}); err != nil {
			t.Fatal(err)
		}
	}
	send("first", 7)
	send("again", 7)
	send("again", 8) // the first was sent over another connection
	send("new", 8)   // not marked as sent again
	b.deliver(ctx)
	for _, end := range ends {
		end(true)
	}
	if want := []string{"first", "again", "new"}; !slices.Equal(acked, want) {
		t.Errorf("acknowledged %q, want %q", acked, want)
	}
	send("again", 7)
	if len(b.waiting) != 1 {
		t.Error("it is not taken again after its end")
	}
	put = b.open()
	send("again", 7)
	if len(b.waiting) != 2 {
		t.Error("it is not taken over another connection")
	}
}

// What was handed over takes room until it is ended: a consumer that only
// collects messages holds the broker back as well.
func TestMessagesThatAreNotEndedTakeRoom(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var acked []string
	var ends []func(bool)
	var got []Message
	b := newInbox(Config{Log: slog.New(slog.DiscardHandler), Keep: func(m Message, end func(bool)) {
		got, ends = append(got, m), append(ends, end)
		if len(ends) == 2 {
			cancel()
		}
	}})
	put := b.open()
	for i, text := range []string{"old", "again"} {
		if err := put(incoming{text: text, qos: 1, id: uint16(i + 1), acked: &acked}); err != nil {
			t.Fatal(err)
		}
	}
	b.deliver(ctx)
	if !got[0].Retained || got[0].Duplicate || got[1].Retained || !got[1].Duplicate || got[0].Arrived.IsZero() {
		t.Errorf("delivered %+v", got)
	}
	for n := range mostInAll - 2 {
		if err := put(incoming{qos: 1, id: uint16(n + 3)}); err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
	}
	if err := put(incoming{qos: 1}); !errors.Is(err, errTooMany) {
		t.Errorf("without room: %v", err)
	}
	ends[1](true)
	ends[0](false)
	if !slices.Equal(acked, []string{"again"}) {
		t.Errorf("acknowledged %q", acked)
	}
	if err := put(incoming{qos: 1}); err != nil {
		t.Errorf("with room: %v", err)
	}
}
