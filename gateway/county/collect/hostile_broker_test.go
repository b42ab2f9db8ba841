package collect_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// kinds are badKinds and those that harm the broker, or want much for little.
func kinds() map[string]func(b *badAgent, ctx context.Context, i int) {
	all := maps.Clone(badKinds)
	maps.Copy(all, map[string]func(b *badAgent, ctx context.Context, i int){
		"sessions that stay": func(b *badAgent, ctx context.Context, i int) {
			b.connect(ctx, fmt.Sprint("stays", i), false, b.everything())
			b.publish(wire.LeafAck, []byte(text(60_000)))
		},
		"signed by another": func(b *badAgent, _ context.Context, i int) {
			if i%2 == 0 {
				b.publish(wire.LeafHello, b.foreignHello(i))
				return
			}
			x := b.run(256, storetest.T0, health("ok"))
			x.Sig = foreignSig
			b.records(x)
		},
		"QoS 2": func(b *badAgent, ctx context.Context, i int) {
			var packets []byte
			topic := wire.Topic("c", badName, wire.LeafRecords)
			for id := range byte(20) {
				inside := append(append([]byte{0, byte(len(topic))}, topic...), 0, id+1)
				inside = append(inside, text(60)...)
				packets = append(append(packets, 0x34, byte(len(inside))), inside...)
			}
			b.connect(ctx, fmt.Sprint("two", i), true, packets)
		},
		"names of others": func(b *badAgent, ctx context.Context, i int) {
			b.connect(ctx, fmt.Sprintf("gate-%03d", 1+i%goodAgents), true, nil)
		},
		"fan-out": func(b *badAgent, ctx context.Context, i int) {
			if i < 10 {
				b.connect(ctx, fmt.Sprint("fan", i), true, b.everything())
			}
			b.publish(wire.LeafStatus, []byte(text(60_000)))
		},
		"half a CONNECT": func(b *badAgent, ctx context.Context, _ int) {
			if conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", b.c.broker.Addr()); err == nil {
				context.AfterFunc(ctx, func() { conn.Close() })
				_, _ = conn.Write(connectAs(badName, "secret", "half", true)[:9])
			}
			b.sent.Add(1)
			wait(ctx, time.Millisecond)
		},
		"long topics": func(b *badAgent, _ context.Context, i int) {
			b.send(mqtt.Message{Topic: fmt.Sprintf("gatehouse/v1/c/%s/%s/%d", badName, text(400), i), QoS: 1,
				Retained: true, Payload: []byte("x")})
		},
		"tiny holes": func(b *badAgent, _ context.Context, _ int) {
			x := wire.Batch{Agent: badName, JID: b.jid, From: b.seq + 1, To: b.seq + 512}
			sound := b.run(1, storetest.T0, health("ok")).Entries[0].Record
			for seq := x.From; seq <= x.To; seq += 2 {
				sound.Seq = seq
				x.Entries = append(x.Entries, entry(sound))
				x.Holes = append(x.Holes, wire.Hole{From: seq + 1, To: seq + 1, Reason: "a", Count: 1})
			}
			b.seq = x.To
			b.records(x)
		},
	})
	return all
}

// connect makes a connection, sends packets over it, and reads nothing more than
// the answer to CONNECT.
func (b *badAgent) connect(ctx context.Context, id string, clean bool, packets []byte) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", b.c.broker.Addr())
	if err != nil {
		return
	}
	b.sent.Add(1)
	context.AfterFunc(ctx, func() { conn.Close() })
	_, _ = conn.Write(connectAs(badName, "secret", id, clean))
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = conn.Read(make([]byte, 4))
	_, _ = conn.Write(packets)
}

// everything is a SUBSCRIBE packet for all topics of the bad agent, with QoS 1.
func (b *badAgent) everything() []byte {
	filter := "gatehouse/v1/c/" + badName + "/#"
	return append(append([]byte{0x82, byte(5 + len(filter)), 0, 1, 0, byte(len(filter))}, filter...), 1)
}

// foreignSig is a signature of the right form: to verify it takes as long as a good one.
const foreignSig = "MEUCIQDofCFd7OFaeZsWT6r0gevxiVUH6SN2tgmkzoYBglAAhgIgdTyH3uN8QH7lyeCUbutIJlsp1+2B0aOjJcEkYb8sx1A="

func (b *badAgent) foreignHello(i int) []byte {
	payload, err := wire.Encode(wire.Hello{V: 1, JID: b.jid, Term: 1, Nonce: fmt.Sprintf("bad-%020d", i),
		Sig: foreignSig})
	if err != nil {
		panic(err) // the values are plain
	}
	return payload
}
