package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/wire"
)

// What a client may ask of the broker. A collector is not bound by it. Of others the
// broker keeps nothing but a few retained messages: their sessions are clean, and
// what they subscribe to is sent once (QoS 0), save the collector's status. So
// nobody fills the store that all share by not acknowledging, or by not coming back.
const (
	mostFilters = 32  // of one connection
	maxTopic    = 512 // bytes of a topic or filter
	maxLevels   = 32  // of a topic or filter
)

// fault is why a client is disconnected.
type fault struct {
	what  string // and what to do about it
	topic string // that it is about; empty: none
}

func (f fault) Error() string { return f.what }

// rules watch over one connection.
type rules struct {
	*shared

	who      greeting
	trusted  bool // a collector
	visitor  *visitor
	complain func(what, topic string)

	accepted chan struct{} // closed when the broker has accepted the client
	filters  map[string]bool
	twice    exchanges
}

// sent looks at a packet of the client.
func (r *rules) sent(ctx context.Context, p packet) error {
	select {
	case <-r.accepted: // nothing counts before the password was right
	default:
		select {
		case <-r.accepted:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b, whole := p.body()
	cost := otherCost
	var err error
	switch p.kind() {
	case packetPublish:
		cost, err = leastCost, r.publish(ctx, p)
	case packetPubRel: // nats-server looks into its store for what it belongs to
		cost = leastCost
	case packetSubscribe, packetUnsubscribe:
		if !whole {
			return fault{what: "it names too many topics in one packet"}
		}
		var n int
		n, err = r.subscribe(b, p.kind() == packetSubscribe)
		cost = n * leastCost
	}
	r.visitor.send(time.Now(), max(0, cost-p.size))
	return err
}

// publish looks at a message of the client. One of QoS 2 is passed on with QoS 1.
func (r *rules) publish(ctx context.Context, p packet) error {
	b, _ := p.body()
	topic, rest := cutString(b)
	err := check(topic)
	if len(b) >= 2 && topic == "" && binary.BigEndian.Uint16(b) > maxTopic { // it is longer than what is looked at
		err = check(string(b[2:]))
	}
	if err != nil {
		return err
	}
	flags := p.head[0]
	if flags&qosBits == qos2 && len(rest) >= 2 {
		r.twice.begin(binary.BigEndian.Uint16(rest))
		p.head[0] = flags&^qosBits | qos1
	}
	if r.trusted {
		return nil
	}
	if flags&retainBit != 0 && !r.retained.take(r.owner(topic), topic, p.size) {
		p.head[0] &^= retainBit
		r.complain(tooManyRetained, topic)
	}
	if flags&qosBits == 0 || !r.kept.full(topic) {
		return nil
	}
	r.complain(tooMuchKept, topic)
	return r.kept.wait(ctx, topic)
}

// owner returns whose share a retained message counts towards.
func (r *rules) owner(topic string) string {
	if r.named() {
		return r.who.user
	}
	return ownerOf(topic, "/")
}

// Bits of the first byte of a PUBLISH packet.
const (
	retainBit = 0x01
	qosBits   = 0x06
	qos1      = 0x02
	qos2      = 0x04
)

const (
	tooManyRetained = "its message is passed on, and not retained: a client may have " +
		"64 retained messages, of 16 KiB each at most"
	tooMuchKept = "too many of its messages wait for the collector, and it must wait: " +
		"does the county's store take nothing?"
)

// subscribe looks at the filters of a SUBSCRIBE or UNSUBSCRIBE packet, and returns
// how many they are.
func (r *rules) subscribe(b []byte, begin bool) (n int, err error) {
	b = b[min(2, len(b)):] // the packet's number
	for len(b) > 0 {
		n++
		filter, rest := cutString(b)
		if err := check(filter); err != nil {
			return n, err
		}
		b = rest
		if !begin {
			delete(r.filters, filter)
			continue
		}
		if len(b) > 0 {
			if !r.trusted && !onlyCollectors(filter) {
				b[0] = 0 // the QoS that it asks for
			}
			b = b[1:]
		}
		r.filters[filter] = true
		if len(r.filters) > mostFilters && !r.trusted {
			return n, fault{what: fmt.Sprintf("it subscribes to more than %d topics: use + and #", mostFilters)}
		}
	}
	return n, nil
}

// onlyCollectors reports whether a filter is that of the collector's status. Agents
// ask for it with QoS 1.
func onlyCollectors(filter string) bool {
	end := "/" + wire.CollectorID + "/" + string(wire.LeafStatus)
	return strings.HasPrefix(filter, wire.Root+"/") && strings.HasSuffix(filter, end) &&
		strings.Count(filter, "/") == strings.Count(wire.Root, "/")+strings.Count(end, "/")+1
}

// check returns what is wrong with a topic or filter.
func check(topic string) error {
	some := topic[:min(len(topic), 200)]
	switch {
	case strings.ContainsAny(topic, notCarried):
		return fault{whiteSpace, some}
	case len(topic) > maxTopic:
		return fault{fmt.Sprintf("its topic has %d bytes, and this broker takes %d", len(topic), maxTopic), some}
	case strings.Count(topic, "/") >= maxLevels:
		return fault{fmt.Sprintf("its topic has more than %d levels", maxLevels), some}
	}
	return nil
}

// received looks at a packet for the client.
func (r *rules) received(p packet) error {
	b, _ := p.body()
	switch {
	case p.kind() == packetConnAck && len(b) == 2 && b[1] == 0:
		if r.who.willRetained && !r.trusted {
			r.retained.take(r.owner(r.who.will), r.who.will, 0)
		}
		close(r.accepted)
	case p.kind() == packetPubAck && len(b) >= 2 && r.twice.end(binary.BigEndian.Uint16(b)):
		p.head[0] = packetPubRec << 4
	}
	return nil
}

// exchanges are the numbers of messages that a client has sent with QoS 2, which the
// broker was given with QoS 1: it acknowledges them with PUBACK, and the client
// waits for PUBREC. What follows, PUBREL and PUBCOMP, the broker answers as for a
// message that it has passed on already.
type exchanges struct {
	mu   sync.Mutex
	open map[uint16]bool
}

func (x *exchanges) begin(id uint16) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.open == nil {
		x.open = map[uint16]bool{}
	}
	x.open[id] = true
}

// end reports whether the message was of QoS 2.
func (x *exchanges) end(id uint16) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	found := x.open[id]
	delete(x.open, id)
	return found
}
