package agent

import (
	"sync"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// stuckAfter is how long the record loop, which turns every second, may stand
// still before the agent no longer says that it lives.
const stuckAfter = 15 * time.Second

// pulse is what the record loop leaves for the heartbeat.
type pulse struct {
	mu       sync.Mutex
	turned   time.Duration // boot clock
	devices  []deviceState
	machines []wire.BeatMachine
	space    journal.Space
}

type deviceState struct {
	name  string
	state fact.DeviceState
	heard time.Duration // boot clock of its last reading, sample or frame; 0: never
}

func (p *pulse) set(now clock.Moment, devices []deviceState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turned, p.devices = now.Boot, devices
}

func (p *pulse) setMachines(machines []wire.BeatMachine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.machines = machines
}

func (p *pulse) setRoom(space journal.Space) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.space = space
}

func (p *pulse) room() journal.Space {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.space
}

func (p *pulse) snapshot(now clock.Moment) (out []wire.BeatDevice, machines []wire.BeatMachine, stuck bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.devices {
		out = append(out, wire.BeatDevice{Name: d.name, State: d.state, IdleS: int64((now.Boot - d.heard) / time.Second)})
	}
	return out, p.machines, p.turned != 0 && now.Boot-p.turned > stuckAfter
}
