package station

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
)

// barred is a station of outputs alone, whose loop only takes orders.
func barred(ctx context.Context, p *played, lanes []string, devs ...Device) (s *Station, wait func()) {
	s = &Station{others: others{notes: make(chan note)}}
	s.lanes = lanes
	done := make(chan struct{}, len(devs)+1)
	for _, d := range devs {
		out := newOutput(d, p)
		s.outputs = append(s.outputs, out)
		go func() { out.drive(ctx, slog.New(slog.DiscardHandler)); done <- struct{}{} }()
	}
	go func() {
		defer func() { done <- struct{}{} }()
		for {
			select {
			case n := <-s.notes:
				n.kept <- n.do(clock.Moment{})
			case <-ctx.Done():
				return
			}
		}
	}()
	return s, func() {
		for range len(devs) + 1 {
			<-done
		}
	}
}

func barrier(name, lane string) Device {
	return Device{Name: name, Lane: lane, Pins: map[string]string{devices.PinBarrier: "GPIO17"}}
}

// ordered lets the county order a barrier opened after something was shown.
func ordered(t *testing.T, lanes []string, lane string, devs []Device,
	before func(s *Station)) (log []string, why fact.CommandWhy, err error) {
	t.Helper()
	p := &played{}
	synctest.Test(t, func(t *testing.T) {
		p.began = time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		s, wait := barred(ctx, p, lanes, devs...)
		before(s)
		synctest.Wait()
		within, end := context.WithTimeout(ctx, 5*time.Second)
		why, err = s.Open(within, lane)
		end()
		time.Sleep(30 * time.Second)
		cancel()
		wait()
	})
	return p.log, why, err
}

func TestTheCountyOpensABarrierAtOnceOrNotAtAll(t *testing.T) {
	one, two := []Device{barrier("outputs", "")}, []Device{barrier("a", "west"), barrier("b", "east")}
	show := func(v fact.Verdict) func(*Station) { return func(s *Station) { s.outputs[0].send(cueOf(v)) } }
	nothing := func(*Station) {}
	opened := []string{"0s off", "0s show green", "700ms barrier opened", "3s off", "30.7s off"}
	for name, c := range map[string]struct {
		lanes  []string
		lane   string
		devs   []Device
		before func(*Station)
		why    fact.CommandWhy
		want   []string
	}{
		"a gate at rest": {devs: one, before: nothing, want: opened},
		"somebody was refused": {devs: one, before: show(fact.VerdictRefuse),
			want: slices.Insert(slices.Clone(opened), 1, "0s show red")},
		"a fever is shown": {devs: one, before: show(fact.VerdictFever), why: fact.CommandFever,
			want: []string{"0s off", "0s show red", "8s off", "30s off"}},
		"a lane of a gate": {lanes: []string{"west", "east"}, lane: "east", devs: two[1:], before: nothing,
			want: opened},
		"no lane of several": {lanes: []string{"west", "east"}, devs: two[1:], before: nothing,
			why: fact.CommandLane},
		"a lane of none": {lane: "west", devs: one, before: nothing, why: fact.CommandLane},
		"another lane's barrier": {lanes: []string{"west", "east"}, lane: "west", devs: two[1:], before: nothing,
			why: fact.CommandNoBarrier},
		"lamps alone": {devs: []Device{{Name: "lamps"}}, before: nothing, why: fact.CommandNoBarrier},
	} {
		log, why, err := ordered(t, c.lanes, c.lane, c.devs, c.before)
		if c.want == nil {
			c.want = []string{"0s off", "30s off"}
		}
		if why != c.why || err != nil || !slices.Equal(log, c.want) {
			t.Errorf("%s: %q %v\ngot  %q\nwant %q", name, why, err, log, c.want)
		}
	}
}

// A fever that comes while a fever's cue is on its way stops the order, and one that comes
// afterwards closes the barrier.
func TestAFeverIsBeforeTheCounty(t *testing.T) {
	s := &Station{outputs: outputs{newOutput(barrier("outputs", ""), &played{})}}
	x := &order{gone: make(chan struct{}), ended: make(chan error, 1)}
	p := &played{}
	synctest.Test(t, func(t *testing.T) {
		p.began = time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		out := newOutput(barrier("outputs", ""), p)
		s.outputs[0] = out
		out.send(cueOf(fact.VerdictFever)) // nothing is shown yet
		if why, err := s.order("", x); why != "" || err != nil {
			t.Errorf("%q, %v", why, err)
		}
		done := make(chan struct{})
		go func() { defer close(done); out.drive(ctx, slog.New(slog.DiscardHandler)) }()
		if err := <-x.ended; !errors.Is(err, errBehind) {
			t.Errorf("%v", err)
		}
		time.Sleep(20 * time.Second)
		cancel()
		<-done
	})
	if want := []string{"0s off", "0s show red", "8s off", "20s off"}; !slices.Equal(p.log, want) {
		t.Errorf("got %q, want %q", p.log, want)
	}
}

// Nobody opens for an order whose time is over, and one that finds no room says so.
func TestAnOrderThatIsOverOpensNothing(t *testing.T) {
	p := &played{}
	synctest.Test(t, func(t *testing.T) {
		p.began = time.Now()
		out := newOutput(barrier("outputs", ""), p)
		s := &Station{outputs: outputs{out}}
		gone := make(chan struct{})
		for range cap(out.cues) {
			if why, err := s.order("", &order{gone: gone, ended: make(chan error, 1)}); why != "" || err != nil {
				t.Errorf("%q, %v", why, err)
			}
		}
		if why, err := s.order("", &order{}); why != fact.CommandOutput || !errors.Is(err, errBusy) {
			t.Errorf("without room: %q, %v", why, err)
		}
		close(gone)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); out.drive(ctx, slog.New(slog.DiscardHandler)) }()
		time.Sleep(20 * time.Second)
		cancel()
		<-done
	})
	if want := []string{"0s off", "20s off"}; !slices.Equal(p.log, want) {
		t.Errorf("got %q, want %q", p.log, want)
	}
}
