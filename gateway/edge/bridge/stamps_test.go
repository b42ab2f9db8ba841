package bridge

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
)

// keepStamps runs stamps on a file while use is called, and writes them at the end.
func keepStamps(t *testing.T, path string, use func(*stamps)) {
	t.Helper()
	s := openStamps(path, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.run(ctx, func(err error) { t.Error(err) }) }()
	use(s)
	cancel()
	<-done
}

// taken reports which stamps of a stream are newer than those before.
func taken(s *stamps, stream string, list ...uint64) (out []bool) {
	for _, stamp := range list {
		newer, _ := s.Newer(stream, stamp)
		out = append(out, newer)
	}
	return out
}

func equal(a []bool, b ...bool) bool {
	for i := range b {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

func TestOldStampsAreRefusedAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signed.json")
	keepStamps(t, path, func(s *stamps) {
		if got := taken(s, "k/1/1/0", 1000, 1001, 1001, 1000, 1002); !equal(got, true, true, false, false, true) {
			t.Errorf("taken are %v", got)
		}
		if got := taken(s, "k/1/1/1", 5); !equal(got, true) {
			t.Errorf("another stream: %v", got)
		}
	})
	keepStamps(t, path, func(s *stamps) {
		if got := taken(s, "k/1/1/0", 1002, 1003); !equal(got, false, true) {
			t.Errorf("after a restart: %v", got)
		}
	})
	keepStamps(t, path, func(s *stamps) {
		if newer, by := s.Newer("k/1/1/0", 3); newer || by != -1000 {
			t.Errorf("an old one is %v, %d after the newest", newer, by)
		}
	})
}

func TestStampsAreKeptAheadForACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "signed.json")
		s := openStamps(path, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.run(ctx, func(err error) { t.Error(err) }) }()
		taken(s, "k", 1000, 1001, 1000+lease)
		synctest.Wait()
		crashed := openStamps(path, slog.New(slog.DiscardHandler))
		if got := taken(crashed, "k", 1000+lease, 1001+2*lease); !equal(got, false, true) {
			t.Errorf("after a crash: %v", got)
		}
		cancel()
		<-done
	})
}

func TestAFileOfStampsThatIsDamaged(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"{", "null", `{"a":-1}`} {
		path := filepath.Join(dir, "signed.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		s := openStamps(path, slog.New(slog.NewTextHandler(&log, nil)))
		if said := log.String(); len(s.newest) != 0 || !strings.Contains(said, "level=ERROR") ||
			!strings.Contains(said, path) {
			t.Errorf("%s: %v %s", text, s.newest, said)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: it is not set aside: %v", text, err)
		}
	}
	s := &stamps{path: filepath.Join(dir, "none", "file"), newest: map[string]uint64{"k": 1}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var failed error
	if s.run(ctx, func(err error) { failed = err }); failed == nil {
		t.Error("a folder that is missing is no error")
	}
}
