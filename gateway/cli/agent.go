package cli

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"gatehouse/devices/port"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/proof/ledger"
	"gatehouse/gateway/proof/shifted"
	"gatehouse/gateway/version"
)

func agentCommand() *cobra.Command {
	var file, broker, dir, ledgerPath, shift, screen, replay string
	var logs logFlags
	c := &cobra.Command{
		Use:   "agent --config FILE",
		Short: "Run a gate: read devices, decide, keep, show, ship",
		Long: `agent runs one gate. It opens the devices that its configuration lists, decides
on every person on the spot, and ships its journal to the county whenever it
can. It works the same with the network cut.

Machines listed in the configuration (drones, fogging machines) are bridged the
same way: what they say becomes tracks and disinfection runs.

With --replay it does nothing of this: it reads a recorded flight, prints the
tracks and the runs in it as JSON lines and ends. Only machines and mavlink of
the configuration are used.`,
		Example: "  gatehouse agent --config /etc/gatehouse/agent.yaml\n" +
			"  gatehouse agent --config drones.yaml --replay flight.tlog",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			log, err := logs.logger(c)
			if err != nil {
				return err
			}
			cfg, err := config.Load[agent.Config](file)
			if err != nil {
				return err
			}
			beside(file, cfg.Paths()...)
			if replay != "" {
				return replayLog(c, cfg, replay)
			}
			if broker != "" {
				cfg.Broker.URL = broker
			}
			if dir != "" {
				cfg.Dir = dir
			}
			opts := agent.Options{Ports: port.NewHost(), Clock: clock.System{}, Version: version.String, Log: log}
			if shift != "" {
				if opts.Clock, err = shifted.Open(shift, clock.System{}); err != nil {
					return err
				}
			}
			if opts.BootID, err = clock.BootID(); err != nil {
				return err
			}
			if opts.HostID, err = identity.HostID(cfg.Dir); err != nil {
				return err
			}
			if ledgerPath != "" {
				l, err := ledger.Open(ledgerPath)
				if err != nil {
					return err
				}
				defer l.Close()
				opts.Ledger = l
			}
			if screen != "" {
				cfg.Kiosk.Listen = screen
			}
			return runAgent(c.Context(), cfg, opts)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "/etc/gatehouse/agent.yaml", "configuration file")
	c.Flags().StringVar(&broker, "broker", "", "the broker's address instead of the file's")
	c.Flags().StringVar(&dir, "dir", "", "folder of the journal instead of the file's")
	c.Flags().StringVar(&ledgerPath, "ledger", "", "count each completed reading in this shared-memory file (for proofs)")
	c.Flags().StringVar(&shift, "clock-shift", "", "move both clocks by what this file says (for proofs)")
	c.Flags().StringVar(&screen, "kiosk", "", "serve the guard's screen on this address instead of the file's")
	c.Flags().StringVar(&replay, "replay", "", "read this recording of drones (.tlog) instead, print its records as JSON lines, and end")
	logs.add(c)
	return c
}

// runAgent runs a gate, with the guard's screen where it has one.
func runAgent(ctx context.Context, cfg agent.Config, opts agent.Options) error {
	var screen *kiosk.Kiosk
	var l net.Listener
	if cfg.Kiosk.Listen != "" {
		if err := cfg.Check(); err != nil {
			return err
		}
		title := cfg.Kiosk.Title
		if title == "" {
			title = cfg.Agent
		}
		var err error
		if screen, err = kiosk.New(kiosk.Options{Title: title, Agent: cfg.Agent, Version: opts.Version, Clock: opts.Clock, Log: opts.Log}); err != nil {
			return err
		}
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Kiosk.Listen); err != nil {
			return fmt.Errorf("serve the guard's screen: %w", err)
		}
		opts.Screen = screen
	}
	a, err := agent.New(cfg, opts)
	if err != nil {
		return err
	}
	opts.Log.Info("gate is open", "agent", cfg.Agent, "broker", cfg.Broker.URL, "devices", len(cfg.Devices))
	if screen == nil {
		return a.Run(ctx)
	}
	opts.Log.Info("the guard's screen", "url", "http://"+l.Addr().String())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		defer cancel() // a gate without its screen is restarted
		served <- screen.Serve(ctx, l, a, a.Board())
	}()
	err = a.Run(ctx)
	cancel()
	return errors.Join(err, <-served)
}
