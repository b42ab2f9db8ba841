package mqtt

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// inbox is the queue between paho and the consumer of a client: first in, first
// out, over all its connections. While the consumer takes its time the broker
// is held back by the messages that are not acknowledged; paho goes on reading,
// so that pings and answers pass.
type inbox struct {
	take    func(m Message, end func(acknowledge bool))
	waiting chan arrival
	kept    atomic.Int64 // handed over, and not ended
	log     *slog.Logger

	mu      sync.Mutex          // guards what follows
	current int                 // number of the connection whose messages are accepted
	held    map[uint16]struct{} // ids of its messages of QoS 1 that are not ended
	dropped int
	logged  time.Time // when it was last logged that messages are dropped
}

// arrival is a message, when it came, and over which connection.
type arrival struct {
	paho.Message
	at         time.Time
	connection int
}

// Bounds of the inbox: of messages that need no acknowledgement, and of all. The
// embedded broker sends 256 without an acknowledgement; Mosquitto 2.0.11 was seen
// to send all it has, far beyond its max_inflight_messages.
const (
	mostWaiting = 1024
	mostInAll   = 4096
)

// logEvery is the shortest time between two log lines on dropped messages.
const logEvery = 10 * time.Second

var errTooMany = errors.New("more than 4,096 messages wait: bound what the broker sends without acknowledgement")

func newInbox(cfg Config) *inbox {
	take := cfg.Keep
	if take == nil {
		take = func(m Message, end func(bool)) {
			if cfg.OnMessage != nil {
				cfg.OnMessage(m)
			}
			end(true)
		}
	}
	return &inbox{take: take, waiting: make(chan arrival, mostInAll), log: cfg.Log}
}

// open returns the function that adds a message of a new connection. It does not
// wait, and returns an error when that connection must end. From now on messages
// of earlier connections are ignored, so that none comes after its successors:
// the broker sends them again if it promised to.
func (b *inbox) open() (put func(paho.Message) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current++
	mine := b.current
	b.held = map[uint16]struct{}{}
	return func(m paho.Message) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if mine != b.current {
			return nil
		}
		return b.put(m)
	}
}

// put adds a message. One that the broker sends again while the first is not ended
// is not added. When many wait it drops those of QoS 0, which promises no more.
// Without room at all it returns an error: the connection must end, and the broker
// sends the message again over the next one.
func (b *inbox) put(m paho.Message) error {
	now := time.Now()
	held := len(b.waiting) + int(b.kept.Load())
	if m.Qos() > 0 {
		if _, again := b.held[m.MessageID()]; again && m.Duplicate() {
			return nil
		}
		if held >= mostInAll {
			return errTooMany
		}
		b.held[m.MessageID()] = struct{}{}
	}
	if m.Qos() > 0 || held < mostWaiting {
		b.waiting <- arrival{m, now, b.current} // has room: put alone adds to it
		return nil
	}
	b.dropped++
	if now.Sub(b.logged) >= logEvery {
		b.logged = now
		b.log.Warn("messages of QoS 0 come faster than they are taken, and are dropped",
			"topic", m.Topic(), "dropped", b.dropped)
	}
	return nil
}

// deliver hands messages over until ctx ends; those that wait then are not
// acknowledged.
func (b *inbox) deliver(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case m := <-b.waiting:
			b.kept.Add(1)
			came := Message{Topic: m.Topic(), Payload: m.Payload(), QoS: m.Qos(), Retained: m.Retained(),
				Duplicate: m.Duplicate(), Arrived: m.at}
			b.take(came, func(acknowledge bool) {
				b.kept.Add(-1)
				b.end(m)
				if acknowledge {
					m.Ack() // paho ignores it if that connection has ended
				}
			})
		}
	}
}

// end notes that a message is ended.
func (b *inbox) end(m arrival) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.Qos() > 0 && m.connection == b.current {
		delete(b.held, m.MessageID())
	}
}
