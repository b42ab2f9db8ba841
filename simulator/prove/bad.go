package prove

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// How fast the bad agent sends: some 30 MB/s, as much as one agent was seen to
// send.
const (
	helloEvery = 10 * time.Millisecond
	batchEvery = 4 * time.Millisecond
	batchBytes = 40_000
	junkEvery  = 5 * time.Millisecond
	junkBytes  = 100_000
	theftEvery = 2 * time.Second
	beatEvery  = 10 * time.Second
)

// run does everything at once until ctx is done. Otherwise the bad agent looks
// like any other: it publishes its status and heartbeats.
func (b *badAgent) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	jid := uuid.NewString()
	c, up := b.agentClient(jid)
	wg.Go(func() { _ = c.Run(ctx) }) // ends with ctx only
	// The flood has a connection of its own, so that heartbeats need not wait.
	flood := mqtt.New(mqtt.Config{
		URL:      b.r.brokerURL,
		ClientID: b.id + "-besides",
		Log:      slog.New(slog.DiscardHandler),
	})
	wg.Go(func() { _ = flood.Run(ctx) }) // ends with ctx only
	select {
	case <-up:
	case <-ctx.Done():
		return
	}
	every := func(d time.Duration, send func(n int)) {
		wg.Go(func() {
			for n := 0; retry.Sleep(ctx, d); n++ {
				send(n)
			}
		})
	}
	send := func(count int, leaf wire.Leaf, payload []byte) {
		if flood.Publish(mqtt.Message{Topic: b.topic(leaf), Payload: payload, QoS: 1}) == nil {
			b.counts[count].Add(1)
		}
	}
	beat := func(int) {
		at := wire.At(time.Now())
		payload := encoded(wire.Beat{V: 1, At: at, JID: jid, Origin: jid, Devices: []wire.BeatDevice{}})
		_ = c.Publish(mqtt.Message{Topic: b.topic(wire.LeafBeat), Payload: payload}) // the next one repeats it
	}
	beat(0)
	every(beatEvery, beat)
	every(helloEvery, func(n int) {
		nonce := fmt.Sprintf("bad-%020d", n)
		send(0, wire.LeafHello, encoded(wire.Hello{V: 1, JID: jid, Term: math.MaxUint64 - 1, Nonce: nonce}))
	})
	every(batchEvery, func(n int) { send(1, wire.LeafRecords, b.batch(uint64(1+n%2))) })
	junk := []byte(strings.Repeat("junk", junkBytes/4))
	every(junkEvery, func(n int) { send(2, wire.LeafRecords, fmt.Appendf(junk[:len(junk):len(junk)], "%d", n)) })
	every(theftEvery, func(int) { b.steal(ctx) })
}

// agentClient returns the connection on which it looks like an agent, and a
// channel that gets a value when it is connected.
func (b *badAgent) agentClient(jid string) (*mqtt.Client, <-chan struct{}) {
	up := make(chan struct{}, 1)
	return mqtt.New(mqtt.Config{
		URL:      b.r.brokerURL,
		ClientID: b.id,
		Log:      slog.New(slog.DiscardHandler),
		Subscriptions: []mqtt.Subscription{{
			Filter: wire.Topic(world.CountyID, wire.CollectorID, wire.LeafStatus),
			QoS:    1,
		}},
		Hello: func() (will, first *mqtt.Message) {
			payload := encoded(wire.Status{V: 1, State: fact.Online, At: wire.At(time.Now()), JID: jid})
			return nil, &mqtt.Message{Topic: b.topic(wire.LeafStatus), Payload: payload, QoS: 1, Retained: true}
		},
		OnUp: func() {
			select {
			case up <- struct{}{}:
			default:
			}
		},
		OnMessage: func(m mqtt.Message) {
			if st, err := wire.Decode[wire.CollectorStatus](m.Payload); err == nil {
				b.start.Store(&st.Start)
			}
		},
	}), up
}

// encoded encodes a message of plain values, which does not fail.
func encoded[M wire.Hello | wire.Status | wire.Beat](m M) []byte {
	payload, err := wire.Encode(m)
	if err != nil {
		panic(err)
	}
	return payload
}

// batch returns a valid batch of a new journal.
func (b *badAgent) batch(from uint64) []byte {
	body, err := json.Marshal(wire.Health{Device: "d", State: "ok", Detail: strings.Repeat("x", batchBytes)})
	var raw, payload []byte
	if err == nil {
		raw, err = wire.EncodeRecord(wire.Record{Seq: from, At: wire.At(time.Now()), Kind: wire.KindHealth, Body: body})
	}
	if err == nil {
		payload, err = wire.EncodeBatch(wire.Batch{Agent: b.id, JID: uuid.NewString(), From: from, To: from,
			Entries: []wire.Entry{{Raw: raw}}})
	}
	if err != nil {
		panic(err) // the values are plain, too
	}
	return payload
}

// steal connects with the collector's client id, as far as an agent can know it.
func (b *badAgent) steal(ctx context.Context) {
	start := b.start.Load()
	if start == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c := mqtt.New(mqtt.Config{URL: b.r.brokerURL, ClientID: "collector-" + *start, Log: slog.New(slog.DiscardHandler),
		OnUp: func() { b.counts[3].Add(1) }})
	_ = c.Run(ctx) // until the second is over
}
