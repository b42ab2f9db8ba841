package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"gatehouse/devices/port"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
	machines "gatehouse/gateway/county/fleet"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/simulator/fleet"
	"gatehouse/simulator/world"
)

// demoTimes are short, so that runs begin and end while somebody watches.
var demoTimes = fleet.Times{
	First: 5 * time.Second,
	Work:  40 * time.Second,
	Pause: 8 * time.Second,
	More:  20 * time.Second,
	Rest:  60 * time.Second,
}

// machines runs the fleet and its bridges until ctx is done, and prints each run
// that the desk has with what the machine really did.
func (d *demo) machines(ctx context.Context, out io.Writer, log *slog.Logger) error {
	w, _, err := d.flags.world()
	if err != nil {
		return err
	}
	udp, err := freeUDP(ctx)
	if err != nil {
		return err
	}
	f, err := fleet.New(ctx, fleet.Config{
		County: world.CountyID,
		Sites:  &w.Sites,
		Dir:    filepath.Join(d.flags.dir, "machines", "ports"),
		Broker: "tcp://" + d.listen,
		UDP:    udp,
		Times:  demoTimes,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	run := func(what func(context.Context) error) {
		wg.Go(func() {
			if err := what(ctx); err != nil && ctx.Err() == nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
				cancel()
			}
		})
	}
	for _, id := range []string{fleet.Station, fleet.Depot} {
		a, err := d.bridge(f, id, log)
		if err != nil {
			return err
		}
		run(a.Run)
	}
	run(func(ctx context.Context) error { f.Run(ctx); return nil })
	run(func(ctx context.Context) error { return d.printRuns(ctx, f, out) })
	wg.Wait()
	return errors.Join(errs...)
}

// bridge returns the agent of the fleet's bridge id.
func (d *demo) bridge(f *fleet.Fleet, id string, log *slog.Logger) (*agent.Agent, error) {
	dir := filepath.Join(d.flags.dir, "machines", id)
	boot, err := clock.BootID()
	if err != nil {
		return nil, err
	}
	host, err := identity.HostID(d.flags.dir)
	if err != nil {
		return nil, err
	}
	cfg := f.Bridge(id, agent.Config{County: world.CountyID, Dir: dir, Broker: mqtt.Broker{URL: "tcp://" + d.listen},
		CollectorKey: filepath.Join(d.flags.dir, "county", "collector.pub")})
	return agent.New(cfg, agent.Options{
		Ports:   port.NewHost(),
		Clock:   clock.System{},
		BootID:  boot,
		HostID:  host,
		Version: "simulated",
		Log:     log.With("agent", id),
	})
}

// printRuns prints each run that the desk has when it has closed, until ctx is
// done.
func (d *demo) printRuns(ctx context.Context, f *fleet.Fleet, out io.Writer) error {
	file, err := desk.OpenFile(filepath.Join(d.flags.dir, "county", centre.DeskFile))
	if err != nil {
		return err
	}
	defer file.Close()
	stored := machines.NewRuns(file, nil)
	printed := map[string]bool{}
	t := time.NewTicker(2 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		found, err := stored.Last(ctx, "", 50)
		if err != nil {
			continue // tried again after 2 s
		}
		for _, r := range found {
			if r.State != fact.RunClosed || printed[r.ID] {
				continue
			}
			printed[r.ID] = true
			fmt.Fprintln(out, compared(r, f.Truth()))
		}
	}
}

// compared returns a line with what the desk has of a run and what the machine
// really did.
func compared(r machines.RunSummary, truths []fleet.Truth) string {
	litres := "- L"
	if r.Litres != nil {
		litres = fmt.Sprintf("%.2f L", *r.Litres)
	}
	text := fmt.Sprintf("%s  %s  run of %s: %s, %s, %.0f m", time.Now().Format(time.TimeOnly), r.Machine,
		r.Start.Local().Format(time.TimeOnly), r.Grade, litres, r.DistanceM)
	for _, t := range truths {
		if t.Machine == r.Machine && r.Start.Before(t.End) && r.End.After(t.Start) {
			grade := "graded as it should be"
			if t.Grade != r.Grade {
				grade = "SHOULD BE GRADED " + t.Grade
			}
			return fmt.Sprintf("%s – really %.2f L on %d cells: %s", text, t.Litres, t.Cells, grade)
		}
	}
	return text + " – THERE WAS NO SUCH RUN"
}

func freeUDP(ctx context.Context) (string, error) {
	c, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp4", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port for the drones: %w", err)
	}
	defer c.Close()
	return c.LocalAddr().String(), nil
}
