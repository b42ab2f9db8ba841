package upgrade

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeProgram puts a script in the place of a program of the computer.
func fakeProgram(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// A program that was killed is not waited for because a script of its package holds its output.
func TestAProgramEndsWithItsLimit(t *testing.T) {
	fakeProgram(t, "dpkg-query", "sleep 300 & echo begun; wait")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := (Debian{}).Installed(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(begin); took > pipesLimit+30*time.Second {
		t.Errorf("it took %s", took)
	}
}

// dpkg is not killed in the middle when the service is stopped: it comes to its end.
func TestAnInstallationIsNotCutOff(t *testing.T) {
	done := filepath.Join(t.TempDir(), "done")
	fakeProgram(t, "dpkg", "sleep 0.3; echo $2 >>"+done)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (Debian{}).Install(ctx, []string{"x.deb"}); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(done); err != nil || strings.Count(string(b), "\n") != 2 {
		t.Errorf("dpkg came to its end %q, %v", b, err)
	}
}

func TestOnlyTheLockOfDpkgIsWaitedFor(t *testing.T) {
	for text, locked := range map[string]bool{
		"dpkg: error: dpkg frontend lock was locked by another process with pid 7": true,
		"dpkg: error: cannot write: No space left on block device":                 false,
	} {
		fakeProgram(t, "dpkg", "echo '"+text+"' >&2; exit 2")
		if err := (Debian{}).Install(t.Context(), nil); err == nil || errors.Is(err, ErrLocked) != locked {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// An agent that still reads its journal at boot, or that fails again and again, is judged and
// started anew like any other.
func TestAnAgentThatStartsRuns(t *testing.T) {
	for state, want := range map[string]bool{"active": true, "activating": true, "reloading": true, "inactive": false,
		"failed": false, "deactivating": false} {
		fakeProgram(t, "systemctl", `[ "$1" = show ] && echo `+state+` || { [ `+state+` = active ] || exit 3; }`)
		if got := (Debian{}).Runs(t.Context()); got != want {
			t.Errorf("%s: %t", state, got)
		}
	}
}
