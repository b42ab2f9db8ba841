package machine

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

var fogger = Config{Machine: "fogger-1", Name: "1号雾炮车", Type: "fogger", Operator: "消杀一队", TankL: 20,
	Idle: 5 * time.Second, Pause: 20 * time.Second}

var begin = clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 123456789, time.UTC), Boot: 90 * time.Second}

// bridge is a watch whose records go through a journal; it can be restarted.
type bridge struct {
	t       interface{ Fatal(...any) }
	boot    string
	watch   *Watch
	journal []wire.Body
}

func (b *bridge) keep(bodies []wire.Body) {
	for _, body := range bodies {
		raw, err := wire.EncodeBody(body)
		if err != nil {
			b.t.Fatal(err)
		}
		var again wire.Body = &wire.Track{}
		if body.Kind() == wire.KindRun {
			again = &wire.Run{}
		}
		if err := json.Unmarshal(raw, again); err != nil {
			b.t.Fatal(err)
		}
		if c, ok := again.(interface{ Check() error }); ok && c.Check() != nil {
			b.t.Fatal(c.Check(), string(raw))
		}
		b.journal = append(b.journal, again)
	}
}

func (b *bridge) restart(now clock.Moment, boot string) {
	var past Past
	for _, body := range b.journal {
		switch x := body.(type) {
		case *wire.Track:
			past.Track(x)
		case *wire.Run:
			past.Run(x)
		}
	}
	b.boot = boot
	b.watch = NewWatch(fogger, wire.SourceModbus, boot)
	b.keep(b.watch.Restore(now, past))
}

// last returns each run as it was written last.
func (b *bridge) last() (out []string) {
	at := map[string]int{}
	for _, body := range b.journal {
		r, ok := body.(*wire.Run)
		if !ok {
			continue
		}
		litres := math.NaN()
		if r.MeterL != nil {
			litres = math.Round(*r.MeterL*100) / 100
		}
		text := fmt.Sprintf("%s %s %s %g L", r.ID, r.State, r.Grade, litres)
		if i, known := at[r.ID]; known {
			out[i] = text
			continue
		}
		at[r.ID] = len(out)
		out = append(out, text)
	}
	return out
}

// same compares what last gives. A leak is believed after three seconds, and
// the clocks of two boots differ by less than a millisecond: a sample that lies
// just there may begin the run, or the next one.
func same(got, want []string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		a, restA, _ := strings.Cut(got[i], "z ")
		b, restB, _ := strings.Cut(want[i], "z ")
		const form = "fogger-1-20060102t150405"
		atA, errA := time.Parse(form, a)
		atB, errB := time.Parse(form, b)
		if restA != restB || errA != nil || errB != nil || atA.Sub(atB).Abs() > 1010*time.Millisecond {
			return false
		}
	}
	return true
}

// work plays so many seconds: two runs of 24 and 10 s with a pause of 6 s, and
// 40 s of rest. leaking: nobody told it to.
func work(b *bridge, dice *rand.Rand, leaking bool, seconds int, restarts map[int]string) {
	volume, tank := 500.0, 100.0
	for i := range seconds {
		jitter := time.Duration(dice.IntN(900_000)) // of the wall clock, below a millisecond
		now := clock.Moment{Wall: begin.Wall.Add(time.Duration(i)*time.Second + jitter),
			Boot: begin.Boot + time.Duration(i)*time.Second + time.Duration(dice.IntN(900_000))}
		if boot, ok := restarts[i]; ok {
			b.restart(now, boot)
		}
		phase := i % 90
		on := phase >= 10 && phase < 34 || phase >= 40 && phase < 50
		s := runs.Sample{Values: fact.Values{Lat: new(35.9 + float64(i)*2e-5), Lon: new(115.1),
			Command: new(on && !leaking), Flow: new(0.0), Volume: &volume, Tank: &tank}}
		if on {
			s.Flow = new(9.0)
			volume += 0.15
			tank -= 0.75
		}
		if phase > 80 {
			tank = 100
		}
		s.Volume, s.Tank = new(volume), new(tank)
		if bad := b.watch.Take(now, s); len(bad) > 0 {
			b.t.Fatal(bad)
		}
		b.keep(b.watch.Turn(now))
	}
}

func TestRunsAreTheSameWhereverTheBridgeIsRestarted(t *testing.T) {
	for _, leaking := range []bool{false, true} {
		rapid.Check(t, func(r *rapid.T) {
			seed := rapid.Uint64().Draw(r, "seed")
			plain := &bridge{t: r, watch: NewWatch(fogger, wire.SourceModbus, "boot-0")}
			work(plain, rand.New(rand.NewPCG(seed, 1)), leaking, 262, nil)
			want := plain.last()
			if len(want) != 3 {
				r.Fatalf("%q", want)
			}
			restarts := map[int]string{}
			for i, at := range rapid.SliceOfNDistinct(rapid.IntRange(1, 261), 1, 6, rapid.ID[int]).Draw(r, "restarts") {
				// One that comes up as a run begins does not know the sample before
				// it, or for how long it has leaked: its run may lack a second.
				if at%90 >= 10 && at%90 <= 13 {
					continue
				}
				restarts[at] = fmt.Sprint("boot-", i*rapid.IntRange(0, 1).Draw(r, "another boot"))
			}
			again := &bridge{t: r, watch: NewWatch(fogger, wire.SourceModbus, "boot-0")}
			work(again, rand.New(rand.NewPCG(seed, 1)), leaking, 262, restarts)
			if got := again.last(); !same(got, want) {
				r.Fatalf("restarts at %v:\n%s\nwant\n%s", restarts, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// A leak is found after three seconds; rounding between two boots' clocks once
// put that moment on the other side of a restart, and made two runs of one.
func TestARunThatBeginsBesideARestartIsOne(t *testing.T) {
	for seed := range uint64(40) {
		plain := &bridge{t: t, watch: NewWatch(fogger, wire.SourceModbus, "boot-0")}
		work(plain, rand.New(rand.NewPCG(seed, 1)), true, 262, nil)
		again := &bridge{t: t, watch: NewWatch(fogger, wire.SourceModbus, "boot-0")}
		work(again, rand.New(rand.NewPCG(seed, 1)), true, 262, map[int]string{1: "boot-1", 104: "boot-0"})
		if got, want := again.last(), plain.last(); !same(got, want) {
			t.Fatalf("seed %d:\n%s\nwant\n%s", seed, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestABeatSaysHowTheMachineStands(t *testing.T) {
	w := NewWatch(fogger, wire.SourceModbus, "boot")
	at := func(s int) clock.Moment { return begin.Add(time.Duration(s) * time.Second) }
	state := func(s int) fact.MachineState { return w.Beat(at(s)).State }
	if got := state(0); got != "gone" {
		t.Errorf("never heard of: %s", got)
	}
	say := func(s int, x runs.Sample) {
		w.Take(at(s), x)
		w.Turn(at(s))
	}
	say(1, runs.Sample{Values: fact.Values{Command: new(false), Tank: new(55.0)}})
	if b := w.Beat(at(2)); b.State != "idle" || *b.Tank != 55 || b.IdleS != 1 || b.Battery != nil {
		t.Errorf("%+v", b)
	}
	say(3, runs.Sample{Values: fact.Values{Command: new(true), Flow: new(5.0)}})
	if b := w.Beat(at(3)); b.State != "working" || b.Run == "" {
		t.Errorf("%+v", b)
	}
	say(4, runs.Sample{Values: fact.Values{Command: new(false), Flow: new(0.0)}})
	say(14, runs.Sample{Values: fact.Values{Command: new(false)}})
	if got := state(14); got != "paused" {
		t.Error(got)
	}
	say(15, runs.Sample{Values: fact.Values{Command: new(false), Fault: "急停"}})
	if b := w.Beat(at(15)); b.State != "fault" || b.Fault != "急停" {
		t.Errorf("%+v", b)
	}
	if got := state(40); got != "gone" {
		t.Error(got)
	}
}

func TestWhatCannotBeTrueIsDropped(t *testing.T) {
	w := NewWatch(fogger, wire.SourceModbus, "boot")
	bad := w.Take(begin, runs.Sample{Values: fact.Values{
		Lat: new(91.0), Lon: new(0.0), Flow: new(math.NaN()), Tank: new(101.0), Command: new(true)}})
	if len(bad) != 3 {
		t.Errorf("refused are %v, want position, flow and tank", bad)
	}
	bodies := w.Turn(begin)
	if len(bodies) == 0 {
		t.Fatal("no record is kept")
	}
	track, ok := bodies[0].(*wire.Track)
	if !ok || len(track.Points) != 1 {
		t.Fatalf("the first record is %+v, want a track of one point", bodies[0])
	}
	if p := track.Points[0]; p.Lat != nil || p.Flow != nil || p.Tank != nil || p.Command == nil || !*p.Command {
		t.Errorf("the point is %+v, want the command alone", p)
	}
}

func TestConfigurationsThatAreWrong(t *testing.T) {
	if err := fogger.Check(); err != nil {
		t.Error(err)
	}
	for want, c := range map[string]Config{"machine": {Name: "a", Type: "b"}, "name or type": {Machine: "a"}} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
