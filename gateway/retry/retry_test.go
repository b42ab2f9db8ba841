package retry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/gateway/retry"
)

var errFull = errors.New("the disk is full")

// busy is an HTTP server's answer with Retry-After.
type busy struct{ after time.Duration }

func (b busy) Error() string             { return "busy" }
func (b busy) RetryAfter() time.Duration { return b.after }

func loop() retry.Loop {
	return retry.Loop{Backoff: retry.Backoff{First: time.Second, Last: 5 * time.Second},
		Log: slog.New(slog.DiscardHandler), Message: "not stored"}
}

func TestPausesDoubleUpToTheLongest(t *testing.T) {
	b := retry.Backoff{First: 1, Last: 5}
	var got []time.Duration
	for range 5 {
		got = append(got, b.Next())
	}
	b.Limit(3)
	got = append(got, b.Next())
	b.Limit(0)
	got = append(got, b.Next(), b.Next())
	if want := []time.Duration{1, 2, 4, 5, 5, 3, 1, 2}; !slices.Equal(got, want) {
		t.Fatalf("pauses are %v, want %v", got, want)
	}
}

func TestRandomPausesSpreadAroundTheirLength(t *testing.T) {
	low, high := 0, 0
	for range 1000 {
		b := retry.Backoff{First: time.Second, Last: time.Second, Random: true}
		switch d := b.Next(); {
		case d < 0 || d >= 2*time.Second:
			t.Fatalf("a pause of %s", d)
		case d < time.Second:
			low++
		default:
			high++
		}
	}
	if low < 400 || high < 400 {
		t.Fatalf("%d pauses are shorter than First and %d longer", low, high)
	}
}

func TestDo(t *testing.T) {
	cases := map[string]struct {
		errs []error       // of the first attempts; then nil
		want error         //
		took time.Duration //
	}{
		"succeeds at once":         {},
		"succeeds at the third":    {[]error{errFull, errFull}, nil, 3 * time.Second},
		"the pause has a limit":    {[]error{errFull, errFull, errFull, errFull}, nil, 12 * time.Second},
		"a permanent error":        {[]error{errFull, retry.Permanent(errFull)}, errFull, time.Second},
		"a wrapped permanent one":  {[]error{fmt.Errorf("put: %w", retry.Permanent(errFull))}, errFull, 0},
		"permanent of nil":         {[]error{errFull, retry.Permanent(nil)}, nil, time.Second},
		"the server asks to wait":  {[]error{fmt.Errorf("put: %w", busy{time.Minute})}, nil, time.Minute},
		"the server asks for less": {[]error{busy{time.Millisecond}}, nil, time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin, n := time.Now(), 0
				err := loop().Do(t.Context(), func() error {
					n++
					if n <= len(c.errs) {
						return c.errs[n-1]
					}
					return nil
				})
				if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
					t.Errorf("error is %v, want %v", err, c.want)
				}
				if took := time.Since(begin); took != c.took {
					t.Errorf("it took %s, want %s", took, c.took)
				}
			})
		})
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		begin := time.Now()
		err := loop().Do(ctx, func() error { return errFull })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 1500*time.Millisecond {
			t.Fatalf("after %s: %v", time.Since(begin), err)
		}
	})
}

func TestEveryFailureIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		failed, n := 0, 0
		l := loop()
		l.Log = slog.New(slog.NewTextHandler(&log, nil))
		l.Failed = func(err error) {
			if !errors.Is(err, errFull) {
				t.Errorf("failed with %v", err)
			}
			failed++
		}
		err := l.Do(t.Context(), func() error {
			if n++; n < 4 {
				return errFull
			}
			return nil
		})
		if lines := strings.Count(log.String(), "not stored"); err != nil || failed != 3 || lines != 3 {
			t.Fatalf("%v, %d calls, log:\n%s", err, failed, log.String())
		}
	})
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if !retry.Sleep(t.Context(), time.Hour) {
			t.Error("an hour is not over")
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Minute); cancel() }()
		begin := time.Now()
		if retry.Sleep(ctx, time.Hour) || time.Since(begin) != time.Minute {
			t.Errorf("slept for %s after its context ended", time.Since(begin))
		}
	})
}
