package collect_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// badAgent misbehaves in one way, as fast as the broker lets it.
type badAgent struct {
	c      *realCounty
	client *mqtt.Client
	jid    string
	seq    uint64 // the newest one that it has sent
	sent   atomic.Int64
}

// badKinds are the ways in which an agent may misbehave. Each is called again and
// again, with the number of the call.
var badKinds = map[string]func(b *badAgent, ctx context.Context, i int){
	"old times":    func(b *badAgent, _ context.Context, _ int) { b.full(time.Unix(30, 0), "ok") },
	"future times": func(b *badAgent, _ context.Context, _ int) { b.full(farOff, "ok") },
	"a backlog":    func(b *badAgent, _ context.Context, _ int) { b.full(storetest.T0, "ok") },
	"huge records": func(b *badAgent, _ context.Context, _ int) {
		b.records(b.run(2, storetest.T0, health(text(30_000))))
	},
	"beyond the limits": func(b *badAgent, _ context.Context, i int) {
		switch i % 3 {
		case 0:
			b.records(b.run(1, storetest.T0, health(text(60_000))))
		case 1:
			b.records(b.run(300, storetest.T0, health("ok")))
		default:
			b.publish(wire.LeafRecords, []byte(text(200_000)))
		}
	},
	"ever new journals": func(b *badAgent, _ context.Context, i int) {
		b.jid, b.seq = storetest.JID(1000+i), 0
		b.records(b.run(1, storetest.T0, health("ok")))
	},
	"ever new names": func(b *badAgent, _ context.Context, i int) {
		x := b.run(1, storetest.T0, health("ok"))
		x.Agent = fmt.Sprintf("gate-%d", 1000+i)
		b.send(mqtt.Message{Topic: wire.Topic("c", x.Agent, wire.LeafRecords), Payload: encode(x), QoS: 1})
		b.records(x)
	},
	"undecodable": func(b *badAgent, _ context.Context, i int) {
		b.publish(wire.LeafRecords, fmt.Appendf(bytes.Repeat([]byte("junk"), 20_000), "%d", i))
	},
	"damaged": func(b *badAgent, _ context.Context, _ int) {
		sound := encode(b.run(256, storetest.T0, health("ok")))
		b.publish(wire.LeafRecords, bytes.Replace(sound, []byte("ok"), []byte("no"), 1))
	},
	"terms": func(b *badAgent, _ context.Context, i int) {
		ack := wire.Ack{V: 1, JID: b.jid, Through: 1, Store: "s", Term: math.MaxUint64 - 1, Nonce: "n", Sig: text(88)}
		h := wire.Hello{V: 1, JID: b.jid, Term: math.MaxUint64 - 1, Nonce: fmt.Sprintf("bad-%020d", i), Proof: &ack}
		if i%2 == 0 {
			h.Term, h.Proof = uint64(i), nil
		}
		payload, err := wire.Encode(h)
		if err != nil {
			panic(err)
		}
		b.publish(wire.LeafHello, payload)
	},
	"alarms ahead": func(b *badAgent, _ context.Context, i int) {
		alarm := wire.Alarm{ID: fmt.Sprint("x:", i), Type: fact.AlarmFever, State: fact.AlarmRaised}
		x := b.run(1, storetest.T0, &alarm)
		x.Ahead = true
		b.records(x)
	},
	"again and again": func(b *badAgent, _ context.Context, _ int) {
		b.seq = 0
		b.full(storetest.T0, "ok")
	},
	"always a gap": func(b *badAgent, _ context.Context, _ int) {
		b.seq += 1000
		b.full(storetest.T0, "ok")
	},
	"unreadable records": func(b *badAgent, _ context.Context, i int) {
		b.records(b.run(256, storetest.T0, &wire.Audit{Actor: "guard", Action: "", Alarm: fmt.Sprint(i)}))
	},
	"holes": func(b *badAgent, _ context.Context, _ int) {
		x := wire.Batch{Agent: badName, JID: b.jid, From: b.seq + 1, To: b.seq + 1800}
		for seq := x.From; seq <= x.To; seq++ {
			x.Holes = append(x.Holes, wire.Hole{From: seq, To: seq, Reason: []string{"a", "b"}[seq%2], Count: 1})
		}
		b.seq = x.To
		b.records(x)
	},
	"deeply nested": func(b *badAgent, _ context.Context, i int) {
		x := b.run(1, storetest.T0, health("ok"))
		deep := fmt.Sprintf(`"n":%d,"x":%s%s,"device"`, i, strings.Repeat(`[`, 20_000), strings.Repeat(`]`, 20_000))
		x.Entries[0].Raw = bytes.Replace(x.Entries[0].Raw, []byte(`"device"`), []byte(deep), 1)
		b.records(x)
	},
	"other content": func(b *badAgent, _ context.Context, i int) {
		b.seq = 0
		b.full(storetest.T0, fmt.Sprint("ok", i))
	},
	"retained": func(b *badAgent, _ context.Context, i int) {
		b.send(mqtt.Message{Topic: fmt.Sprintf("gatehouse/v1/c/%s/x/%d", badName, i), QoS: 1, Retained: true,
			Payload: []byte(text(60_000))})
	},
	"stuck": func(b *badAgent, ctx context.Context, i int) {
		if i < 50 {
			b.stick(ctx)
		}
		b.publish(wire.LeafAck, []byte(text(60_000)))
		b.hello(i)
	},
	"reconnects": func(b *badAgent, ctx context.Context, i int) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", b.c.broker.Addr())
		b.sent.Add(1)
		if err != nil {
			return
		}
		_, _ = conn.Write(connectAs(badName, []string{"secret", "wrong"}[i%2], fmt.Sprint("x", i), true))
		if i%4 < 2 {
			_, _ = conn.Read(make([]byte, 4))
		}
		conn.Close()
	},
	"hellos": func(b *badAgent, _ context.Context, i int) { b.hello(i) },
	"beats": func(b *badAgent, _ context.Context, i int) {
		payload, err := wire.Encode(wire.Beat{V: 1, JID: storetest.JID(i), Devices: []wire.BeatDevice{}})
		if err != nil {
			panic(err)
		}
		b.publish(wire.LeafBeat, payload)
	},
	"refused by the store": func(b *badAgent, _ context.Context, _ int) {
		state := fact.DeviceState(strings.Repeat(",", 40_000)) // InfluxDB escapes commas in a tag
		b.records(b.run(1, storetest.T0, &wire.Health{Device: "d", State: state}))
	},
	"series": func(b *badAgent, _ context.Context, i int) {
		x := b.run(256, storetest.T0, health("ok"))
		for k := range x.Entries {
			r := x.Entries[k].Record
			r.Era = uint32(256*i + k) //nolint:gosec // small
			x.Entries[k] = entry(r)
		}
		b.records(x)
	},
}

var farOff = time.Date(2261, 12, 31, 0, 0, 0, 0, time.UTC)

func text(n int) string { return strings.Repeat("x", n) }

func health(detail string) *wire.Health {
	return &wire.Health{Device: "d", State: "ok", Detail: detail}
}

// full sends a full batch.
func (b *badAgent) full(at time.Time, detail string) { b.records(b.run(256, at, health(detail))) }

// run returns the agent's next n records, all with one body.
func (b *badAgent) run(n int, at time.Time, body wire.Body) wire.Batch {
	raw, err := wire.EncodeBody(body)
	if err != nil {
		panic(err)
	}
	x := wire.Batch{Agent: badName, JID: b.jid, From: b.seq + 1, To: b.seq + uint64(n)}
	for seq := x.From; seq <= x.To; seq++ {
		x.Entries = append(x.Entries, entry(wire.Record{Seq: seq, At: wire.At(at.Add(time.Duration(seq))),
			Kind: body.Kind(), Body: raw}))
	}
	b.seq = x.To
	return x
}

func entry(r wire.Record) wire.Entry {
	raw, err := wire.EncodeRecord(r)
	if err != nil {
		panic(err)
	}
	return wire.Entry{Record: r, Raw: raw}
}

func encode(x wire.Batch) []byte {
	payload, err := wire.EncodeBatch(x)
	if err != nil {
		panic(err)
	}
	return payload
}

func (b *badAgent) records(x wire.Batch) { b.publish(wire.LeafRecords, encode(x)) }
func (b *badAgent) publish(leaf wire.Leaf, payload []byte) {
	b.send(mqtt.Message{Topic: wire.Topic("c", badName, leaf), Payload: payload, QoS: 1})
}

func (b *badAgent) send(m mqtt.Message) {
	if b.client.Publish(m) != nil {
		time.Sleep(time.Millisecond) // it is not connected: the broker has ended the connection
		return
	}
	b.sent.Add(1)
}

func (b *badAgent) hello(i int) {
	payload, err := wire.Encode(wire.Hello{V: 1, JID: b.jid, Term: 1, Nonce: fmt.Sprintf("bad-%020d", i)})
	if err != nil {
		panic(err)
	}
	b.publish(wire.LeafHello, payload)
}

// stick makes a connection that subscribes to everything it may and reads nothing.
func (b *badAgent) stick(ctx context.Context) {
	b.connect(ctx, fmt.Sprint("stuck-", time.Now().UnixNano()), false, b.everything())
}

// connectAs returns a CONNECT packet.
func connectAs(user, password, id string, clean bool) []byte {
	inside := []byte{0, 4, 'M', 'Q', 'T', 'T', 4, 0xC0, 0, 0}
	if clean {
		inside[7] |= 2
	}
	for _, field := range []string{id, user, password} {
		inside = append(append(inside, 0, byte(len(field))), field...)
	}
	return append([]byte{0x10, byte(len(inside))}, inside...)
}

// play misbehaves until ctx ends, and closes begun when it has done so a few times.
func (c *realCounty) play(
	ctx context.Context, n int, kind func(*badAgent, context.Context, int), begun chan<- struct{},
) {
	b := &badAgent{c: c, jid: storetest.JID(900 + n)}
	b.client = c.client(badName, fmt.Sprint(badName, "-", n), nil)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { _ = b.client.Run(ctx) })
	begins := sync.OnceFunc(func() { close(begun) })
	defer begins()
	for i := 0; ctx.Err() == nil; i++ {
		kind(b, ctx, i)
		if i >= 2 && b.sent.Load() > 0 {
			begins()
		}
	}
}
