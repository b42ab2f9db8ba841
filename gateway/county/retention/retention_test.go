package retention_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/retention"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

const day = 24 * time.Hour

// shelf is a store of two journals; each step takes held.
type shelf struct {
	old   map[string]int // records to remove, by journal and kind
	held  time.Duration
	steps []store.Expiry
	last  time.Time
	err   error
}

func (s *shelf) Positions(context.Context) ([]store.Position, error) {
	return []store.Position{{JID: "a", Agent: "gate-001", Through: 1000}, {JID: "b", Agent: "gate-002", Through: 2000}},
		nil
}

func (s *shelf) Expire(_ context.Context, _ time.Time, e store.Expiry) (store.Removal, error) {
	s.steps = append(s.steps, e)
	key := e.JID + " " + string(e.Kind)
	n := min(s.old[key], e.Looked)
	s.old[key] -= n
	return store.Removal{Looked: n, Removed: n, Held: s.held}, s.err
}

func (s *shelf) LastExpiry(context.Context) (time.Time, error)        { return s.last, nil }
func (s *shelf) SetLastExpiry(_ context.Context, now time.Time) error { s.last = now; return nil }
func (s *shelf) Removable(_ context.Context, jid string, _ wire.Kind) (uint64, error) {
	return map[string]uint64{"a": 500}[jid], nil
}

func TestAConfigurationSaysForHowLongRecordsAreKept(t *testing.T) {
	c, err := config.Parse[retention.Config]([]byte("readings: 14d\nhealth: 36h\n"))
	if err != nil || time.Duration(c.Readings) != 14*day || time.Duration(c.Health) != 36*time.Hour || c.Passages != 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	if c.Readings.String() != "14d" || c.Health.String() != "36h0m0s" || c.Check() != nil {
		t.Errorf("%s, %s, %v", c.Readings, c.Health, c.Check())
	}
	for text, want := range map[string]string{
		"readings: 14":     "write days like 14d",
		"readings: 2w":     "write days like 14d",
		"readings: -1d":    "write days like 14d",
		"readings: 30m":    "readings: 30m0s is less than 1h0m0s",
		"readings: -36h":   "less than",
		"passages: 1d":     "passages: 1d is less than 3d",
		"alerts: 1d":       "alerts: 1d is less than 3d",
		"readings: 99999d": "write days like 14d",
		"alarms: 14d":      "unknown field",
	} {
		c, err := config.Parse[retention.Config]([]byte(text))
		if err = errors.Join(err, c.Check()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestARoundRemovesOnlyWhatIsConfiguredInStepsThatRest(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		held            time.Duration
		least, most     int // records of a step
		rest, restsOver time.Duration
	}{
		"a quick disk": {time.Millisecond, 256, 512, 20 * time.Millisecond, 20 * time.Millisecond},
		"a slow disk":  {60 * time.Millisecond, 16, 256, 600 * time.Millisecond, 600 * time.Millisecond},
	} {
		s := &shelf{old: map[string]int{"a reading": 30000, "b reading": 5, "a passage": 7}, held: c.held}
		var rests []time.Duration
		r := retention.New(retention.Options{Store: s, Log: slog.New(slog.DiscardHandler),
			Config: retention.Config{Readings: retention.Age(14 * day)},
			Now:    func() time.Time { return now },
			Pause:  func(_ context.Context, d time.Duration) bool { rests = append(rests, d); return true }})
		if err := r.Round(t.Context()); err != nil || s.old["a reading"] != 0 || s.old["b reading"] != 0 {
			t.Errorf("%s: left %v, %v", name, s.old, err)
		}
		if s.old["a passage"] != 7 {
			t.Errorf("%s: passages were removed", name)
		}
		least, most := s.steps[0].Looked, 0
		for _, e := range s.steps {
			least, most = min(least, e.Looked), max(most, e.Looked)
			if e.Kind != wire.KindReading || !e.Before.Equal(now.Add(-14*day)) {
				t.Fatalf("%s: %+v", name, e)
			}
		}
		if least != c.least || most != c.most {
			t.Errorf("%s: steps of %d to %d", name, least, most)
		}
		for _, d := range rests {
			if d < c.rest || d > c.restsOver {
				t.Fatalf("%s: it rests for %s", name, d)
			}
		}
	}
}

func TestWhatSomebodyNeedsStays(t *testing.T) {
	s := &shelf{old: map[string]int{"a run": 1, "b run": 1}}
	r := retention.New(retention.Options{Store: s, Guard: s, Log: slog.New(slog.DiscardHandler),
		Config: retention.Config{Runs: retention.Age(14 * day)},
		Pause:  func(context.Context, time.Duration) bool { return true }})
	if err := r.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, e := range s.steps {
		if e.JID != "a" || e.Through != 500 {
			t.Errorf("%+v", e)
		}
	}
	if s.old["a run"] != 0 || s.old["b run"] != 1 {
		t.Errorf("left %v", s.old)
	}
}

// A clock that jumps ahead by years, while the collector runs or before its start,
// must not empty the store.
func TestAClockThatJumpsAheadRemovesNothingForADay(t *testing.T) {
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, restarts := range map[string]bool{"it runs": false, "before a start": true} {
		now := begin
		s := &shelf{old: map[string]int{}}
		var log bytes.Buffer
		start := func() *retention.Retention {
			return retention.New(retention.Options{Store: s, Log: slog.New(slog.NewTextHandler(&log, nil)),
				Config: retention.Config{Readings: retention.Age(14 * day)}, Now: func() time.Time { return now },
				Pause: func(context.Context, time.Duration) bool { return true }})
		}
		r := start()
		round := func() int {
			s.steps = nil
			if err := r.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
			return len(s.steps)
		}
		if round() == 0 {
			t.Errorf("%s: nothing was looked at", name)
		}
		now = begin.Add(9 * 365 * day)
		if restarts {
			r = start()
		}
		if round() != 0 || !strings.Contains(log.String(), "if the clock is wrong set it now") {
			t.Errorf("%s: records were removed; log: %s", name, &log)
		}
		if now = begin.Add(time.Hour); round() == 0 {
			t.Errorf("%s: it was set right, and nothing is looked at", name)
		}
		now = begin.Add(9 * 365 * day)
		if round() != 0 {
			t.Errorf("%s: records were removed when it jumped again", name)
		}
		if now = now.Add(25 * time.Hour); round() == 0 {
			t.Errorf("%s: it waits for ever", name)
		}
	}
}

func TestARoundThatFailsIsTriedAgain(t *testing.T) {
	s := &shelf{old: map[string]int{}, err: errors.New("disk full")}
	var log bytes.Buffer
	rounds := 0
	r := retention.New(retention.Options{Store: s, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Config: retention.Config{Readings: retention.Age(14 * day)},
		Pause:  func(context.Context, time.Duration) bool { rounds++; return rounds < 3 }})
	r.Run(t.Context())
	if rounds != 3 || strings.Count(log.String(), "disk full") != 3 {
		t.Errorf("%d rounds, log: %s", rounds, &log)
	}
}
