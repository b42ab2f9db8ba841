package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/fleet"
	"gatehouse/simulator/world"
)

func TestReplayingARecordingFindsItsRun(t *testing.T) {
	for _, id := range []string{"drone-1", "drone-2", "drone-3", "drone-4"} {
		path := filepath.Join(t.TempDir(), "flight.tlog")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		truth, err := fleet.Record(f, &world.New(1).Sites, id, time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC),
			3*time.Minute)
		if err != nil || len(truth) != 1 || f.Close() != nil {
			t.Fatal(truth, err)
		}
		var out, problems bytes.Buffer
		if code := cli.Run(t.Context(),
			[]string{"agent", "--config", "../deploy/machines.example.yaml", "--replay", path}, nil, &out,
			&problems); code != 0 {
			t.Fatalf("%d: %s", code, problems.String())
		}
		var runs []wire.Run
		for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
			var x struct {
				Kind wire.Kind
				Body wire.Run
			}
			if err := json.Unmarshal([]byte(line), &x); err != nil {
				t.Fatal(err)
			}
			if x.Kind == wire.KindRun && x.Body.State == fact.RunClosed {
				runs = append(runs, x.Body)
			}
		}
		if len(runs) != 1 || runs[0].Grade != truth[0].Grade {
			t.Fatalf("%s: runs %+v, want %s", id, runs, truth[0])
		}
		if l := runs[0].MeterL; id != "drone-4" && math.Abs(*l-truth[0].Litres) > 0.05 {
			t.Errorf("%s: %g L, want %g", id, *l, truth[0].Litres)
		}
		if !strings.Contains(problems.String(), "1 runs, 0 damaged") {
			t.Error(problems.String())
		}
	}
}

func TestReplayingAnotherFileFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.tlog")
	if err := os.WriteFile(path, []byte("no recording at all, but some text"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, problems bytes.Buffer
	if code := cli.Run(t.Context(), []string{"agent", "--config", "../deploy/machines.example.yaml", "--replay", path},
		nil, &out, &problems); code == 0 || !strings.Contains(problems.String(), ".tlog") {
		t.Errorf("%d: %s", code, problems.String())
	}
}
