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

// mostWaiting bounds the inbox: more than the embedded broker sends without an
// acknowledgement (256), and some for what needs none.
const mostWaiting = 1024

// tellEvery is how often it is logged that messages are dropped.
const tellEvery = 10 * time.Second

var errTooMany = errors.New("more than 1,024 messages wait: bound what the broker sends without acknowledgement")

func newInbox(cfg Config) *inbox {
	take := cfg.Keep
	if take == nil {
		take = func(m Message) bool { cfg.OnMessage(m); return true }
	}
	return &inbox{take: take, waiting: make(chan paho.Message, mostWaiting), log: cfg.Log}
}

// put adds a message and does not wait. Of a full inbox it drops what has QoS 0,
// which promises no more; anything else is left to the broker, to be sent again
// over another connection: the error says to end this one.
func (b *inbox) put(m paho.Message) error {
	select {
	case b.waiting <- m:
		return nil
	default:
	}
	if m.Qos() > 0 {
		return errTooMany
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
