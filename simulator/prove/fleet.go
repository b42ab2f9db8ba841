package prove

import (
	"context"
	"net"
	"path/filepath"
	"slices"
	"time"

	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/mqtt"
	"gatehouse/simulator/fleet"
	"gatehouse/simulator/world"
)

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
		Peers:  true,
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

// deaf returns when nobody heard a machine: its bridge was dead, or, where it
// reports by itself without a time, the collector or the broker was. Outages that
// overlap are one.
func (p *proof) deaf(s fleet.Spec) (out []outage) {
	add := func(x *process, more time.Duration) {
		if x != nil {
			for _, o := range x.outages() {
				out = append(out, outage{o.from, o.to.Add(listens + more)})
			}
		}
	}
	switch s.Language {
	case fleet.MAVLinkUDP, fleet.MAVLinkSerial:
		add(p.agents[slices.Index(p.agentIDs, fleet.Station)], 0)
	case fleet.PLC, fleet.VFD:
		add(p.agents[slices.Index(p.agentIDs, fleet.Depot)], 0)
	case fleet.JSON, fleet.Tasmota, fleet.Relay:
		if s.Language == fleet.Relay || s.Fault == fleet.FaultRepeat {
			add(p.collector, sentAgain)
			add(p.broker, sentAgain)
		}
	}
	return joined(out)
}

// joined joins the outages that overlap.
func joined(outages []outage) (out []outage) {
	slices.SortFunc(outages, func(a, b outage) int { return a.from.Compare(b.from) })
	for _, o := range outages {
		if n := len(out); n > 0 && !o.from.After(out[n-1].to) {
			if o.to.After(out[n-1].to) {
				out[n-1].to = o.to
			}
			continue
		}
		out = append(out, o)
	}
	return out
}
