package mqtt

import (
	"context"
	"errors"
	"log/slog"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// inbox is what has come and waits for its consumer, in the order in which it
// came. A consumer that takes its time holds the broker back by the messages
// that it has not acknowledged; paho goes on reading, so that pings and answers
// pass.
type inbox struct {
	take    func(Message) (acknowledge bool)
	waiting chan paho.Message
	log     *slog.Logger

	// Of paho's goroutine that hands messages over:
	dropped int
	told    time.Time
}

// Bounds of the inbox: of messages that need no acknowledgement, and of all. The
// embedded broker sends 256 without an acknowledgement; Mosquitto 2.0.11 was seen
// to send what it has, far beyond its max_inflight_messages.
const (
	mostWaiting = 1024
	mostInAll   = 4096
)

// tellEvery is how often it is logged that messages are dropped.
const tellEvery = 10 * time.Second

var errTooMany = errors.New("more than 4,096 messages wait: bound what the broker sends without acknowledgement")

func newInbox(cfg Config) *inbox {
	take := cfg.Keep
	if take == nil {
		take = func(m Message) bool { cfg.OnMessage(m); return true }
	}
	return &inbox{take: take, waiting: make(chan paho.Message, mostInAll), log: cfg.Log}
}

// put adds a message and does not wait. Where much waits it drops what has QoS 0,
// which promises no more; what finds no room at all is left to the broker, to be sent again
// over another connection: the error says to end this one.
func (b *inbox) put(m paho.Message) error {
	if m.Qos() > 0 || len(b.waiting) < mostWaiting {
		select {
		case b.waiting <- m:
			return nil
		default:
			return errTooMany
		}
	}
	b.dropped++
	if now := time.Now(); now.Sub(b.told) >= tellEvery {
		b.told = now
		b.log.Warn("messages of QoS 0 come faster than they are taken, and are dropped",
			"topic", m.Topic(), "dropped", b.dropped)
	}
	return nil
}

// deliver hands messages over until ctx ends; what waits then is not
// acknowledged.
func (b *inbox) deliver(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case m := <-b.waiting:
			if b.take(Message{Topic: m.Topic(), Payload: m.Payload(), QoS: m.Qos(), Retained: m.Retained()}) {
				m.Ack() // of a connection that has ended: paho drops it
			}
		}
	}
}
