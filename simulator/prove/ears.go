package prove

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// ears listen at the broker: to heartbeats, which say when all is at rest, and
// to acknowledgements, which say how long commits took.
type ears struct {
	mu    sync.Mutex
	beats map[string]heard
	acks  map[string][]ackAt // by journal, rising
	done  chan struct{}
}

type heard struct {
	beat wire.Beat
	at   time.Time
}

type ackAt struct {
	through uint64
	at      time.Time
}

func listenTo(ctx context.Context, url string) *ears {
	e := &ears{beats: map[string]heard{}, acks: map[string][]ackAt{}, done: make(chan struct{})}
	c := mqtt.New(mqtt.Config{
		URL:      url,
		ClientID: fmt.Sprintf("prove-%d", os.Getpid()),
		Log:      slog.New(slog.DiscardHandler),
		Subscriptions: []mqtt.Subscription{
			{Filter: wire.Root + "/+/+/" + string(wire.LeafBeat)},
			{Filter: wire.Root + "/+/+/" + string(wire.LeafAck)},
		},
		OnMessage: e.hear,
	})
	go func() { defer close(e.done); _ = c.Run(ctx) }() // ends with ctx only
	return e
}

func (e *ears) wait() { <-e.done }

func (e *ears) hear(m mqtt.Message) {
	_, agent, leaf, _ := wire.ParseTopic(m.Topic)
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	switch leaf {
	case wire.LeafBeat:
		if b, err := wire.Decode[wire.Beat](m.Payload); err == nil {
			e.beats[agent] = heard{b, now}
		}
	case wire.LeafAck:
		a, err := wire.Decode[wire.Ack](m.Payload)
		if err != nil || a.Nonce != "" {
			return
		}
		if list := e.acks[a.JID]; len(list) == 0 || list[len(list)-1].through < a.Through {
			e.acks[a.JID] = append(list, ackAt{a.Through, now})
		}
	}
}

func (e *ears) beat(agent string) (wire.Beat, time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	h := e.beats[agent]
	return h.beat, h.at
}

// committed gives when a record was first known to be acknowledged.
func (e *ears) committed(jid string, seq uint64) (time.Time, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := e.acks[jid]
	i, _ := slices.BinarySearchFunc(list, seq, func(a ackAt, seq uint64) int {
		if a.through < seq {
			return -1
		}
		return 1
	})
	if i == len(list) {
		return time.Time{}, false
	}
	return list[i].at, true
}

// through gives the highest acknowledgement heard, by journal.
func (e *ears) through() map[string]uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[string]uint64{}
	for jid, list := range e.acks {
		out[jid] = list[len(list)-1].through
	}
	return out
}
