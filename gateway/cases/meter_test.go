package cases

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/wire"
)

// A case of meter is series.json: what a machine says at each poll, as it arrives,
// and config.yaml, if any, with the keys of a machine in the configuration. A null
// is a value that was not there. expected.yaml gives the run: its litres (within
// 2 %, unless it says otherwise), grade, reasons and, where flow_l or unasked_l is
// given, these, too. Absent: no run.
type meterSeries struct {
	PollS   float64    `json:"poll_s"`
	TimesS  []float64  `json:"t_s"` // in the place of poll_s
	Volume  []*float64 `json:"volume_l"`
	Flow    []*float64 `json:"flow_lpm"`
	Command []*bool    `json:"command"`
}

type meterExpected struct {
	Field   string   `yaml:"field"`
	Litres  *float64 `yaml:"litres"`
	Within  float64  `yaml:"within_l"`
	FlowL   *float64 `yaml:"flow_l"`
	Unasked *float64 `yaml:"unasked_l"`
	Grade   string   `yaml:"grade"`
	Reasons []string `yaml:"reasons"`
}

func TestMeterCases(t *testing.T) {
	each(t, "meter", func(t *testing.T, dir string) {
		want := expected[meterExpected](t, dir)
		found := playMeter(t, dir)
		if want.Litres == nil {
			if len(found) != 0 {
				t.Fatalf("%d runs, want none: %+v", len(found), found[0])
			}
			return
		}
		if len(found) != 1 || found[0].MeterL == nil {
			t.Fatalf("%d runs, want one with litres of its counter: %+v", len(found), found)
		}
		r := found[0]
		near := func(name string, got float64, want *float64, within float64) {
			if want != nil && math.Abs(got-*want) > within+1e-6 {
				t.Errorf("%s is %g, want %g", name, got, *want)
			}
		}
		within := max(want.Within, 0.02**want.Litres)
		near("meter_l", *r.MeterL, want.Litres, within)
		if want.FlowL != nil {
			near("flow_l", *r.FlowL, want.FlowL, within)
		}
		near("unasked_l", r.UnaskedL, want.Unasked, within)
		if r.Grade != want.Grade || !slices.Equal(r.Reasons, want.Reasons) {
			t.Errorf("it is %s %q, want %s %q", r.Grade, r.Reasons, want.Grade, want.Reasons)
		}
	})
}

// playMeter feeds a series to a machine's watch, as a bridge does.
func playMeter(t *testing.T, dir string) (found []*wire.Run) {
	t.Helper()
	var in meterSeries
	raw, err := os.ReadFile(filepath.Join(dir, "series.json"))
	if err == nil {
		err = json.Unmarshal(raw, &in)
	}
	if err != nil {
		t.Fatal(err)
	}
	cfg := machine.Config{Machine: "fogger-1", Name: "1号雾炮车", Type: "fogger"}
	if raw, err := os.ReadFile(filepath.Join(dir, "config.yaml")); err == nil {
		if err := yaml.UnmarshalWithOptions(raw, &cfg, yaml.Strict()); err != nil {
			t.Fatal(err)
		}
	}
	if err := cfg.Check(); err != nil {
		t.Fatal(err)
	}
	watch := machine.NewWatch(cfg, wire.SourceModbus, "boot")
	begin := clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC), Boot: time.Hour}
	keep := func(bodies []wire.Body) {
		for _, b := range bodies {
			if r, ok := b.(*wire.Run); ok && r.State == fact.RunClosed {
				found = append(found, r)
			}
		}
	}
	for i := range max(len(in.Volume), len(in.Flow), len(in.Command)) {
		at := float64(i) * in.PollS
		if i < len(in.TimesS) {
			at = in.TimesS[i]
		}
		now := begin.Add(time.Duration(at * float64(time.Second)))
		watch.Take(now, runs.Sample{Values: fact.Values{
			Volume: nth(in.Volume, i), Flow: nth(in.Flow, i), Command: nth(in.Command, i)}})
		keep(watch.Turn(now))
	}
	keep(watch.Finish())
	return found
}

// nth returns an item of a list, nil beyond its end.
func nth[T any](list []*T, i int) *T {
	if i < len(list) {
		return list[i]
	}
	return nil
}
