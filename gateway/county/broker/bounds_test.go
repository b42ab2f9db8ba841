package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func (b *Broker) stored(t testing.TB) uint64 {
	t.Helper()
	b.mu.Lock()
	srv := b.srv
	b.mu.Unlock()
	z, err := srv.Jsz(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.Store
}

// raw is a connection over which the test sends whatever it likes.
type raw struct {
	t testing.TB
	net.Conn
}

// dialRaw connects as a user of users(), with these flags of CONNECT and fields
// between id and user name.
func dialRaw(t testing.TB, b *Broker, user, id string, flags byte, will ...string) raw {
	t.Helper()
	conn, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := raw{t, conn}
	fields := append(append([]string{id}, will...), user, user+"!")
	c.send(connectPacket("MQTT", 4, 0xC0|flags, fields...))
	c.expect(0x20, 2, 0, 0)
	return c
}

func (c raw) send(b []byte) {
	if _, err := c.Write(b); err != nil {
		c.t.Logf("the broker has ended the connection: %v", err)
	}
}

// expect reads a packet.
func (c raw) expect(want ...byte) {
	c.t.Helper()
	got := make([]byte, len(want))
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		c.t.Fatalf("received % x, %v; want % x", got, err, want)
	}
}

// ends waits until the broker ends the connection.
func (c raw) ends() {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("the connection is still open")
	}
}

// publishPacket is a PUBLISH with these flags; without an id if it is of QoS 0.
func publishPacket(flags byte, topic string, id uint16, payload []byte) []byte {
	inside := appendString(nil, topic)
	if flags&qosBits != 0 {
		inside = binary.BigEndian.AppendUint16(inside, id)
	}
	inside = append(inside, payload...)
	return append(binary.AppendUvarint([]byte{packetPublish<<4 | flags}, uint64(len(inside))), inside...)
}

// subscribePacket is a SUBSCRIBE with QoS 1.
func subscribePacket(filters ...string) []byte {
	inside := []byte{0, 1}
	for _, f := range filters {
		inside = append(appendString(inside, f), 1)
	}
	return append(binary.AppendUvarint([]byte{packetSubscribe<<4 | 2}, uint64(len(inside))), inside...)
}

// bad is the user who misbehaves, and own what its topics begin with.
const bad, own = "gate-666", "gatehouse/v1/qinghe/gate-666/"

// attacks are what one user may try against the broker. Each returns what the log,
// and who is told, must say of it.
var attacks = map[string]struct {
	play func(t testing.TB, b *Broker)
	said string
}{
	"endless retained topics": {func(t testing.TB, b *Broker) {
		c := as(t, b, bad)
		for i := range 200 {
			c.publish(t, fmt.Sprint(own, i), 1, true, text(10<<10))
			c.publish(t, fmt.Sprintf("gatehouse/v1/county-%d/%s/status", i, bad), 1, true, "x")
		}
	}, "retained"},
	"large retained messages": {func(t testing.TB, b *Broker) {
		c := as(t, b, bad)
		for i := range 30 {
			c.publish(t, fmt.Sprint(own, "large", i), 1, true, text(100<<10))
		}
	}, "retained"},
	"retained last wills": {func(t testing.TB, b *Broker) {
		for i := range 40 {
			topic := fmt.Sprint(own, "will", i)
			c := dialRaw(t, b, bad, fmt.Sprint("w", i), cleanFlag|willFlag|retainFlag, topic, text(8<<10))
			c.Close()
		}
	}, ""},
	"sessions that never come back": {func(t testing.TB, b *Broker) {
		for i := range 10 {
			c := dialRaw(t, b, bad, fmt.Sprint("s", i), 0)
			c.send(subscribePacket(own + "#"))
			c.expect(0x90, 3, 0, 1, 0)
			c.Close()
		}
		flood(t, as(t, b, bad), 100)
	}, ""},
	"subscribers that never acknowledge": {func(t testing.TB, b *Broker) {
		c := dialRaw(t, b, bad, "s", cleanFlag)
		c.send(subscribePacket(own+"#", "gatehouse/v1/+/"+bad+"/x", "gatehouse/v1/qinghe/collector/status"))
		go func() { _, _ = io.Copy(io.Discard, c) }()
		flood(t, as(t, b, bad), 100)
	}, ""},
	"QoS 2 without PUBREL": {func(t testing.TB, b *Broker) {
		for i := range 3 {
			c := dialRaw(t, b, bad, fmt.Sprint("q", i), cleanFlag)
			for id := range uint16(20) {
				c.send(publishPacket(qos2, own+"x", id+1, make([]byte, 50<<10)))
				c.expect(packetPubRec<<4, 2, 0, byte(id+1))
			}
			c.Close()
		}
	}, ""},
	"a subscriber that reads nothing": {func(t testing.TB, b *Broker) {
		c := dialRaw(t, b, bad, "stuck", cleanFlag)
		c.send(subscribePacket(own + "#"))
		c.expect(0x90, 3, 0, 1, 0)
		talks := as(t, b, bad)
		for range 300 {
			talks.Publish(own+"x", 0, false, text(100<<10))
		}
		talks.publish(t, own+"x", 1, false, "end")
		c.ends()
	}, "does not read"},
	"endless filters": {func(t testing.TB, b *Broker) {
		c := dialRaw(t, b, bad, "f", cleanFlag)
		for i := range mostFilters {
			c.send(subscribePacket(fmt.Sprint(own, "+/", i)))
			c.expect(0x90, 3, 0, 1, 0)
		}
		c.send(subscribePacket(own + "#"))
		c.ends()
	}, "subscribes to more than"},
	"many filters at once": {func(t testing.TB, b *Broker) {
		c := dialRaw(t, b, bad, "f", cleanFlag)
		c.send(subscribePacket(strings.Split(strings.Repeat(own+"#,", 1000), ",")...))
		c.ends()
	}, "too many topics"},
	"long topics": {func(t testing.TB, b *Broker) {
		c := dialRaw(t, b, bad, "l", cleanFlag)
		c.send(publishPacket(0, own+text(60_000), 0, nil))
		c.ends()
	}, "its topic has"},
	"deep topics": {func(t testing.TB, b *Broker) {
		c := dialRaw(t, b, bad, "d", cleanFlag)
		c.send(subscribePacket(own + strings.Repeat("+/", 100)))
		c.ends()
	}, "levels"},
	"huge packets": {func(t testing.TB, b *Broker) {
		c := dialRaw(t, b, bad, "h", cleanFlag)
		c.send(binary.AppendUvarint([]byte{packetPublish << 4}, 200<<20))
		c.ends()
	}, "too large"},
	"the client ids of others": {func(t testing.TB, b *Broker) {
		for range 20 {
			conn, err := net.Dial("tcp", b.Addr())
			if err != nil {
				t.Fatal(err)
			}
			raw{t, conn}.send(connectPacket("MQTT", 4, 0xC0|cleanFlag, "good", bad, bad+"!"))
			// Who throws out their own client again and again is held up for a second, and cut.
			_, _ = io.ReadFull(conn, make([]byte, 4))
			conn.Close()
		}
	}, ""},
	"thousands of connections": {func(t testing.TB, b *Broker) {
		for i := range 100 {
			conn, err := net.Dial("tcp", b.Addr())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			// Without a keep alive: it may stay silent for ever.
			packet := connectPacket("MQTT", 4, 0xC0|cleanFlag, fmt.Sprint("many", i), bad, bad+"!")
			raw{t, conn}.send(packet)
		}
	}, "too many connections"},
}

func text(n int) string { return strings.Repeat("x", n) }

// flood publishes n messages of 50 KiB.
func flood(t testing.TB, c *client, n int) {
	t.Helper()
	for range n {
		c.publish(t, own+"x", 1, false, text(50<<10))
	}
}

// TestOneUserHarmsNobody plays each attack beside a good agent, who stays connected,
// and whose messages, also retained ones, pass. The store stays small.
func TestOneUserHarmsNobody(t *testing.T) {
	for name, a := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told, log buffer
			cfg := configOf(t)
			cfg.UsersFile = users(t, "gate-017", bad, "collector")
			cfg.Refused = func(agent, why string) { fmt.Fprintln(&told, agent, why) }
			b, err := Start(t.Context(), cfg, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = b.Close() })
			sub := as(t, b, "collector")
			sub.subscribe(t, "gatehouse/v1/+/gate-017/#", 1)
			const status = "gatehouse/v1/qinghe/gate-017/status"
			good := connect(t, login{url: "tcp://" + b.Addr(), id: "good", user: "gate-017", password: "gate-017!"})
			var playing sync.WaitGroup
			playing.Go(func() { a.play(t, b) })
			for i := range 20 {
				good.publish(t, "gatehouse/v1/qinghe/gate-017/records", 1, false, fmt.Sprint(i))
				sub.want(t, "gatehouse/v1/qinghe/gate-017/records", fmt.Sprint(i))
			}
			playing.Wait()
			good.publish(t, status, 1, true, "online")
			sub.want(t, status, "online")
			keeps(t, b, status, "online")
			if n := b.stored(t); n > 2<<20 {
				t.Errorf("the store has %d bytes", n)
			}
			named := strings.Contains(log.String(), bad) && strings.Contains(log.String(), a.said)
			if a.said != "" && !named {
				t.Errorf("the log lacks %q:\n%s", a.said, log.String())
			}
			if a.said != "" && a.said != "too many connections" && !strings.Contains(told.String(), a.said) {
				t.Errorf("told is %q", told.String())
			}
		})
	}
}
