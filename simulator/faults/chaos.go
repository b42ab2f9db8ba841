package faults

import (
	"bufio"
	"context"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/retry"
)

// Line is the state of the line between clients and broker; its zero value is a
// sound one. Probabilities, 0 to 1, are of PUBLISH packets.
type Line struct {
	Cut       bool                // connections are closed and refused
	Frozen    bool                // connections stay open and nothing passes
	Lose      func(p Packet) bool // reports whether a packet is lost; nil: none is
	Delay     time.Duration       // longest delay of a packet; it is random
	Rate      int                 // bytes a second, each way of each connection; 0: no limit
	Duplicate float64             // probability of passing twice
	Reorder   float64             // probability of passing after the next packet
	Corrupt   float64             // probability of one flipped bit in the payload
	See       func(p Packet)      // called with every PUBLISH that passes; may be nil
}

// Chaos is a proxy between MQTT clients and their broker that treats each
// packet as its Line says.
type Chaos struct {
	relay *relay

	mu      sync.Mutex
	line    Line
	changed chan struct{}            // closed when the line changes
	clients map[net.Conn]*sync.Mutex // locked while writing to the client
	rnd     *rand.Rand
}

// NewChaos listens on a loopback port for MQTT clients of target (host:port).
func NewChaos(ctx context.Context, target string, seed uint64) (*Chaos, error) {
	r, err := newRelay(ctx, target)
	if err != nil {
		return nil, err
	}
	c := &Chaos{
		relay:   r,
		changed: make(chan struct{}),
		clients: map[net.Conn]*sync.Mutex{},
		rnd:     rand.New(rand.NewPCG(seed, 7)),
	}
	r.serve(ctx, func(near, far net.Conn) { c.join(ctx, near, far) })
	return c, nil
}

// Addr returns the address that clients connect to.
func (c *Chaos) Addr() string { return c.relay.addr() }

// Set changes the line.
func (c *Chaos) Set(l Line) {
	c.mu.Lock()
	c.line = l
	close(c.changed)
	c.changed = make(chan struct{})
	c.mu.Unlock()
	c.relay.setCut(l.Cut)
}

// Send writes raw packets to every client, as if the broker had sent them.
func (c *Chaos) Send(raw ...[]byte) {
	c.mu.Lock()
	clients := maps.Clone(c.clients)
	c.mu.Unlock()
	for conn, mu := range clients {
		mu.Lock()
		for _, b := range raw {
			_, _ = conn.Write(b) // a client that has gone needs nothing
		}
		mu.Unlock()
	}
}

// Close ends the proxy and waits for its goroutines.
func (c *Chaos) Close() {
	c.Set(Line{Cut: true})
	c.relay.close()
}

// join passes packets between a client and its broker until a connection ends.
func (c *Chaos) join(ctx context.Context, client, broker net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	toClient := &sync.Mutex{}
	c.mu.Lock()
	c.clients[client] = toClient
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.clients, client)
	}()
	var both sync.WaitGroup
	end := func() { cancel(); client.Close(); broker.Close() }
	both.Go(func() { defer end(); c.pass(ctx, client, broker, true, &sync.Mutex{}) })
	both.Go(func() { defer end(); c.pass(ctx, broker, client, false, toClient) })
	both.Wait()
}

// pass passes packets one way until the connection ends. It locks mu to write.
func (c *Chaos) pass(ctx context.Context, from, to net.Conn, up bool, mu *sync.Mutex) {
	r := bufio.NewReader(from)
	var held []byte // to be passed after the next packet
	write := func(raw []byte) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := to.Write(raw)
		return err
	}
	for {
		p, err := readPacket(r, up)
		if err != nil {
			return
		}
		line, ok := c.wait(ctx)
		if !ok {
			return
		}
		pass, later := c.treat(ctx, line, p)
		if held != nil {
			pass = append(pass, held)
		}
		for _, raw := range pass {
			if line.Rate > 0 {
				retry.Sleep(ctx, time.Duration(len(raw))*time.Second/time.Duration(line.Rate))
			}
			if write(raw) != nil {
				return
			}
		}
		held = later
	}
}

// wait returns the line as soon as it is not frozen, or false when ctx is done.
func (c *Chaos) wait(ctx context.Context) (Line, bool) {
	for {
		c.mu.Lock()
		line, changed := c.line, c.changed
		c.mu.Unlock()
		if !line.Frozen {
			return line, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return line, false
		}
	}
}

// chance returns true with probability p.
func (c *Chaos) chance(p float64) bool {
	if p == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rnd.Float64() < p
}

// random returns a random number below n.
func (c *Chaos) random(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rnd.IntN(n)
}

// treat returns what passes now and what passes after the next packet.
func (c *Chaos) treat(ctx context.Context, line Line, p Packet) (now [][]byte, later []byte) {
	if line.Lose != nil && line.Lose(p) {
		return nil, nil
	}
	if line.Delay > 0 {
		retry.Sleep(ctx, time.Duration(c.random(int(line.Delay))))
	}
	if p.Kind != kindPublish {
		return [][]byte{p.raw}, nil
	}
	if line.See != nil {
		line.See(p)
	}
	if c.chance(line.Corrupt) && p.body < len(p.raw) {
		p.raw = slices.Clone(p.raw)
		p.raw[p.body+c.random(len(p.raw)-p.body)] ^= 1 << c.random(8)
	}
	if c.chance(line.Duplicate) {
		return [][]byte{p.raw, p.raw}, nil
	}
	if c.chance(line.Reorder) {
		return nil, p.raw
	}
	return [][]byte{p.raw}, nil
}
