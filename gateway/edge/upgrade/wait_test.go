package upgrade

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/lockfile"
)

// The computer's own daily upgrade holds dpkg for minutes: that is waited for, and is no reason
// to go back.
func TestAnotherProgramThatInstallsIsWaitedFor(t *testing.T) {
	r := newRig(t)
	r.locked = 600
	s, err := r.do(Wanted{})
	if err != nil || s.Phase != Done || r.locked != 0 {
		t.Errorf("%+v, %v, %d", s, err, r.locked)
	}
}

// A county that takes the connection and sends no more is given up.
func TestADownloadThatStallsEnds(t *testing.T) {
	r := newRig(t)
	r.opts.Source.stalled = 50 * time.Millisecond
	r.serve = func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.HasSuffix(q.URL.Path, "_2.0_amd64.deb") {
			return false
		}
		w.Header().Set("Content-Length", "100000")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush() //nolint:forcetypeassert // of a test's server
		<-q.Context().Done()
		return true
	}
	s, err := r.do(Wanted{})
	if err != nil || s.Phase != Unchanged || !strings.Contains(s.Why, errStalled.Error()) {
		t.Errorf("%+v, %v", s, err)
	}
}

// What the county asks for while somebody upgrades by hand waits for the end of that.
func TestTheServiceWaitsForAnUpgradeByHand(t *testing.T) {
	r := newRig(t)
	if err := os.MkdirAll(r.opts.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	held, err := lockfile.Take(filepath.Join(r.opts.Dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Resume(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("at once: %v", err)
	}
	waits := 0
	r.opts.Wait = func(ctx context.Context, _ time.Duration) error {
		if waits++; waits == 3 {
			return held.Close()
		}
		return ctx.Err()
	}
	if _, ok, err := r.AwaitResume(t.Context()); ok || err != nil || waits != 3 {
		t.Errorf("%t, %v after %d waits", ok, err, waits)
	}
	if held, err = lockfile.Take(filepath.Join(r.opts.Dir, "lock")); err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := r.AwaitResume(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
