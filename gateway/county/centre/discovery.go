package centre

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/end"
	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/county/homeassistant"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
)

// announcedFile lists what Home Assistant was told, in the county's folder.
const announcedFile = "homeassistant.json"

func checkDiscovery(c Config) error {
	switch {
	case c.Discovery == "":
		return nil
	case c.Discovery != broker.HomeAssistant:
		return fmt.Errorf("discovery: %q: write %s, or leave it out", c.Discovery, broker.HomeAssistant)
	case c.Desk == nil:
		return fmt.Errorf("discovery: %s is told what the desk knows: give desk, too", broker.HomeAssistant)
	}
	return nil
}

// discovers reports whether Home Assistant is told of gates and machines, or is still to be told
// that it is not any more.
func (c Config) discovers() bool {
	_, err := os.Stat(filepath.Join(c.Dir, announcedFile))
	return c.Discovery != "" || err == nil
}

// startDiscovery tells Home Assistant of gates and machines, or takes back what it was told
// when it was still to be.
func (c *county) startDiscovery(ctx context.Context) error {
	d := c.told.Load()
	log := c.log.With("part", "discovery")
	var view func(context.Context) (homeassistant.View, error)
	if c.cfg.Discovery != "" && d != nil {
		view = func(ctx context.Context) (homeassistant.View, error) { return c.discovered(ctx, d) }
	}
	a, err := homeassistant.New(c.cfg.County, filepath.Join(c.cfg.Dir, announcedFile), view, log)
	if err != nil || a.Idle() {
		return err
	}
	client, err := c.discoveryClient(a, log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = client.Run(ctx) }) // ends with ctx only
	wg.Go(func() { _ = a.Run(ctx, client) })
	c.onClose(func() error {
		cancel()
		wg.Wait()
		return nil
	})
	return nil
}

func (c *county) discoveryClient(a *homeassistant.Announcer, log *slog.Logger) (*mqtt.Client, error) {
	m := mqtt.Config{ClientID: "discovery-" + strings.ToLower(rand.Text()), Hello: a.Hello, Bye: a.Bye, OnUp: a.Up,
		Log: log}
	if err := c.broker.Load(&m); err != nil {
		return nil, err
	}
	return mqtt.New(m), nil
}

// discovered returns what Home Assistant is told.
func (c *county) discovered(ctx context.Context, d *desk.Desk) (homeassistant.View, error) {
	s, err := d.Standing(ctx)
	if err != nil {
		return homeassistant.View{}, err
	}
	gone, err := c.gone(ctx)
	if err != nil {
		return homeassistant.View{}, err
	}
	v := homeassistant.View{County: c.cfg.County, Name: c.sites.Name, Version: c.version}
	agents := map[string]homeassistant.Gate{}
	for _, a := range s.Agents {
		agents[a.Agent] = homeassistant.Gate{State: a.State, Heard: a.Heard}
	}
	for _, id := range c.sites.Agents() {
		if gone[id] {
			continue
		}
		g := agents[id]
		g.ID, g.Alerts, g.Hour = id, s.Alerts[id], s.Hours[id]
		g.Area, g.Name = c.sites.Names(id)
		v.Gates = append(v.Gates, g)
	}
	for _, m := range s.Machines {
		v.Machines = append(v.Machines, machineOf(m))
	}
	return v, nil
}

// gone returns the gates that are out of service: those whose certificates were revoked, and
// those that have ended for good.
func (c *county) gone(ctx context.Context) (map[string]bool, error) {
	out := map[string]bool{}
	for _, id := range c.sites.Agents() {
		if i, known := c.registry.Lookup(id); known && !i.Revoked.IsZero() {
			out[id] = true
		}
	}
	s, err := c.ends.Status(ctx)
	if errors.Is(err, end.ErrNotBegun) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look which gates have ended: %w", err)
	}
	for _, g := range s.Gates {
		if g.State == end.Ended {
			out[g.Agent] = true
		}
	}
	return out, nil
}

func machineOf(m fleet.Machine) homeassistant.Machine {
	out := homeassistant.Machine{ID: m.Machine, Name: m.Name, Kind: m.Type, State: m.State, Heard: m.Heard,
		Tank: m.Tank, Battery: m.Battery}
	if r := m.Last; r != nil {
		out.Last = &homeassistant.Run{State: r.State, Grade: r.Grade, Litres: r.Litres, Start: r.Start}
	}
	if out.State == "" {
		out.State = fact.MachineNever
	}
	return out
}
