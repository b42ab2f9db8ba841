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

// storedRun is the newest record of a run.
type storedRun struct {
	jid string
	seq uint64
	*wire.Run
}

// keepNewest keeps a run's record if it is the newest.
func keepNewest(runs map[string]storedRun, jid string, seq uint64, r *wire.Run) {
	key := r.Machine + "/" + r.ID
	if old, ok := runs[key]; !ok || seq > old.seq {
		runs[key] = storedRun{jid, seq, r}
	}
}

// slack is how far the times of a stored run may be off: its agent may be dead
// when the run begins or ends.
const slack = 6 * time.Second

// comparison compares stored runs with real ones.
type comparison struct {
	Runs
	problems []string
	matches  map[string]int // stored run to the number of real ones
}

func (c *comparison) problem(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// compareRuns compares the stored runs with what the machines really did. It
// returns a description of each difference.
func compareRuns(truths []fleet.Truth, specs []fleet.Spec, stored map[string]storedRun) (Runs, []string) {
	spec := map[string]fleet.Spec{}
	for _, s := range specs {
		spec[s.ID] = s
	}
	c := comparison{Runs: Runs{True: len(truths)}, matches: map[string]int{}}
	for _, t := range truths {
		c.realRun(t, spec[t.Machine], stored)
	}
	for key, s := range stored {
		if s.State == fact.RunWithdrawn {
			continue
		}
		c.Stored++
		switch n := c.matches[key]; {
		case n == 0:
			c.Invented++
			c.problem("%s (%s to %s, %s) is stored and did not happen", s.ID, s.Start, s.End, s.Grade)
		case n > 1:
			c.Merged++
			c.problem("%s is stored for %d real runs", s.ID, n)
		}
	}
	c.Litres = percent(c.StoredL, c.TrueL)
	c.TrueL, c.StoredL = round2(c.TrueL), round2(c.StoredL)
	slices.Sort(c.problems)
	return c.Runs, c.problems
}

// realRun finds the stored run of a real one and compares them.
func (c *comparison) realRun(t fleet.Truth, spec fleet.Spec, stored map[string]storedRun) {
	var found []storedRun
	for key, s := range stored {
		if s.State != fact.RunWithdrawn && s.Machine == t.Machine &&
			s.Start.Before(t.End.Add(slack)) && s.End.After(t.Start.Add(-slack)) {
			found = append(found, s)
			c.matches[key]++
		}
	}
	switch len(found) {
	case 0:
		c.Missed++
		c.problem("no run is stored of %s", t)
		return
	case 1:
	default:
		c.Split++
		c.problem("%d runs are stored of %s: %s, %s", len(found), t, found[0].ID, found[1].ID)
		return
	}
	s := found[0]
	if s.Grade != t.Grade {
		c.Misgraded++
		c.problem("%s: graded %s %v: %s", t, s.Grade, s.Reasons, s.ID)
	}
	if spec.NoFlowSensor || spec.Fault == fleet.FaultStuck {
		return
	}
	litres := 0.0
	if s.MeterL != nil {
		litres = *s.MeterL
	}
	c.TrueL += t.Litres
	c.StoredL += litres
	c.Worst = max(c.Worst, percent(litres, t.Litres))
}

// percent returns the error of is, in percent of should.
func percent(is, should float64) float64 {
	if should == 0 {
		return 0
	}
	return round2(math.Abs(is-should) / should * 100)
}

func round2(v float64) float64 { return math.Round(v*100) / 100 }
