package county

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/cli/feed"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/simulator/world"
)

func TestFromBytesToACommittedRow(t *testing.T) {
	r := newRig(t, false)
	for _, c := range []struct {
		name string
		test func(t *testing.T)
	}{
		{"a fever alarms, on either thermometer", r.testFever},
		{"the cold are not judged and the unknown do not pass", r.testColdAndUnknown},
		{"a broken or unplugged thermometer alarms and recovers", r.testThermometerFaults},
		{"a gate whose line is cut decides, and delivers later", r.testCutLine},
		{"no card number is stored", r.testNoCardNumbers},
	} {
		t.Run(c.name, c.test)
	}
}

func (r *rig) testFever(t *testing.T) {
	for n := range 2 {
		r.poke(n, "fever")
		r.awaitAlarm(n, "fever", "raised")
		r.awaitRow(r.id(n), `"kind":"passage"`, `"verdict":"fever"`, `"instruction":"wait"`, `"screening_c":38.4`)
		r.awaitRow(r.id(n), `"kind":"alarm"`, `"type":"fever"`)
		hw := r.county.gates[r.id(n)].hw
		red, green, barrier := hw.Lit("GPIO22"), hw.Lit("GPIO24"), hw.Lit("GPIO17")
		if !red || green || barrier {
			t.Errorf("%s: red %v, green %v, barrier %v", r.id(n), red, green, barrier)
		}
	}
}

func (r *rig) testColdAndUnknown(*testing.T) {
	r.poke(0, "cold")
	r.awaitPassage(0, fact.VerdictInvalid, "too-cold")
	r.poke(1, "unknown-card")
	r.awaitPassage(1, fact.VerdictRefuse, "unknown-card")
}

func (r *rig) testThermometerFaults(*testing.T) {
	r.poke(0, "unplug")
	r.poke(1, "sensor-fault")
	for n, kind := range map[int]string{0: "device-gone", 1: "device-fault"} {
		for _, state := range []string{"raised", "cleared"} {
			r.awaitAlarm(n, kind, state)
		}
	}
}

func (r *rig) testCutLine(t *testing.T) {
	r.poke(2, "cut")
	r.poke(2, "fever")
	hw := r.county.gates[r.id(2)].hw
	for deadline := time.Now().Add(10 * time.Second); !hw.Lit("GPIO22"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the red lamp is off")
		}
	}
	i := r.awaitItem("the alarm after the cut", func(i feed.Item) bool {
		return i.Agent == r.id(2) && i.Type == "fever"
	})
	if took := time.Since(i.At.Time); took < 5*time.Second {
		t.Errorf("the line was not cut: the alarm came after %s", took)
	}
	r.awaitRow(r.id(2), `"verdict":"fever"`)
}

func (r *rig) testNoCardNumbers(t *testing.T) {
	s, err := archive.OpenReadOnly(r.db)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := 0
	for row, err := range s.Rows(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		for _, g := range r.county.cfg.Gates {
			if strings.Contains(string(row.Raw), g.Cards[0].Code) {
				t.Fatalf("a stored record contains a card number: %s", row.Raw)
			}
		}
	}
	if n < 10 {
		t.Fatalf("only %d rows", n)
	}
}

func TestImpossiblePokesFailWithAReason(t *testing.T) {
	c := &County{
		cfg: Config{Gates: []world.Gate{{ID: "gate-001"}}},
		gates: map[string]*gate{"gate-001": {Gate: world.Gate{
			ID:    "gate-001",
			Cards: []world.Card{{Code: "6200000000"}},
		}}},
	}
	socket := filepath.Join(t.TempDir(), "s")
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- c.Serve(ctx, socket) }()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil || time.Now().After(deadline) {
			break
		}
	}
	for _, q := range [][3]string{
		{"gate-999", "fever", "there is no gate"},
		{"gate-001", "flood", "can't be made to happen"},
	} {
		if _, err := Ask(ctx, socket, q[0], q[1]); err == nil || !strings.Contains(err.Error(), q[2]) {
			t.Errorf("%v: %v", q, err)
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	if _, err := Ask(t.Context(), socket, "gate-001", "fever"); err == nil ||
		!strings.Contains(err.Error(), "make demo") {
		t.Errorf("without a demo: %v", err)
	}
}
