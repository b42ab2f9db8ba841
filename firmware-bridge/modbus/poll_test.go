package modbus

import (
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/devices/unheard"
	"gatehouse/firmware-bridge/runs"
)

// While bytes come that are no answers, the bus yields unheard.Error after 10 s.
func TestAUnitOfWhichNothingIsUnderstood(t *testing.T) {
	b, err := New(Config{TCP: "x:1", Units: []Unit{{"fogger-1", 1, &Map{Model: "m", Values: []Value{total}}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.began = time.Now()
	var got []error
	fail := func(after time.Duration, came string) {
		b.began = b.began.Add(-after)
		b.failed(
			b.units[0],
			&silence{bytes: []byte(came), framing: rtu{}, request: two},
			func(_ string, _ runs.Sample, err error) {
				got = append(got, err)
			},
		)
	}
	for range 5 {
		fail(3*time.Second, "\xff\x80")
	}
	var u *unheard.Error
	if len(got) != 5 || errors.As(got[3], &u) || !errors.As(got[4], &u) || !strings.Contains(u.Try, "baud, parity") {
		t.Errorf("%v", got)
	}
	if wait := time.Until(b.units[0].next); wait > soonRetry {
		t.Errorf("it is asked again after %s only", wait)
	}
	for range 9 {
		fail(0, "")
	}
	if wait := time.Until(b.units[0].next); wait < lastRetry-time.Second || wait > lastRetry {
		t.Errorf("one of which nothing comes is asked again after %s", wait)
	}
}

// A unit that answers, and of which no number can be true, is not understood.
func TestAUnitOfWhichNoValueIsPlausible(t *testing.T) {
	b, err := New(Config{TCP: "x:1", Units: []Unit{{"fogger-1", 1, &Map{Model: "m", Values: []Value{tank}}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var bad []error
	for range 13 {
		b.began = b.began.Add(-time.Second)
		b.distrust(b.units[0], []byte{0x05, 0x00}, "tank is 1280", func(_ string, _ runs.Sample, err error) {
			bad = append(bad, err)
		})
	}
	var u *unheard.Error
	if len(bad) != 3 || !errors.As(bad[2], &u) || u.Try != "no value is plausible: tank is 1280" || u.Bytes != 26 {
		t.Errorf("%v", bad)
	}
}

func TestAnswersAreUnderstoodUnlessNoNumberIsPlausible(t *testing.T) {
	high := new(atomic.Bool)
	high.Store(true)
	p := playSlave(t, func(conn net.Conn, request []byte) error {
		answer := holding(request)
		if high.Load() {
			answer = framed(1, 3, 2, 0x12, 0x34)
		}
		_, err := conn.Write(answer)
		return err
	})
	out := listen(t, p.config(tank))
	expect(t, out, map[string]func(output) bool{"why": refusal("tank is 4660, which is not plausible")})
	high.Store(false)
	expect(t, out, map[string]func(output) bool{"a value": func(w output) bool { return near(w.s.Tank, 5) }})
}
