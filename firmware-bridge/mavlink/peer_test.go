package mavlink

import (
	"bufio"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/devices/unheard"
)

// peers are the makers of drones that make tools installs.
var peers = map[string][]string{
	"pymavlink":    {"/usr/bin/python3", "testdata/drone.py"},
	"node-mavlink": {"node", "testdata/drone.cjs"},
}

// start runs a drone of a maker until the test ends.
func start(t *testing.T, maker string, args ...string) {
	t.Helper()
	tools, err := filepath.Abs("../../.tools/peers")
	must(t, err)
	command := append(peers[maker], args...)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+tools+"/python", "NODE_PATH="+tools+"/node_modules")
	problems, err := cmd.StderrPipe()
	must(t, err)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s (make tools installs it): %v", maker, err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(problems); s.Scan(); {
			t.Log(maker, s.Text())
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-read; _ = cmd.Wait() })
}

// whole reports whether all values of a drone have come.
func whole(t *testing.T, out <-chan said, v1 bool) {
	t.Helper()
	missing := map[string]bool{"armed": true, "position": true, "flow": true, "volume": true, "command": !v1}
	deadline := time.After(20 * time.Second)
	for {
		select {
		case w := <-out:
			if w.err != nil {
				t.Fatal(w.err)
			}
			for name, is := range map[string]bool{
				"armed":    w.s.Armed != nil && *w.s.Armed,
				"position": w.s.Lat != nil && *w.s.Lat == 35.9 && *w.s.Speed == 5,
				"flow":     w.s.Flow != nil && *w.s.Flow == 2,
				"volume":   w.s.Volume != nil && *w.s.Volume == 3.25,
				"command":  w.s.Command != nil && *w.s.Command,
			} {
				missing[name] = missing[name] && !is
			}
		case <-deadline:
			t.Fatalf("missing are %v (make tools installs the peers)", missing)
		}
		if !missing["armed"] && !missing["position"] && !missing["flow"] && !missing["volume"] && !missing["command"] {
			return
		}
	}
}

func TestDronesOfOtherMakers(t *testing.T) {
	key := ParseKey("correct horse")
	for maker := range peers {
		for _, how := range []string{"plain", "v1", "packed", "signed"} {
			t.Run(maker+" "+how, func(t *testing.T) {
				t.Parallel()
				cfg := Config{UDP: freePort(t), Vehicles: []Vehicle{
					{System: 1, Machine: "drone-1", PumpServo: 9, FlowBattery: 2},
				}}
				if how == "signed" {
					cfg.Key = key
				}
				out := listen(t, cfg)
				start(t, maker, cfg.UDP, how, hex.EncodeToString(key))
				whole(t, out, how == "v1")
			})
		}
	}
}

func TestADroneOfAnotherMakerThatDoesNotSign(t *testing.T) {
	for maker := range peers {
		t.Run(maker, func(t *testing.T) {
			t.Parallel()
			cfg := Config{UDP: freePort(t), Key: ParseKey("correct horse"),
				Vehicles: []Vehicle{{System: 1, Machine: "drone-1"}}}
			out := listen(t, cfg)
			start(t, maker, cfg.UDP, "signed", strings.Repeat("0b", 32))
			select {
			case w := <-out:
				var advice *unheard.Advice
				if !errors.As(w.err, &advice) || w.machine != "drone-1" || advice.Frames < 10 ||
					!strings.Contains(advice.Text, "another key") {
					t.Errorf("%s: %+v, %v", w.machine, w.s, w.err)
				}
			case <-time.After(20 * time.Second):
				t.Error("nothing is said (make tools installs the peers)")
			}
		})
	}
}
