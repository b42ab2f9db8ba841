package agent

import (
	"context"
	"path/filepath"
	"time"

	"gatehouse/gateway/edge/command"
	"gatehouse/gateway/edge/ship"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// saidMost is how many messages may wait until they are published.
const saidMost = 16

// Why Run ends when the county has it end.
var (
	ErrReload  = command.ErrReload
	ErrRestart = command.ErrRestart
)

// makeCommands makes the part that takes the county's commands. What it publishes comes
// through the channel.
func (a *Agent) makeCommands(cfg Config, opts Options, f files) <-chan ship.Say {
	said := make(chan ship.Say, saidMost)
	o := command.Options{County: cfg.County, Agent: cfg.Agent, Collector: f.collector,
		File: filepath.Join(cfg.Dir, "commands.json"), Journal: a.recorder, Board: a.board, Clock: opts.Clock,
		Screen: opts.Screen != nil, Log: a.log,
		Does: command.Does{Files: opts.Files},
		Send: func(leaf wire.Leaf, payload []byte) {
			select {
			case said <- ship.Say{Leaf: leaf, Payload: payload}:
			default: // the desk asks again
			}
		}}
	if o.Files == nil {
		o.Files = func(now time.Time) error { _, err := Check(cfg, now); return err }
	}
	if r := a.requests; r != nil {
		o.Upgrade = func(id, version string) (fact.CommandWhy, string) {
			return r.Ask(a.clock.Now().Wall, id, version)
		}
	}
	if len(cfg.Station.Devices) > 0 {
		o.Barrier = func(ctx context.Context, lane string) (fact.CommandWhy, error) { return a.station.Open(ctx, lane) }
	}
	a.commands = command.New(o)
	return said
}

// runCommands takes commands from when the journal was read until ctx ends, or one of them
// ends the agent.
func (a *Agent) runCommands(ctx context.Context, restored <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return nil
	case <-restored:
		return a.commands.Run(ctx)
	}
}
