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
	"gatehouse/simulator/world"
)

// listener subscribes to heartbeats, which tell when everything is delivered,
// and to acknowledgements, which tell how long commits took. Its methods may be
// called from several goroutines.
type listener struct {
	mu    sync.Mutex
	beats map[string]beatAt  // the last, by agent
	acks  map[string][]ackAt // rising, by journal
	done  chan struct{}
}

type beatAt struct {
	beat wire.Beat
	at   time.Time
}

type ackAt struct {
	through uint64
	at      time.Time
}

// listen subscribes at the broker until ctx is done.
func listen(ctx context.Context, at mqtt.Broker) (*listener, error) {
	e := &listener{beats: map[string]beatAt{}, acks: map[string][]ackAt{}, done: make(chan struct{})}
	cfg := mqtt.Config{
		ClientID: fmt.Sprintf("prove-%d", os.Getpid()),
		Log:      slog.New(slog.DiscardHandler),
		Subscriptions: []mqtt.Subscription{
			{Filter: wire.Topic(world.CountyID, "+", wire.LeafBeat)},
			{Filter: wire.Topic(world.CountyID, "+", wire.LeafAck)},
		},
		OnMessage: e.receive,
	}
	if err := at.Load(&cfg); err != nil {
		return nil, fmt.Errorf("listen at the broker: %w", err)
	}
	c := mqtt.New(cfg)
	go func() { defer close(e.done); _ = c.Run(ctx) }() // ends with ctx only
	return e, nil
}

// wait waits until the listener has ended.
func (e *listener) wait() { <-e.done }

func (e *listener) receive(m mqtt.Message) {
	_, agent, leaf, _ := wire.ParseTopic(m.Topic)
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	switch leaf {
	case wire.LeafBeat:
		if b, err := wire.Decode[wire.Beat](m.Payload); err == nil {
			e.beats[agent] = beatAt{b, now}
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

// beat returns an agent's last heartbeat and when it arrived.
func (e *listener) beat(agent string) (wire.Beat, time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.beats[agent]
	return b.beat, b.at
}

// committed returns when the first acknowledgement that covers a record arrived.
func (e *listener) committed(jid string, seq uint64) (time.Time, bool) {
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

// acknowledged returns the highest acknowledged seq, by journal.
func (e *listener) acknowledged() map[string]uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[string]uint64{}
	for jid, list := range e.acks {
		out[jid] = list[len(list)-1].through
	}
	return out
}
