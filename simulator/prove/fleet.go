package prove

import (
	"context"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"slices"
	"time"

	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/fleet"
	"gatehouse/simulator/world"
)

// Runs is the comparison of the stored runs with the machines' real ones.
type Runs struct {
	True      int     `json:"true"`             // real runs
	Stored    int     `json:"stored"`           // stored runs
	Missed    int     `json:"missed"`           // real runs without a stored one
	Split     int     `json:"split"`            // real runs with several stored ones
	Merged    int     `json:"merged"`           // stored runs with several real ones
	Invented  int     `json:"invented"`         // stored runs without a real one
	Misgraded int     `json:"misgraded"`        // stored runs with another grade than they should have
	Litres    float64 `json:"litres_error_pct"` // error of the sum, of machines with a sound flow meter
	Worst     float64 `json:"worst_run_pct"`    // error of the worst run
	TrueL     float64 `json:"litres_true"`
	StoredL   float64 `json:"litres_stored"`
}

func (r *Runs) failed() bool {
	return r.Missed+r.Split+r.Merged+r.Invented+r.Misgraded > 0 || r.Litres > maxLitres
}

// maxLitres is the allowed error of the litres, percent.
const maxLitres = 2

// fleetTimes let each machine make one or two runs in two minutes.
var fleetTimes = fleet.Times{
	First: 3 * time.Second,
	Work:  22 * time.Second,
	Pause: 6 * time.Second,
	More:  12 * time.Second,
	Rest:  50 * time.Second,
}

// newFleet creates the machines.
func (p *proof) newFleet(ctx context.Context) error {
	c, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := c.LocalAddr().String()
	if err := c.Close(); err != nil {
		return err
	}
	p.fleet, err = fleet.New(ctx, fleet.Config{
		County: world.CountyID,
		Sites:  &world.New(p.Seed).Sites,
		Dir:    filepath.Join(p.Dir, "fleet"),
		Broker: p.brokerURL,
		UDP:    address,
		Times:  fleetTimes,
	})
	return err
}

// startBridges starts the agents of the bridges.
func (p *proof) startBridges() error {
	for _, id := range []string{fleet.Station, fleet.Depot} {
		cfg := p.fleet.Bridge(id, agent.Config{
			County:       world.CountyID,
			Dir:          filepath.Join(p.Dir, id),
			Broker:       mqtt.Broker{URL: p.brokerURL},
			CollectorKey: filepath.Join(p.countyDir(), "collector.pub"),
		})
		file := filepath.Join(p.Dir, id+".yaml")
		if err := writeYAML(file, cfg); err != nil {
			return err
		}
		a := p.program(id, p.Gatehouse, "agent", "--config", file)
		p.agents = append(p.agents, a)
		p.agentIDs = append(p.agentIDs, id)
		if err := a.start(); err != nil {
			return err
		}
	}
	return nil
}

// heldRun is the last word of a stored run.
type storedRun struct {
	jid string
	seq uint64
	*wire.Run
}

// takeRun keeps a run record if it is the last word.
func keepNewest(held map[string]storedRun, jid string, seq uint64, r *wire.Run) {
	key := r.Machine + "/" + r.ID
	if old, ok := held[key]; !ok || seq > old.seq {
		held[key] = storedRun{jid, seq, r}
	}
}

// slack is how far apart begin and end may be: an agent may be dead when a run
// begins or ends.
const slack = 6 * time.Second

// compare holds the stored runs against the truth.
func compareRuns(truths []fleet.Truth, specs []fleet.Spec, held map[string]storedRun) (Runs, []string) {
	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	spec := map[string]fleet.Spec{}
	for _, s := range specs {
		spec[s.ID] = s
	}
	r := Runs{True: len(truths)}
	told := map[string]int{} // true runs by stored one
	for _, t := range truths {
		var found []storedRun
		for key, h := range held {
			if h.State != fact.RunWithdrawn && h.Machine == t.Machine && h.Start.Before(t.End.Add(slack)) &&
				h.End.After(t.Start.Add(-slack)) {
				found = append(found, h)
				told[key]++
			}
		}
		switch len(found) {
		case 0:
			r.Missed++
			problem("no run tells of %s", t)
			continue
		case 1:
		default:
			r.Split++
			problem("%d runs tell of %s: %s, %s", len(found), t, found[0].ID, found[1].ID)
			continue
		}
		h := found[0]
		if h.Grade != t.Grade {
			r.Misgraded++
			problem("%s: graded %s %v: %s", t, h.Grade, h.Reasons, h.ID)
		}
		if s := spec[t.Machine]; s.NoFlowSensor || s.Fault == fleet.FaultStuck {
			continue
		}
		litres := 0.0
		if h.MeterL != nil {
			litres = *h.MeterL
		}
		r.TrueL += t.Litres
		r.StoredL += litres
		if off := percent(litres, t.Litres); off > r.Worst {
			r.Worst = off
		}
	}
	for key, h := range held {
		if h.State == fact.RunWithdrawn {
			continue
		}
		r.Stored++
		switch n := told[key]; {
		case n == 0:
			r.Invented++
			problem("%s (%s to %s, %s) never was", h.ID, h.Start, h.End, h.Grade)
		case n > 1:
			r.Merged++
			problem("%s tells of %d runs", h.ID, n)
		}
	}
	r.Litres = percent(r.StoredL, r.TrueL)
	r.TrueL, r.StoredL = round2(r.TrueL), round2(r.StoredL)
	slices.Sort(problems)
	return r, problems
}

func percent(is, should float64) float64 {
	if should == 0 {
		return 0
	}
	return round2(math.Abs(is-should) / should * 100)
}

func round2(v float64) float64 { return math.Round(v*100) / 100 }
