package systemd

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestLinesForTheJournalHavePrioritiesAndNoTime(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(NewHandler(&out, slog.LevelDebug))
	log.Debug("a")
	log.Info("b", "time", "now", "level", 3)
	log.Warn("c d")
	log.With("agent", "gate-001").WithGroup("g").Error("e\nf", "x", time.Second)
	log.Log(t.Context(), slog.LevelError+4, "worse")
	want := "<7>msg=a\n" +
		"<6>msg=b time=now level=3\n" +
		"<4>msg=\"c d\"\n" +
		"<3>msg=\"e\\nf\" agent=gate-001 g.x=1s\n" +
		"<3>msg=worse\n"
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

func TestTheLevelOfTheLogCounts(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(NewHandler(&out, slog.LevelWarn)).With("x", 1)
	log.Info("a")
	log.Warn("b")
	if out.String() != "<4>msg=b x=1\n" {
		t.Error(out.String())
	}
}

func TestEachLineOfAnErrorIsAnError(t *testing.T) {
	if got := Errors("gatehouse: a\nb\n"); got != "<3>gatehouse: a\n<3>b\n" {
		t.Errorf("%q", got)
	}
}

// The journal is meant only when standard error itself is what systemd has connected.
func TestOnlyTheJournalsOwnStreamIsTheJournal(t *testing.T) {
	var st syscall.Stat_t
	if err := syscall.Fstat(int(os.Stderr.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		stream string
		want   bool
	}{
		{fmt.Sprintf("%d:%d", st.Dev, st.Ino), true},
		{fmt.Sprintf("%d:%d", st.Dev, st.Ino+1), false},
		{"nonsense", false},
		{"", false},
	} {
		t.Setenv("JOURNAL_STREAM", c.stream)
		if got := Journal(os.Stderr); got != c.want {
			t.Errorf("JOURNAL_STREAM=%s: %v", c.stream, got)
		}
		if Journal(&bytes.Buffer{}) || Journal(os.Stdin) {
			t.Errorf("JOURNAL_STREAM=%s: another writer", c.stream)
		}
	}
}
