package journal

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"gatehouse/gateway/clock"
)

const childEnv = "GATEHOUSE_JOURNAL_TEST"

// TestMain makes the test binary the agent that is killed when childEnv is set.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := appendForever(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// appendForever prints each record's seq and time after Append has returned.
func appendForever(dir string) error {
	o := options(dir)
	o.SegmentBytes = 8 << 10
	j, _, err := Open(o, clock.System{}.Now())
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		r, err := j.Append(clock.System{}.Now(), body(n))
		if err != nil {
			return err
		}
		fmt.Println(r.Seq, r.At)
		if through := j.Durable(); n%50 == 0 && through > 0 {
			now := clock.System{}.Now() // a rising term is written at once
			if err := j.Acknowledge(now, State{Through: through, Store: "a", Term: uint64(now.Boot)}); err != nil {
				return err
			}
		}
	}
}

func TestEveryRecordAppendedBeforeSIGKILLIsThere(t *testing.T) {
	dir := t.TempDir()
	printed := map[string]bool{}
	jid := ""
	for round := range 10 {
		fresh := untilKilled(t, dir, 150+61*round)
		for _, line := range fresh {
			printed[line] = true
		}
		j, rep := mustOpen(t, options(dir))
		if rep.NewJID != "" || len(rep.Damaged) > 0 || jid != "" && jid != j.JID() {
			t.Fatalf("round %d: report %+v", round, rep)
		}
		jid = j.JID()
		mustSync(t, j)
		entries, holes := all(t, j.Read, j.Durable())
		for _, h := range holes {
			if h.Reason != ReasonTorn {
				t.Fatalf("round %d: hole %v", round, h)
			}
		}
		found := map[string]bool{}
		for _, e := range entries {
			found[fmt.Sprintln(e.Record.Seq, e.Record.At)] = true
		}
		for line := range printed {
			if !found[line+"\n"] {
				t.Fatalf("round %d: record %q is lost; %d are there", round, line, len(entries))
			}
		}
		// Each child has written at most one record that it did not print.
		if extra := len(entries) - len(printed); extra < 0 || extra > round+1 {
			t.Fatalf("round %d: %d records too many", round, extra)
		}
		j.Close()
	}
}

// untilKilled kills a child that appends, after n lines.
func untilKilled(t *testing.T, dir string, n int) (lines []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(out); s.Scan(); {
		if lines = append(lines, s.Text()); len(lines) == n {
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child was not killed: %v", err)
	}
	return lines
}

func TestConcurrentAppendReadAndAcknowledge(t *testing.T) {
	const writers, each = 4, 300
	o := options(t.TempDir())
	o.SegmentBytes = 16 << 10
	j, _ := mustOpen(t, o)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := j.Append(start, body(w*each+i)); err != nil {
					t.Error(err)
				}
				if i%100 == 0 {
					if err := j.Sync(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	next := uint64(1)
	for next <= writers*each {
		<-j.Changed()
		for next <= j.Durable() {
			c, err := j.Read(next, 50, 10000)
			if err != nil || len(c.Holes) > 0 || len(c.Entries) != int(c.To-c.From+1) {
				t.Fatalf("chunk %d to %d: %d entries, holes %v, %v", c.From, c.To, len(c.Entries), c.Holes, err)
			}
			next = c.To + 1
			if err := j.Acknowledge(start, State{Through: c.To, Store: "a", Term: next}); err != nil {
				t.Fatal(err)
			}
			j.First()
		}
	}
	wg.Wait()
	at := start.Wall.Add(-1)
	entries, _ := all(t, j.Read, j.Durable())
	for _, e := range entries {
		if !e.Record.At.After(at) {
			t.Fatalf("seq %d: time %v is not after %v", e.Record.Seq, e.Record.At, at)
		}
		at = e.Record.At.Time
	}
}
