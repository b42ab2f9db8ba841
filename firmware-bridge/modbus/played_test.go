package modbus

import (
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

// played is a slave that a test plays, in RTU over TCP or on Modbus TCP.
type played struct {
	t       *testing.T
	address string
	accepts atomic.Int32
}

// play starts a slave; each answers a connection's requests until it fails.
func playSlave(t *testing.T, answer func(conn net.Conn, request []byte) error) *played {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &played{t: t, address: l.Addr().String()}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.accepts.Add(1)
			go func() {
				defer conn.Close()
				buf := make([]byte, 300)
				for {
					n, err := conn.Read(buf)
					if err != nil || answer(conn, slices.Clone(buf[:n])) != nil {
						return
					}
				}
			}()
		}
	}()
	return p
}

// config is a bus to the slave, with a timeout that a test can wait for.
func (p *played) config(values ...Value) Config {
	return Config{TCP: p.address, Framing: FramingRTU, Timeout: 100 * time.Millisecond, Every: 50 * time.Millisecond,
		Units: []Unit{{"fogger-1", 1, &Map{Model: "m", Values: values}}}}
}

var (
	total = Value{Name: "total", Table: "holding", Address: 3, Type: "uint32", Unit: "mL", Means: fact.FieldVolume}
	tank  = Value{Name: "tank", Table: "holding", Address: 5, Type: "uint16", Unit: "%", Means: fact.FieldTank}
	level = Value{Name: "level", Table: "holding", Address: 9, Type: "uint16", Unit: "%", Means: fact.FieldBattery}
)

// holding answers a request for holding registers: each is its address.
func holding(request []byte) []byte {
	out := []byte{3, 2 * request[5]}
	for i := range request[5] {
		out = append(out, 0, request[3]+i)
	}
	return framed(request[0], out...)
}

// all accepts a sample with all of total, tank and level.
func all(w output) bool {
	return near(w.s.Volume, (3*65536+4)/1000.0) && near(w.s.Tank, 5) && near(w.s.Battery, 9)
}
