package versions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/command"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

// desk is a desk whose clock a test turns, and which keeps what gates are commanded.
type desk struct {
	*Versions

	t     *testing.T
	file  *db.File
	now   time.Time
	asked []command.Request
	away  error // of the commands
	blind error // of their states
	sent  command.State
}

func (d *desk) Ask(_ context.Context, by audit.By, r command.Request) (string, error) {
	if d.away != nil {
		return "", d.away
	}
	d.asked = append(d.asked, r)
	return fmt.Sprintf("command-%08d-%s", len(d.asked), by.Actor), nil
}

func (d *desk) StateOf(context.Context, time.Time, string) (command.Row, error) {
	return command.Row{State: d.sent}, d.blind
}

var wang = audit.By{Actor: "wang"}

func open(t *testing.T, path string) *desk {
	t.Helper()
	d := &desk{t: t, now: t0, sent: command.Sent}
	d.file = committed.Open(t, path, audit.Schema+Schema)
	d.start()
	return d
}

// start opens the rollouts of the file, as at a start of the collector.
func (d *desk) start() {
	d.t.Helper()
	v, err := Open(d.t.Context(), Options{File: d.file, Commands: d, Gates: []string{"gate-1", "gate-2", "gate-3"},
		Now: func() time.Time { return d.now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		d.t.Fatal(err)
	}
	d.Versions = v
}

// turn looks once at gates that live and have the former version.
func (d *desk) turn() error {
	d.now = d.now.Add(time.Minute)
	return d.Turn(d.t.Context(), t0, func(string) Seen {
		return Seen{Online: true, Heard: d.now, Program: old, Upgrade: &wire.Upgrade{Package: old}}
	})
}

func TestARolloutOutlivesTheCollector(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "desk.db"))
	plan := Plan{Version: fresh, Reason: " 修复\n门岗 ", Waves: [][]string{{"gate-1"}, {"gate-2", "gate-3"}}}
	if err := errors.Join(d.Begin(t.Context(), wang, plan), d.turn()); err != nil {
		t.Fatal(err)
	}
	if len(d.asked) != 1 || d.asked[0].Agent != "gate-1" || d.asked[0].Version != fresh ||
		d.asked[0].Reason != "修复 门岗" {
		t.Fatalf("%+v", d.asked)
	}
	was := d.Now()
	d.start()
	if now := d.Now(); now == nil || now.Waves[0].Gates[0] != was.Waves[0].Gates[0] || now.ID != was.ID {
		t.Fatalf("after a start %+v", now)
	}
	if err := d.turn(); err != nil || len(d.asked) != 1 {
		t.Errorf("asked again: %+v, %v", d.asked, err)
	}
	if err := d.Begin(t.Context(), wang, plan); !errors.Is(err, ErrOpen) {
		t.Errorf("a second one: %v", err)
	}
	if err := d.Act(t.Context(), wang, was.ID, DoEnd, nil); err != nil || d.Now() != nil {
		t.Errorf("ended: %v", err)
	}
	d.start()
	past, err := d.Last(t.Context(), 10)
	if err != nil || d.Now() != nil || len(past) != 1 || past[0].State != Ended {
		t.Errorf("%+v, %v", past, err)
	}
}

func TestWhatIsDoneWithARolloutIsAudited(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "desk.db"))
	if err := d.Begin(t.Context(), wang, Plan{fresh, "修复", [][]string{{"gate-1"}}}); err != nil {
		t.Fatal(err)
	}
	id := d.Now().ID
	for _, x := range []struct {
		do    Do
		gates []string
		want  error
	}{
		{DoStop, nil, nil}, {DoGoOn, nil, nil}, {DoLeave, nil, nil}, {DoWave, []string{"gate-2"}, nil},
		{DoWave, []string{"gate-2"}, ErrWaves}, {DoWave, []string{"gate-9"}, ErrWaves}, {DoWave, nil, ErrWaves},
		{"rub", nil, ErrNone}, {DoEnd, nil, nil}, {DoGoOn, nil, ErrNone},
	} {
		err := d.Act(t.Context(), wang, id, x.do, x.gates)
		if !errors.Is(err, x.want) || (err == nil) != (x.want == nil) {
			t.Errorf("%s %v: %v", x.do, x.gates, err)
		}
	}
	rows, err := db.All(t.Context(), d.file.Reader(), db.Value[string],
		"SELECT action || ' ' || object || ' ' || detail FROM audit ORDER BY n")
	want := []string{"begin, 1 waves, 1 gates", "stop", "go-on", "leave", "wave, 1 gates", "end"}
	if err != nil || len(rows) != len(want) {
		t.Fatalf("%q, %v", rows, err)
	}
	for i, w := range want {
		if !strings.HasPrefix(rows[i], "upgrade-gates version 1.4.0 "+w+", id ") {
			t.Errorf("entry %d is %q, want %s", i, rows[i], w)
		}
	}
}

func TestWhatCanNotBeBegun(t *testing.T) {
	one := [][]string{{"gate-1"}}
	for what, c := range map[string]struct {
		plan Plan
		want error
	}{
		"no reason":       {Plan{fresh, " ", one}, ErrReason},
		"a long reason":   {Plan{fresh, strings.Repeat("字", 101), one}, ErrReason},
		"no wave":         {Plan{fresh, "x", nil}, ErrWaves},
		"an empty wave":   {Plan{fresh, "x", [][]string{{}}}, ErrWaves},
		"an unknown gate": {Plan{fresh, "x", [][]string{{"gate-9"}}}, ErrWaves},
		"a gate twice":    {Plan{fresh, "x", [][]string{{"gate-1"}, {"gate-2", "gate-1"}}}, ErrWaves},
	} {
		d := open(t, filepath.Join(t.TempDir(), "desk.db"))
		if err := d.Begin(t.Context(), wang, c.plan); !errors.Is(err, c.want) || d.Now() != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Where nothing is known nothing is concluded, and what could not be sent is sent later.
func TestNothingIsConcludedOfNothing(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "desk.db"))
	if err := d.Begin(t.Context(), wang, Plan{fresh, "修复", [][]string{{"gate-1"}}}); err != nil {
		t.Fatal(err)
	}
	d.away = command.ErrNoKey
	if err := d.turn(); err != nil || d.Now().Waves[0].Gates[0].State != Waits {
		t.Fatalf("%+v, %v", d.Now(), err)
	}
	d.Silence()
	d.away = nil
	if err := d.turn(); err != nil || len(d.asked) != 0 {
		t.Errorf("another collector has taken over, and asked are %+v, %v", d.asked, err)
	}
	d.start()
	if err := d.turn(); err != nil || len(d.asked) != 1 {
		t.Errorf("%+v, %v", d.asked, err)
	}
	before := d.Now()
	d.blind, d.sent = errors.New("disk"), command.Done
	if err := d.turn(); err == nil || d.Now().Waves[0].Gates[0] != before.Waves[0].Gates[0] {
		t.Errorf("%+v, %v", d.Now(), err)
	}
}
