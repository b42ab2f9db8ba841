package mavlink

import (
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
)

func TestTwoVehiclesWithOneID(t *testing.T) {
	for name, from := range map[string]string{"two addresses": "B", "one address": "A"} {
		a := newAir(t, Vehicle{}, nil, nil)
		first, second := a.sender("A", 1, nil), a.sender(from, 1, nil)
		second.lat, second.used = 359500000, 9000
		a.fly(20, first)
		a.fly(1300, first, second)
		if slices.Max(a.lats) > 35.91 || slices.Max(a.volumes) > 9 || !a.rising() || len(a.volumes) < 1300 {
			t.Errorf("%s: the second is read: %g, %g, %d", name, slices.Max(a.lats), slices.Max(a.volumes),
				len(a.volumes))
		}
		if n := a.count("two vehicles speak as system 1"); n != 3 {
			t.Errorf("%s: said %d times in 130 s: %q", name, n, a.advices)
		}
		if from == "B" && a.count("from A and B") == 0 {
			t.Errorf("the addresses are not said: %q", a.advices)
		}
		a.fly(500, second) // the first keeps its place, and then has lost it
		if slices.Max(a.lats) > 35.91 {
			t.Errorf("%s: within 50 s the second takes the place", name)
		}
		if a.fly(120, second); slices.Max(a.lats) < 35.94 {
			t.Errorf("%s: after a minute the second is not read", name)
		}
	}
}

func TestOneVehicleThatComesAnotherWay(t *testing.T) {
	a := newAir(t, Vehicle{}, nil, nil)
	s := a.sender("A", 1, nil)
	a.fly(50, s)
	n := len(a.volumes)
	s.from = "B" // NAT gave it another port
	a.fly(50, s)
	if got := len(a.volumes) - n; got < 50 {
		t.Errorf("after a change of port %d of 50 values", got)
	}
	n = len(a.volumes)
	reconnected := a.sender("C", 1, nil) // counts from 0, and has not restarted
	reconnected.booted, reconnected.used = s.booted, s.used
	a.fly(50, reconnected)
	if got := len(a.volumes) - n; got < 29 {
		t.Errorf("after it connected anew %d of 50 values", got)
	}
	n = len(a.volumes)
	restarted := a.sender("C", 1, nil)
	restarted.booted, restarted.used = a.now, 0
	a.fly(60, restarted)
	if got := len(a.volumes) - n; got < 29 {
		t.Errorf("after a restart %d of 60 values", got)
	}
	if len(a.advices) != 0 {
		t.Errorf("said: %q", a.advices)
	}
}

func TestTwoWaysOfOneVehicle(t *testing.T) {
	a := newAir(t, Vehicle{}, nil, nil)
	radio, lte := a.sender("radio", 1, nil), a.sender("lte", 1, nil)
	for i := range 600 {
		a.now += 100 * time.Millisecond
		radio.send(radio.turn())
		lte.used = max(0, radio.used-8) // 0.8 s later
		late := lte.turn()
		lte.send(late)
		if i%10 == 0 {
			radio.send(radio.frames(&common.MessageRawImu{}))
		}
		a.tick(a.now)
	}
	if !a.rising() || len(a.volumes) < 600 || len(a.advices) != 0 {
		t.Errorf("in order: %v, %d values, said: %q", a.rising(), len(a.volumes), a.advices)
	}
	n := len(a.volumes)
	if a.fly(100, lte); len(a.volumes)-n < 70 {
		t.Errorf("without the radio %d of 100 values", len(a.volumes)-n)
	}
}

// Of UDP packets 5 to 15 % come 1.5 to 2.5 s late.
func TestLateFramesChangeNothing(t *testing.T) {
	for _, every := range []int{7, 20} {
		a := newAir(t, Vehicle{}, nil, nil)
		s := a.sender("A", 1, nil)
		type parcel struct {
			due time.Duration
			p   packet
		}
		var held []parcel
		for n := range 3000 {
			a.now += 100 * time.Millisecond
			for i, p := range s.turn() {
				if k := n*4 + i; n > 20 && k*7919%every == 0 {
					held = append(held, parcel{a.now + time.Duration(1500+k*104729%1000)*time.Millisecond, p})
					continue
				}
				s.take(a.now, "A", p)
			}
			held = slices.DeleteFunc(held, func(h parcel) bool {
				if h.due <= a.now {
					s.take(a.now, "A", h.p)
				}
				return h.due <= a.now
			})
			a.tick(a.now)
		}
		steps := 0
		for i := 1; i < len(a.volumes); i++ {
			if a.volumes[i] < a.volumes[i-1] {
				steps++
			}
		}
		if steps > 0 || len(a.volumes) < 3000*(every-2)/every || len(a.advices) != 0 {
			t.Errorf("1 of %d: %d steps back, %d of 3000 values, said: %q", every, steps, len(a.volumes), a.advices)
		}
	}
}

// Some senders do not count, or we see a part of what they count.
func TestSendersWhoseCountSaysNothing(t *testing.T) {
	for name, seq := range map[string]func(n int) byte{
		"always 0":    func(int) byte { return 0 },
		"every tenth": func(n int) byte { return byte(n * 10) },
		"every 131st": func(n int) byte { return byte(n * 131) },
		"at random":   func(n int) byte { return byte(n * n * 7919 >> 3) },
		"two by two":  func(n int) byte { return byte(n / 2) },
		"lost half":   func(n int) byte { return byte(n * 2) },
		"once around": func(n int) byte { return byte(n) },
		"in reverse":  func(n int) byte { return byte(-n) },
		"by message":  func(n int) byte { return byte(n / 4) },
	} {
		a := newAir(t, Vehicle{}, nil, nil)
		s := a.sender("A", 1, nil)
		n := 0
		for range 300 {
			a.now += 100 * time.Millisecond
			for _, p := range s.turn() {
				p.seq = seq(n)
				n++
				s.take(a.now, "A", p)
			}
			a.tick(a.now)
		}
		if !a.rising() || len(a.volumes) < 250 || len(a.advices) != 0 {
			t.Errorf("%s: in order: %v, %d of 300 values, said: %q", name, a.rising(), len(a.volumes), a.advices)
		}
	}
}
