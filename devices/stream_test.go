package devices

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// script is a serial line on which bytes come at set times. It notes what is written.
type script struct {
	Ports

	came    chan []byte
	written []time.Duration // since the start
	began   time.Time
	deaf    time.Duration // since the start: when writing begins to fail; 0: never
}

func newScript() *script { return &script{came: make(chan []byte, 100), began: time.Now()} }

func (s *script) Serial(string, int) (io.ReadWriteCloser, error) { return s, nil }
func (s *script) Close() error                                   { return nil }
func (s *script) Read(b []byte) (int, error)                     { return s.ReadWithin(b, 200*time.Millisecond) }

func (s *script) ReadWithin(b []byte, d time.Duration) (int, error) {
	select {
	case x := <-s.came:
		return copy(b, x), nil
	case <-time.After(d):
		return 0, nil
	}
}

func (s *script) Write(b []byte) (int, error) {
	if s.deaf > 0 && time.Since(s.began) > s.deaf {
		return 0, io.ErrClosedPipe
	}
	s.written = append(s.written, time.Since(s.began).Round(100*time.Millisecond))
	return len(b), nil
}

// send sends text every so often, so many times.
func (s *script) send(text string, every time.Duration, times int) {
	for range times {
		time.Sleep(every)
		s.came <- []byte(text)
	}
}

// next reads a sensor until ctx ends, and returns what it yields with the time.
func next(ctx context.Context, sensor Sensor) (readings []Reading, errs []error) {
	for {
		r, err := sensor.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return readings, errs
		case err != nil:
			errs = append(errs, err)
		case r != nil:
			readings = append(readings, r)
		}
	}
}

const gySample = "\x5A\x5A\x45\x04\x0E\x42\x0A\x28\x7F"

func TestAThermometerThatFellSilentIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		sensor, err := newGYMCU90614(s, Settings{Port: "p"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		go s.send(gySample, 100*time.Millisecond, 30) // 3 s, then its supply fails
		readings, _ := next(ctx, sensor)
		want := []time.Duration{0, 5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second}
		for i, w := range s.written {
			if i >= len(want) || (w-want[i]).Abs() > 700*time.Millisecond {
				t.Fatalf("it was asked after %s", s.written)
			}
		}
		if len(readings) != 30 || len(s.written) < 4 {
			t.Fatalf("%d readings, asked after %s", len(readings), s.written)
		}
	})
}

func TestAReaderIsNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		sensor, err := newRDM6300(s, Settings{Port: "p"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, errs := next(ctx, sensor); len(errs) > 0 || len(s.written) > 0 {
			t.Fatalf("%v, asked after %s", errs, s.written)
		}
	})
}

func TestAThermometerThatCantBeAskedIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		sensor, err := newGYMCU90614(s, Settings{Port: "p"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		s.deaf = time.Second
		if _, errs := next(ctx, sensor); len(errs) != 1 {
			t.Fatalf("%v", errs)
		}
	})
}

func TestACodeInPiecesIsOneAndTwoCodesAreTwo(t *testing.T) {
	for name, c := range map[string]struct {
		pieces []string
		every  time.Duration
		want   []string
	}{
		"pieces":                {[]string{"VISIT", "-7\r", "\n"}, 30 * time.Millisecond, []string{"VISIT-7"}},
		"lines":                 {[]string{"A\n", "B\n", "C\r\n"}, 30 * time.Millisecond, []string{"A\nB\nC"}},
		"two codes":             {[]string{"A\r\n", "B\r\n"}, 120 * time.Millisecond, []string{"A", "B"}},
		"a late end":            {[]string{"VISIT-7", "\r"}, 120 * time.Millisecond, []string{"VISIT-7"}},
		"two without a suffix":  {[]string{"A", "B"}, 400 * time.Millisecond, []string{"A", "B"}},
		"the LF after the code": {[]string{"A\r", "\n", "B\r"}, 90 * time.Millisecond, []string{"A", "B"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript()
				sensor, err := newQRScanner(s, Settings{Port: "p"})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				go func() {
					for _, p := range c.pieces {
						s.send(p, c.every, 1)
					}
				}()
				readings, errs := next(ctx, sensor)
				var got []string
				for i, r := range readings {
					got = append(got, r.(Tap).Code)
					if i > 0 && !r.(Tap).At.After(readings[i-1].(Tap).At) {
						t.Errorf("code %d came before the one before", i)
					}
				}
				if !slices.Equal(got, c.want) || len(errs) > 0 {
					t.Fatalf("%q, %v, want %q", got, errs, c.want)
				}
			})
		})
	}
}
