package prove

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/world"
)

// agentState is what an agent believes about the store.
type agentState struct {
	jid     string
	through uint64 // acknowledged, by its heartbeat
	trimmed uint64
	store   string
	term    uint64
}

// tap records the collector's messages on the line, and can stop all messages.
type tap struct {
	mu    sync.Mutex
	sent  map[string][][]byte  // the collector's messages, by agent
	acks  map[string]wire.Ack  // the last, by agent
	beats map[string]wire.Beat // the last, by agent
}

// record records a message of the collector.
func (t *tap) record(p faults.Packet) {
	_, to, leaf, ok := wire.ParseTopic(p.Topic)
	if p.Up || !ok || leaf != wire.LeafAck && leaf != wire.LeafStatus {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent[to] = append(t.sent[to], faults.Publish(p.Topic, p.Payload(), false),
		faults.Publish(p.Topic, p.Payload(), true))
	if a, err := wire.Decode[wire.Ack](p.Payload()); err == nil && leaf == wire.LeafAck {
		t.acks[to] = a
	}
}

// loseAll reports that every message is lost. It records agents' heartbeats.
func (t *tap) loseAll(p faults.Packet) bool {
	if _, from, leaf, ok := wire.ParseTopic(p.Topic); ok && p.Up && leaf == wire.LeafBeat {
		if b, err := wire.Decode[wire.Beat](p.Payload()); err == nil {
			t.mu.Lock()
			t.beats[from] = b
			t.mu.Unlock()
		}
	}
	return p.Topic != ""
}

// states waits for a heartbeat of each agent and returns their states.
func (t *tap) states(ctx context.Context, r *rig) (map[string]agentState, error) {
	t.mu.Lock()
	t.beats = map[string]wire.Beat{}
	t.mu.Unlock()
	out := map[string]agentState{}
	for _, g := range r.gates {
		var b wire.Beat
		heard := func() (ok bool) {
			t.mu.Lock()
			defer t.mu.Unlock()
			b, ok = t.beats[g.ID]
			return ok
		}
		if _, ok := r.poll(ctx, 25*time.Second, heard); !ok {
			return nil, fmt.Errorf("%s sends no heartbeat", g.ID)
		}
		v, err := journal.Look(r.journalDir(g.ID))
		if err != nil {
			return nil, err
		}
		out[g.ID] = agentState{b.JID, b.Through, v.Trimmed(), v.State.Store, v.State.Term}
		v.Close()
	}
	return out, nil
}

// replayAcks sends the collector's messages again, and forged ones.
func replayAcks(ctx context.Context, r *rig) error {
	t := &tap{sent: map[string][][]byte{}, acks: map[string]wire.Ack{}}
	r.chaos.Set(faults.Line{See: t.record})
	r.wait(ctx, 2*time.Second)
	// A restarted collector publishes its status and answers hellos.
	if err := r.restart(ctx, 0, r.collector); err != nil {
		return err
	}
	r.wait(ctx, 3*time.Second)
	// From now on no real message arrives in either direction.
	r.chaos.Set(faults.Line{Lose: t.loseAll})
	defer r.chaos.Set(faults.Line{})
	before, err := t.states(ctx, r)
	if err != nil {
		return err
	}
	forged, err := t.forge(r)
	if err != nil {
		return err
	}
	// The forged ones first: after a status of a new collector an agent waits for
	// the answer to its hello and ignores everything else.
	for _, all := range [][][]byte{forged, t.recorded()} {
		for range 1000 {
			r.chaos.Send(all...)
		}
		r.note("%d messages, a thousand times each", len(all))
	}
	after, err := t.states(ctx, r)
	if err != nil {
		return err
	}
	for id, was := range before {
		if is := after[id]; is != was {
			r.violated("%s was changed by replayed messages: from %+v to %+v", id, was, is)
		}
	}
	return nil
}

// recorded returns all recorded messages.
func (t *tap) recorded() (all [][]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, list := range t.sent {
		all = append(all, list...)
	}
	return all
}

// forge returns forged messages: acknowledgements of records that wait, of all
// or of the next one, with the signature of another acknowledgement; one of an
// unknown store; each agent's acknowledgements to the other one; and a command.
func (t *tap) forge(r *rig) (forged [][]byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.sent[wire.CollectorID]) == 0 {
		return nil, errors.New("the collector published no status")
	}
	for i, g := range r.gates {
		a, ok := t.acks[g.ID]
		if !ok || a.Sig == "" {
			return nil, fmt.Errorf("nothing of %s was acknowledged", g.ID)
		}
		v, err := journal.Look(r.journalDir(g.ID))
		if err != nil {
			return nil, err
		}
		v.Close()
		if v.Last <= a.Through {
			return nil, fmt.Errorf("no record of %s waits", g.ID)
		}
		next, all, strange := a, a, a
		next.Through, all.Through = a.Through+1, v.Last
		strange.Store, strange.Term = "c1a5e0de-7f0a-4c55-8d27-6f1f2a3b4c5d", a.Term+90
		topic := wire.Topic(world.CountyID, g.ID, wire.LeafAck)
		for _, a := range []wire.Ack{next, all, strange, t.acks[r.gates[(i+1)%len(r.gates)].ID]} {
			payload, err := wire.Encode(a)
			if err != nil {
				return nil, err
			}
			forged = append(forged, faults.Publish(topic, payload, false))
		}
		forged = append(forged,
			faults.Publish(wire.Topic(world.CountyID, g.ID, "command"), []byte(`{"v":1,"action":"open"}`), false))
	}
	return forged, nil
}
