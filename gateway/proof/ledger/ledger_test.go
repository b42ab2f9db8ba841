package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

const childEnv = "GATEHOUSE_LEDGER_TEST"

// TestMain makes the test binary the agent that is killed when childEnv is set.
func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		if err := addForEver(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func addForEver(path string) error {
	l, err := Open(path)
	if err != nil {
		return err
	}
	before, err := Read(path)
	if err != nil {
		return err
	}
	for n := before.N; ; n++ {
		if err := l.Add(fmt.Appendf(nil, "reading %d", n)); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func TestEveryReadingCountedBeforeSIGKILLIsInTheLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	total := uint64(0)
	for round := range 8 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		printed := uint64(0)
		for lines.Scan() {
			if printed++; printed == uint64(100+37*round) {
				if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("the child was not killed: %v", err)
		}
		c, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		// One may be counted whose line was not printed any more.
		if n := c.N - total; n != printed && n != printed+1 {
			t.Fatalf("round %d: %d counted, %d printed", round, n, printed)
		}
		total = c.N
		for i, sum := range c.Sums {
			if sum != Sum(fmt.Appendf(nil, "reading %d", i)) {
				t.Fatalf("round %d: sum %d is wrong", round, i)
			}
		}
	}
}

func TestConcurrentAddsAreAllCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				if err := l.Add(fmt.Appendf(nil, "%d/%d", g, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := Read(path)
	if err != nil || c.N != 800 {
		t.Fatalf("%d counted, %v", c.N, err)
	}
	seen := map[[sumLen]byte]bool{}
	for _, s := range c.Sums {
		seen[s] = true
	}
	if len(seen) != 800 {
		t.Fatalf("%d different sums", len(seen))
	}
}

func TestFullLedgerSaysSo(t *testing.T) {
	l, err := Open(filepath.Join(t.TempDir(), "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.count().Store(capacity - 1)
	if err := l.Add([]byte("last")); err != nil {
		t.Fatal(err)
	}
	if err := l.Add([]byte("one more")); !errors.Is(err, ErrFull) {
		t.Fatalf("add: %v", err)
	}
}

func TestLedgerIsSparse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Add([]byte("one")); err != nil {
		t.Fatal(err)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil || st.Blocks*512 > 64<<10 {
		t.Fatalf("%d bytes on disk, %v", st.Blocks*512, err)
	}
}

func TestForeignFilesAreRefusedAndLeftAlone(t *testing.T) {
	for name, content := range map[string]string{
		"short": "hello", "magic only": magic, "right size": strings.Repeat("x", fileLen),
		"impossible count": magic + strings.Repeat("\xff", 8) + strings.Repeat("\x00", fileLen-headerLen),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if l, err := Open(path); err == nil {
				l.Close()
				t.Error("opened")
			}
			if _, err := Read(path); err == nil {
				t.Error("read")
			}
			if b, err := os.ReadFile(path); err != nil || string(b) != content {
				t.Error("the file was changed")
			}
		})
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil {
		t.Fatal("opened twice")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Add([]byte("late")); err == nil {
		t.Error("added after close")
	}
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
