package faults

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// Packet is one MQTT control packet on its way.
type Packet struct {
	Up    bool   // from the client to the broker
	Kind  byte   // of MQTT 3.1.1: 3 is PUBLISH
	Topic string // of a PUBLISH
	body  int    // where its payload begins
	raw   []byte
}

// Payload is a PUBLISH's. It must not be changed.
func (p Packet) Payload() []byte { return p.raw[p.body:] }

// kindPublish is MQTT's number of a PUBLISH.
const kindPublish = 3

// Line is what happens on the way. Chances are of PUBLISH packets, 0 to 1.
type Line struct {
	Cut       bool                // no connection stands, none is made
	Frozen    bool                // connections stand and nothing passes
	Lose      func(p Packet) bool // packets that vanish
	Delay     time.Duration       // at most, of each packet
	Rate      int                 // bytes per second each way of a connection; 0: no limit
	Duplicate float64             // chance to pass twice
	Reorder   float64             // chance to pass after the next one
	Corrupt   float64             // chance of one flipped bit in the payload
	See       func(p Packet)      // is shown every PUBLISH that passes; may be nil
}

// Chaos stands between MQTT clients and their broker and treats each packet as
// its line says.
type Chaos struct {
	target   string
	listener net.Listener
	wg       sync.WaitGroup

	mu      sync.Mutex
	line    Line
	changed chan struct{} // closed when the line changes
	conns   map[net.Conn]bool
	down    map[net.Conn]*sync.Mutex // clients, and who may write to them
	rnd     *rand.Rand
}

// NewChaos listens on a loopback port for MQTT clients of target (host:port).
func NewChaos(ctx context.Context, target string, seed uint64) (*Chaos, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a line to %s: %w", target, err)
	}
	c := &Chaos{target: target, listener: l, changed: make(chan struct{}), conns: map[net.Conn]bool{},
		down: map[net.Conn]*sync.Mutex{}, rnd: rand.New(rand.NewPCG(seed, 7))}
	c.wg.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			c.wg.Go(func() { c.join(ctx, near) })
		}
	})
	return c, nil
}

// Addr is what clients connect to.
func (c *Chaos) Addr() string { return c.listener.Addr().String() }

// Set changes the line.
func (c *Chaos) Set(l Line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line = l
	close(c.changed)
	c.changed = make(chan struct{})
	if l.Cut {
		for conn := range c.conns {
			conn.Close()
		}
	}
}

// Send writes raw packets to every client, as if the broker had.
func (c *Chaos) Send(raw ...[]byte) {
	c.mu.Lock()
	to := map[net.Conn]*sync.Mutex{}
	for conn, mu := range c.down {
		to[conn] = mu
	}
	c.mu.Unlock()
	for conn, mu := range to {
		mu.Lock()
		for _, b := range raw {
			_, _ = conn.Write(b) // a client that has gone gets nothing
		}
		mu.Unlock()
	}
}

// Publish is a PUBLISH packet of QoS 0.
func Publish(topic string, payload []byte, retained bool) []byte {
	head := byte(kindPublish << 4)
	if retained {
		head |= 1
	}
	b := binary.AppendUvarint([]byte{head}, uint64(2+len(topic)+len(payload)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(topic)))
	return append(append(b, topic...), payload...)
}

// Close ends the proxy and waits for its goroutines.
func (c *Chaos) Close() {
	c.Set(Line{Cut: true})
	c.listener.Close()
	c.wg.Wait()
}

func (c *Chaos) keep(conn net.Conn, client bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line.Cut {
		conn.Close()
		return false
	}
	c.conns[conn] = true
	if client {
		c.down[conn] = &sync.Mutex{}
	}
	return true
}

func (c *Chaos) drop(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn.Close()
	delete(c.conns, conn)
	delete(c.down, conn)
}

func (c *Chaos) join(ctx context.Context, near net.Conn) {
	if !c.keep(near, true) {
		return
	}
	defer c.drop(near)
	far, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.target)
	if err != nil || !c.keep(far, false) {
		return
	}
	defer c.drop(far)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.mu.Lock()
	mu := c.down[near]
	c.mu.Unlock()
	if mu == nil {
		return
	}
	var both sync.WaitGroup
	end := func() { cancel(); near.Close(); far.Close() }
	both.Go(func() { defer end(); c.carry(ctx, near, far, true, &sync.Mutex{}) })
	both.Go(func() { defer end(); c.carry(ctx, far, near, false, mu) })
	both.Wait()
}

// carry passes packets one way until the connection ends.
func (c *Chaos) carry(ctx context.Context, from, to net.Conn, up bool, mu *sync.Mutex) {
	r := bufio.NewReader(from)
	var held []byte
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
				sleep(ctx, time.Duration(len(raw))*time.Second/time.Duration(line.Rate))
			}
			if write(raw) != nil {
				return
			}
		}
		held = later
	}
}

// wait gives the line as soon as it is not frozen.
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

func (c *Chaos) chance(p float64) bool {
	if p == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rnd.Float64() < p
}

func (c *Chaos) n(most int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rnd.IntN(most)
}

// treat gives what passes now, and what passes after the next packet.
func (c *Chaos) treat(ctx context.Context, line Line, p Packet) (now [][]byte, later []byte) {
	if line.Lose != nil && line.Lose(p) {
		return nil, nil
	}
	if line.Delay > 0 {
		sleep(ctx, time.Duration(c.n(int(line.Delay))))
	}
	if p.Kind != kindPublish {
		return [][]byte{p.raw}, nil
	}
	if line.See != nil {
		line.See(p)
	}
	if c.chance(line.Corrupt) && p.body < len(p.raw) {
		p.raw = slices.Clone(p.raw)
		p.raw[p.body+c.n(len(p.raw)-p.body)] ^= 1 << c.n(8)
	}
	if c.chance(line.Duplicate) {
		return [][]byte{p.raw, p.raw}, nil
	}
	if c.chance(line.Reorder) {
		return nil, p.raw
	}
	return [][]byte{p.raw}, nil
}

var errPacket = errors.New("no MQTT packet")

// readPacket reads one control packet.
func readPacket(r *bufio.Reader, up bool) (Packet, error) {
	head, err := r.ReadByte()
	if err != nil {
		return Packet{}, err
	}
	raw := []byte{head}
	n, shift := 0, 0
	for {
		b, err := r.ReadByte()
		if err != nil {
			return Packet{}, err
		}
		raw = append(raw, b)
		n |= int(b&0x7F) << shift
		if b < 0x80 {
			break
		}
		if shift += 7; shift > 21 {
			return Packet{}, errPacket
		}
	}
	begin := len(raw)
	raw = append(raw, make([]byte, n)...)
	if _, err := io.ReadFull(r, raw[begin:]); err != nil {
		return Packet{}, err
	}
	p := Packet{Up: up, Kind: head >> 4, raw: raw, body: len(raw)}
	if p.Kind == kindPublish && n >= 2 {
		length := int(binary.BigEndian.Uint16(raw[begin:]))
		if body := begin + 2 + length; body <= len(raw) {
			p.Topic, p.body = string(raw[begin+2:body]), body
			if head&0x06 != 0 {
				p.body = min(body+2, len(raw))
			}
		}
	}
	return p, nil
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
