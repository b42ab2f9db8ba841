package bridge

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func TestTheLastValuesAreInTheFileAndTakenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "machines.json")
	synctest.Test(t, func(t *testing.T) {
		g := newRig(t)
		g.last.path = path
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); g.last.run(ctx, func(err error) { t.Error(err) }) }()
		g.run(6, func(int) runs.Sample {
			return runs.Sample{Values: fact.Values{Command: new(false), Volume: new(7.5)}}
		})
		synctest.Wait()
		cancel()
		<-done
	})
	last := lastValues{path: path}
	tracks, err := last.read()
	if err != nil || len(tracks) != 1 || tracks[0].Machine != "drone-1" || *tracks[0].Points[0].Volume != 7.5 {
		t.Fatalf("%+v %v", tracks, err)
	}
}

func TestAFileOfLastValuesThatCannotBeReadIsAnError(t *testing.T) {
	dir := t.TempDir()
	missing := lastValues{path: filepath.Join(dir, "none")}
	if tracks, err := missing.read(); err != nil || tracks != nil {
		t.Errorf("no file: %v %v", tracks, err)
	}
	damaged := lastValues{path: filepath.Join(dir, "damaged")}
	if err := os.WriteFile(damaged.path, []byte(`[{"machine"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := damaged.read(); err == nil {
		t.Error("a damaged file is read")
	}
	nowhere := lastValues{path: filepath.Join(dir, "none", "file")}
	if err := nowhere.write(nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is missing: %v", err)
	}
}

// While a disk hangs, one set of values waits and later ones are dropped.
func TestAHungDiskHoldsUpNothing(t *testing.T) {
	g := newRig(t)
	g.last = lastValues{path: "unused", pending: make(chan []wire.Track, 1)}
	g.run(60, func(int) runs.Sample { return runs.Sample{Values: fact.Values{Command: new(false)}} })
	if n := len(g.last.pending); n != 1 {
		t.Errorf("%d wait", n)
	}
	if d := g.last.written; g.h.now.Boot-d >= lastEvery {
		t.Errorf("last due %s ago", g.h.now.Boot-d)
	}
}
