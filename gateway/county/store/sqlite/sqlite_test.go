package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/testkit/storetest"
)

func open(t testing.TB, path string) *archive.Archive {
	t.Helper()
	s, err := archive.OpenSQLite(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func opened(a *archive.Archive) storetest.Opened {
	return storetest.Opened{Store: a.Store, Books: a.Books}
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (storetest.Opened, func() storetest.Opened) {
		path := filepath.Join(t.TempDir(), "a store?#.db")
		s := open(t, path)
		return opened(s), func() storetest.Opened {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return opened(open(t, path))
		}
	})
}

func TestAReaderSeesWhatIsCommittedWhileTheCollectorWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	w := open(t, path)
	if _, err := w.Commit(t.Context(), []store.Batch{storetest.Batch(1, 1, 4)}); err != nil {
		t.Fatal(err)
	}
	r, err := archive.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if p, err := r.Positions(t.Context()); err != nil || len(p) != 1 || p[0].Through != 4 {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := w.Commit(t.Context(), []store.Batch{storetest.Batch(1, 5, 6)}); err != nil {
		t.Fatal(err)
	}
	if p, err := r.Positions(t.Context()); err != nil || p[0].Through != 6 {
		t.Fatalf("%+v, %v", p, err)
	}
}

// The child process of the next test commits batch after batch and prints the
// watermark after each.
func TestMain(m *testing.M) {
	if path := os.Getenv("SQLITE_TEST_CHILD"); path != "" {
		s, err := archive.OpenSQLite(path)
		if err != nil {
			panic(err)
		}
		p, err := s.Position(context.Background(), storetest.JID(1))
		if err != nil {
			panic(err)
		}
		for from := p.Through + 1; ; from += 8 {
			r, err := s.Commit(context.Background(), []store.Batch{storetest.Batch(1, from, from+7)})
			if err != nil {
				panic(err)
			}
			fmt.Println(r[0].Through)
		}
	}
	os.Exit(m.Run())
}

func TestWhatWasAcknowledgedSurvivesKill9(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	acknowledged := uint64(0)
	for round := range 8 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SQLITE_TEST_CHILD="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		after := time.Duration(100+37*round) * time.Millisecond
		timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if _, err := fmt.Sscan(lines.Text(), &acknowledged); err != nil {
				t.Fatalf("the child prints %q", lines.Text())
			}
		}
		_ = cmd.Wait()
		timer.Stop()
	}
	if acknowledged == 0 {
		t.Fatal("the child never committed")
	}
	s := open(t, path)
	p, err := s.Position(t.Context(), storetest.JID(1))
	if err != nil || p.Through < acknowledged {
		t.Fatalf("acknowledged %d, the store has %d; %v", acknowledged, p.Through, err)
	}
	n := uint64(0)
	for r, err := range s.Rows(t.Context(), store.Query{}) {
		if n++; err != nil || r.Seq != n {
			t.Fatalf("row %d has seq %d, %v", n, r.Seq, err)
		}
	}
	if n != p.Through {
		t.Fatalf("%d rows, the watermark is %d", n, p.Through)
	}
}

func TestNothingIsCommittedToAFileThatIsNotAtItsPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s := open(t, path)
	commit := func(from, to uint64) error {
		_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, from, to)})
		return err
	}
	if err := commit(1, 4); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	_, _, identity := s.Identity(t.Context())
	_, position := s.Position(t.Context(), storetest.JID(1))
	_, positions := s.Positions(t.Context())
	_, _, losses := s.Losses(t.Context())
	_, term := s.RaiseTerm(t.Context(), 100)
	for name, err := range map[string]error{
		"commit": commit(5, 8), "identity": identity, "position": position, "positions": positions, "losses": losses,
		"term": term, "quarantine": s.Quarantine(t.Context(), store.Poison{Agent: "gate-001", Raw: []byte("x")}),
	} {
		if !errors.Is(err, store.ErrFault) || !strings.Contains(err.Error(), "put it back") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Join(os.Rename(path+".moved", path), commit(5, 8)); err != nil {
		t.Fatal(err)
	}
}
