package complaint

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

var (
	t0    = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)
	noise = Kind{"a machine", "machine=drone-1"}
)

func at(d time.Duration) time.Time { return t0.Add(d) }

func TestAComplaintThatLastsIsSaidWhenItBeginsOnceAMinuteAndWhenItEnds(t *testing.T) {
	var b Book
	if !b.Note(t0, noise, "first") {
		t.Fatal("the first is not said")
	}
	for s := 1; s < 90; s++ {
		if b.Note(at(time.Duration(s)*time.Second), noise, fmt.Sprint("text ", s)) {
			t.Fatalf("said again after %d s", s)
		}
		lines := b.Due(at(time.Duration(s) * time.Second))
		if (len(lines) == 1) != (s == 60) {
			t.Fatalf("after %d s: %+v", s, lines)
		}
		want := Line{noise, 60, at(time.Second), at(time.Minute), "text 60", false, false}
		if s == 60 && lines[0] != want {
			t.Fatalf("%+v, want %+v", lines[0], want)
		}
	}
	if lines := b.Due(at(119 * time.Second)); len(lines) != 0 {
		t.Fatalf("before it is due: %+v", lines)
	}
	if lines := b.Due(at(120 * time.Second)); len(lines) != 1 || lines[0] != (Line{noise, 29, at(61 * time.Second),
		at(89 * time.Second), "text 89", false, false}) {
		t.Fatalf("the second minute: %+v", lines)
	}
	if lines := b.Due(at(148 * time.Second)); len(lines) != 0 {
		t.Fatalf("it goes on: %+v", lines)
	}
	if lines := b.Due(at(149 * time.Second)); len(lines) != 1 || lines[0] != (Line{noise, 90, t0,
		at(89 * time.Second), "text 89", true, false}) {
		t.Fatalf("the end: %+v", lines)
	}
	if !b.Note(at(150*time.Second), noise, "") {
		t.Fatal("it begins again and is not said")
	}
}

func TestWhatCameOnceIsNotMentionedAgain(t *testing.T) {
	var b Book
	b.Note(t0, noise, "")
	if lines := b.Due(at(59 * time.Second)); len(lines) != 0 || b.Note(at(59*time.Second), noise, "") {
		t.Fatalf("it has ended too early: %+v", lines)
	}
	b = Book{}
	b.Note(t0, noise, "")
	if lines := b.Due(at(time.Minute)); len(lines) != 0 || len(b.groups) != 0 {
		t.Fatalf("%+v, %d groups", lines, len(b.groups))
	}
	b.Note(t0, noise, "")
	if lines := b.End(at(time.Second)); len(lines) != 0 {
		t.Fatalf("%+v", lines)
	}
	b.Note(t0, noise, "")
	b.Note(t0, noise, "b")
	if lines := b.End(at(time.Second)); len(lines) != 1 || !lines[0].Ended || lines[0].Count != 2 {
		t.Fatalf("%+v", lines)
	}
}

func TestNamesWithoutEndAreBounded(t *testing.T) {
	var b Book
	said := 0
	for i := range 10_000 {
		if b.Note(t0, Kind{"refused", fmt.Sprint("remote=", i)}, "text") {
			said++
		}
	}
	if said != most+1 || len(b.groups) != most {
		t.Fatalf("%d lines, %d groups", said, len(b.groups))
	}
	lines := b.Due(at(time.Minute))
	if len(lines) != 1 || !lines[0].Shared || !lines[0].Ended || lines[0].Count != 10_000-most {
		t.Fatalf("%d lines: %+v", len(lines), lines)
	}
	if b.shared != nil || len(b.groups) != 0 {
		t.Fatal("ended complaints are kept")
	}
}

// What begins, is summarised and ends adds up, whatever comes when.
func TestEveryComplaintIsCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b Book
		noted, said, counted, ended := 0, 0, 0, 0
		take := func(lines []Line) {
			for _, l := range lines {
				if l.Ended {
					counted += l.Count
					ended++
				}
			}
		}
		now := t0
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "s")) * time.Second)
			k := Kind{"m", rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "who")}
			if b.Note(now, k, "") {
				said++
			}
			noted++
			take(b.Due(now))
		}
		take(b.End(now))
		if once := said - ended; counted+once != noted {
			t.Fatalf("%d noted, %d in %d that have ended, %d came once", noted, counted, ended, once)
		}
	})
}

// play runs f with a logger whose lines it returns, without their times.
func play(t *testing.T, f func(log *slog.Logger)) (lines []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		timeless := func(_ []string, a slog.Attr) slog.Attr {
			if a.Value.Kind() == slog.KindTime {
				return slog.Attr{}
			}
			return a
		}
		h := NewHandler(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: timeless}))
		f(slog.New(h))
		h.Close()
		h.Close()
		slog.New(h).Warn("late", "machine", "m")
		lines = strings.Split(strings.TrimSpace(out.String()), "\n")
		if last := len(lines) - 1; lines[last] != `level=WARN msg=late machine=m` {
			t.Errorf("after Close: %q", lines[last])
		} else {
			lines = lines[:last]
		}
	})
	return lines
}

func TestTwoComplaintsThatAlternateFillNoLog(t *testing.T) {
	lines := play(t, func(log *slog.Logger) {
		for i := range 18 * 120 {
			log.Warn("a machine", "machine", "drone-1", "err", fmt.Errorf("kind %d, value %d", i%2, i))
			time.Sleep(time.Second / 18)
		}
		time.Sleep(2 * time.Minute)
	})
	if len(lines) != 4 && len(lines) != 3 || !strings.HasSuffix(lines[len(lines)-1],
		`msg="a machine (has ended)" machine=drone-1 count=2160 newest="kind 1, value 2159"`) ||
		lines[0] != `level=WARN msg="a machine" machine=drone-1 err="kind 0, value 0"` ||
		!strings.Contains(lines[1], `msg="a machine (goes on)" machine=drone-1 count=`) {
		t.Fatalf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
}

func TestTheLogIsFlushedAtTheEnd(t *testing.T) {
	lines := play(t, func(log *slog.Logger) {
		for range 3 {
			log.With("port", "ttyUSB0").WithGroup("g").Warn("noise", "reason", "no frame")
		}
	})
	want := []string{`level=WARN msg=noise port=ttyUSB0 g.reason="no frame"`,
		`level=WARN msg="noise (has ended)" port=ttyUSB0 count=3 newest="no frame"`}
	if !slices.Equal(lines, want) {
		t.Fatalf("%q", lines)
	}
}

func TestOnlyWarningsThatNameWhoComplainsAreGrouped(t *testing.T) {
	for name, c := range map[string]struct {
		say  func(log *slog.Logger)
		want int // of two
	}{
		"an error":          {func(l *slog.Logger) { l.Error("x", "machine", "m", "err", errors.New("e")) }, 2},
		"a notice":          {func(l *slog.Logger) { l.Info("x", "machine", "m") }, 2},
		"detail":            {func(l *slog.Logger) { l.Debug("x", "machine", "m") }, 0},
		"nobody":            {func(l *slog.Logger) { l.Warn("x", "id", "m") }, 2},
		"a machine":         {func(l *slog.Logger) { l.Warn("x", "id", 3, "machine", "m") }, 1},
		"a machine's topic": {func(l *slog.Logger) { l.Warn("x", "topic", "t", "machine", "m") }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			lines := play(t, func(log *slog.Logger) { c.say(log); c.say(log) })
			got := len(slices.DeleteFunc(lines, func(s string) bool {
				return s == "" || strings.Contains(s, "(has ended)")
			}))
			if got != c.want {
				t.Fatalf("%d lines of two: %q", got, lines)
			}
		})
	}
}

func TestComplaintsOfManyAreToldApart(t *testing.T) {
	lines := play(t, func(log *slog.Logger) {
		for port := range 3 {
			log.Warn("handshake", "remote", fmt.Sprintf("10.0.0.1:%d", port), "err", "one host")
			log.Warn("handshake", "remote", fmt.Sprintf("10.0.0.%d:99", port+2), "err", "many hosts")
			log.Warn("other", "remote", fmt.Sprintf("10.0.0.1:%d", port))
		}
	})
	slices.SortFunc(lines, cmp.Compare)
	if len(lines) != 7 || !slices.Contains(lines, `level=WARN msg="handshake (has ended)" remote=10.0.0.1 count=3 `+
		`newest="one host"`) || !slices.Contains(lines, `level=WARN msg="other (has ended)" remote=10.0.0.1 count=3`) {
		t.Fatalf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
}

func TestComplaintsBeyondTheBoundAreOneLine(t *testing.T) {
	lines := play(t, func(log *slog.Logger) {
		for i := range 2 * most {
			log.Warn("x", "agent", i)
		}
	})
	if last := lines[len(lines)-1]; len(lines) != most+2 || last != fmt.Sprintf(
		`level=WARN msg="further complaints, of more than can be told apart (has ended)" count=%d`, most) {
		t.Fatalf("%d lines, the last: %s", len(lines), last)
	}
}
