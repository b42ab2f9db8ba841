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

// stands is what an agent holds for true.
type agentState struct {
	jid     string
	through uint64 // by its heartbeat
	trimmed uint64
	store   string
	term    uint64
}

// tap listens on the line, and keeps back what tells anybody anything.
type tap struct {
	mu    sync.Mutex
	said  map[string][][]byte // what the collector said, by agent
	acks  map[string]wire.Ack // the last, by agent
	beats map[string]wire.Beat
}

// see keeps what the collector says, for later.
func (t *tap) see(p faults.Packet) {
	_, to, leaf, ok := wire.ParseTopic(p.Topic)
	if p.Up || !ok || leaf != wire.LeafAck && leaf != wire.LeafStatus {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said[to] = append(t.said[to], faults.Publish(p.Topic, p.Payload(), false),
		faults.Publish(p.Topic, p.Payload(), true))
	if a, err := wire.Decode[wire.Ack](p.Payload()); err == nil && leaf == wire.LeafAck {
		t.acks[to] = a
	}
}

// silence lets no message through, and notes the heartbeats that agents send.
func (t *tap) silence(p faults.Packet) bool {
	if _, from, leaf, ok := wire.ParseTopic(p.Topic); ok && p.Up && leaf == wire.LeafBeat {
		if b, err := wire.Decode[wire.Beat](p.Payload()); err == nil {
			t.mu.Lock()
			t.beats[from] = b
			t.mu.Unlock()
		}
	}
	return p.Topic != ""
}

// standing waits for a heartbeat of each agent and gives what they hold for true.
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

// replayed says again what the collector said, and things that it never said.
func replayAcks(ctx context.Context, r *rig) error {
	t := &tap{said: map[string][][]byte{}, acks: map[string]wire.Ack{}}
	r.chaos.Set(faults.Line{See: t.see})
	r.wait(ctx, 2*time.Second)
	// A collector that starts anew announces itself and answers hellos.
	if err := r.restart(ctx, 0, r.collector); err != nil {
		return err
	}
	r.wait(ctx, 3*time.Second)
	// Records go nowhere, and the collector's word does not come: what is heard
	// now is old, whoever says it.
	r.chaos.Set(faults.Line{Lose: t.silence})
	defer r.chaos.Set(faults.Line{})
	before, err := t.states(ctx, r)
	if err != nil {
		return err
	}
	forgeRecord, err := t.forge(r)
	if err != nil {
		return err
	}
	// First what is forged: an agent that has heard of a new collector waits for
	// the answer to its hello, and takes nothing else.
	for _, all := range [][][]byte{forgeRecord, t.old()} {
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
			r.violated("%s was moved by what was replayed: from %+v to %+v", id, was, is)
		}
	}
	return nil
}

// old gives all that was said.
func (t *tap) old() (all [][]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, list := range t.said {
		all = append(all, list...)
	}
	return all
}

// forge makes what nobody said: acknowledgements of what waits, all of it or
// the next record, under the signature of another one, one of a store that
// nobody knows, each agent's acknowledgements to the other one, and a command.
func (t *tap) forge(r *rig) (forgeRecord [][]byte, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.said[wire.CollectorID]) == 0 {
		return nil, errors.New("the collector did not announce itself")
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
			return nil, fmt.Errorf("nothing of %s waits", g.ID)
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
			forgeRecord = append(forgeRecord, faults.Publish(topic, payload, false))
		}
		forgeRecord = append(forgeRecord,
			faults.Publish(wire.Topic(world.CountyID, g.ID, "command"), []byte(`{"v":1,"action":"open"}`), false))
	}
	return forgeRecord, nil
}
