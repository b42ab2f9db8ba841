package prove

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// brokers are faults of clients of the embedded broker.
func brokers() []Fault {
	return []Fault{
		{
			Row:  31,
			Name: "huge-and-garbage",
			What: "messages of 10 MiB, undecodable ones, a forged record under a seq that is stored, " +
				"and bytes that are not MQTT",
			Expect:     "refused or quarantined, the forged one with an alarm; broker and collector go on",
			quarantine: 9,
			inject:     sendGarbage,
		},
		{
			Row:    32,
			Name:   "descriptors-used-up",
			What:   "10,000 connections to a broker that may have 400 files open",
			Expect: "it accepts connections again afterwards",
			prepare: func(_ context.Context, r *rig) error {
				r.brokerArgv = []string{"/bin/sh", "-c", `ulimit -n 400; exec "$0" "$@"`}
				return nil
			},
			inject: useUpDescriptors,
		},
		{
			Row:    33,
			Name:   "half-open",
			What:   "connections that send nothing, or half a CONNECT, a byte a second",
			Expect: "closed after 5 s",
			inject: holdHalfOpen,
		},
		{
			Row:    34,
			Name:   "reconnect-storm",
			What:   "the broker restarts under 1,000 connected agents",
			Expect: "they reconnect spread over time",
			slow:   true,
			inject: reconnectStorm,
		},
	}
}

func sendGarbage(ctx context.Context, r *rig) error {
	topic := wire.Topic(world.CountyID, "gate-999", wire.LeafRecords)
	for range 3 {
		// The broker disconnects a client that sends so much; the error is expected.
		_ = r.publish(ctx, mqtt.Message{Topic: topic, QoS: 1, Payload: make([]byte, 10<<20)})
	}
	for i, payload := range []string{"", "\x00\xff\xfe", `{"v":1}`, strings.Repeat("[", 100000),
		`{"v":1,"agent":"gate-999"`} {
		leaf := []wire.Leaf{wire.LeafRecords, wire.LeafHello}[i%2]
		if err := r.publish(ctx, mqtt.Message{
			Topic:   wire.Topic(world.CountyID, "gate-999", leaf),
			QoS:     1,
			Payload: []byte(payload),
		}); err != nil {
			return err
		}
	}
	for range 20 {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", r.brokerAddress())
		if err != nil {
			return fmt.Errorf("the broker does not answer: %w", err)
		}
		b := make([]byte, 512)
		for i := range b {
			b[i] = byte(r.rnd.Uint32())
		}
		_, _ = c.Write(b) // the broker may have disconnected
		c.Close()
	}
	if err := r.forgeRecord(ctx); err != nil {
		return err
	}
	if r.broker.died() || r.collector.died() {
		return errors.New("broker or collector has ended")
	}
	return nil
}

// forgeRecord sends, in an agent's name, another record under a seq that is
// stored.
func (r *rig) forgeRecord(ctx context.Context) error {
	gate := r.gates[0].ID
	v, err := journal.Look(r.journalDir(gate))
	if err != nil {
		return err
	}
	defer v.Close()
	if _, ok := r.poll(ctx, 10*time.Second, func() bool { n, ok := r.stored(ctx, v.JID); return ok && n > 0 }); !ok {
		return errors.New("nothing of the first gate is stored")
	}
	c, err := v.Read(1, 1, 1<<10)
	if err != nil {
		return err
	}
	if len(c.Entries) == 0 {
		return fmt.Errorf("%s has no first record", gate)
	}
	rec := c.Entries[0].Record
	rec.BootNS++
	raw, err := wire.EncodeRecord(rec)
	if err != nil {
		return err
	}
	payload, err := wire.EncodeBatch(wire.Batch{
		Agent:   gate,
		JID:     v.JID,
		From:    rec.Seq,
		To:      rec.Seq,
		Entries: []wire.Entry{{Record: rec, Raw: raw}},
	})
	if err != nil {
		return err
	}
	if err := r.publish(ctx, mqtt.Message{
		Topic:   wire.Topic(world.CountyID, gate, wire.LeafRecords),
		QoS:     1,
		Payload: payload,
	}); err != nil {
		return err
	}
	return r.awaitAlert(ctx, "journal-conflict")
}

// brokerAddress returns the broker's host:port.
func (r *rig) brokerAddress() string { return strings.TrimPrefix(r.brokerURL, "tcp://") }

// useUpDescriptors opens far more connections than the broker can have.
func useUpDescriptors(ctx context.Context, r *rig) error {
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	refused := 0
	for range 10_000 {
		c, err := (&net.Dialer{Timeout: 100 * time.Millisecond}).DialContext(ctx, "tcp", r.brokerAddress())
		if err != nil {
			refused++
			if refused > 50 {
				break // the kernel's queue is full, too
			}
			continue
		}
		held = append(held, c)
	}
	r.note("%d connections at once", len(held))
	r.wait(ctx, 2*time.Second)
	for _, c := range held {
		c.Close()
	}
	held = nil
	took, ok := r.poll(ctx, 20*time.Second, func() bool {
		return r.publish(ctx, mqtt.Message{Topic: "gatehouse/v1/proof/nobody/beat", Payload: []byte("{}")}) == nil
	})
	if !ok {
		return errors.New("the broker accepts no connection after the others are closed")
	}
	r.note("accepts again after %.1f s", took.Seconds())
	return nil
}

// holdHalfOpen opens connections that do not become clients.
func holdHalfOpen(ctx context.Context, r *rig) error {
	const conns, within = 20, 6 * time.Second // 5 s, and one for a busy computer
	var wg sync.WaitGroup
	var mu sync.Mutex
	open, longest := conns, time.Duration(0)
	for i := range conns {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", r.brokerAddress())
		if err != nil {
			return err
		}
		begin := time.Now()
		wg.Go(func() {
			defer c.Close()
			connect := []byte{0x10, 0x20, 0x00, 0x04, 'M', 'Q', 'T', 'T', 0x04, 0x02}
			if i%2 == 0 {
				go func() {
					for _, b := range connect {
						if _, err := c.Write([]byte{b}); err != nil {
							return
						}
						retry.Sleep(ctx, time.Second)
					}
				}()
			}
			_ = c.SetReadDeadline(begin.Add(within))
			if _, err := io.Copy(io.Discard, c); err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
				mu.Lock()
				defer mu.Unlock()
				open, longest = open-1, max(longest, time.Since(begin))
			}
		})
	}
	wg.Wait()
	if open > 0 {
		return fmt.Errorf("%d of %d connections that never became clients are open after %s", open, conns, within)
	}
	r.note("closed within %.1f s", longest.Seconds())
	return nil
}

// reconnectStorm connects a thousand agents and restarts the broker.
func reconnectStorm(ctx context.Context, r *rig) error {
	const agents = 1000
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	var up atomic.Int64
	var mu sync.Mutex
	var tries []time.Time // when connecting began
	for i := range agents {
		id := fmt.Sprintf("storm-%d", i)
		c := mqtt.New(mqtt.Config{URL: r.brokerURL, ClientID: id, Log: slog.New(slog.DiscardHandler),
			Subscriptions: []mqtt.Subscription{{Filter: wire.Topic(world.CountyID, id, wire.LeafAck)}},
			Hello: func() (will, first *mqtt.Message) {
				mu.Lock()
				defer mu.Unlock()
				tries = append(tries, time.Now())
				return nil, nil
			},
			OnUp: func() { up.Add(1) }, OnDown: func(error) { up.Add(-1) }})
		wg.Go(func() { _ = c.Run(ctx) }) // ends with ctx only
	}
	took, ok := r.poll(ctx, time.Minute, func() bool { return up.Load() == agents })
	if !ok {
		return fmt.Errorf("only %d of %d agents connected within a minute", up.Load(), agents)
	}
	r.note("%d agents connected in %.1f s", agents, took.Seconds())
	mu.Lock()
	tries = nil
	mu.Unlock()
	if err := r.restart(ctx, time.Second, r.broker); err != nil {
		return err
	}
	begin := time.Now()
	if _, ok = r.poll(ctx, time.Minute, func() bool { return up.Load() == agents }); !ok {
		return fmt.Errorf("only %d of %d agents reconnected within a minute", up.Load(), agents)
	}
	mu.Lock()
	defer mu.Unlock()
	most := 0
	for i := range tries {
		n := 0
		for _, t := range tries[i:] {
			if t.Sub(tries[i]) < 100*time.Millisecond {
				n++
			}
		}
		most = max(most, n)
	}
	r.note("all back after %.1f s, at most %d tried within 100 ms", time.Since(begin).Seconds(), most)
	if most > agents/4 {
		return fmt.Errorf("%d of %d agents tried to reconnect within 100 ms", most, agents)
	}
	return nil
}
