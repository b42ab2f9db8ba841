package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/devices/port"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/edge/retire"
	"gatehouse/gateway/edge/upgrade"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/proof/ledger"
	"gatehouse/gateway/proof/shifted"
	"gatehouse/gateway/version"
	"gatehouse/gateway/web"
)

// agentFlags are the flags of agent.
type agentFlags struct {
	file, broker, dir, ledger, shift, screen, replay string
	check                                            bool
	first                                            firstFlags
	logs                                             logFlags
}

// firstFlags are the flags of the first page, by which a gate is enrolled.
type firstFlags struct {
	enrol               bool
	proxy, scanner, tpm string
}

func (f *agentFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&f.file, "config", "c", gateFile, "configuration file")
	c.Flags().StringVar(&f.broker, "broker", "", "the broker's address instead of the file's")
	c.Flags().StringVar(&f.dir, "dir", "", "folder of the journal instead of the file's")
	c.Flags().StringVar(&f.ledger, "ledger", "",
		"count each completed reading in this shared-memory file (for proofs)")
	c.Flags().StringVar(&f.shift, "clock-shift", "", "shift both clocks by the durations in this file (for proofs)")
	c.Flags().StringVar(&f.screen, "kiosk", "", "serve the guard's screen on this address instead of the file's")
	c.Flags().StringVar(&f.replay, "replay", "",
		"read this recording of drones (.tlog) instead, print its records as JSON lines, and exit")
	c.Flags().BoolVar(&f.check, "check", false,
		"only read the configuration and the files that it names, and say whether somebody could pass")
	c.Flags().BoolVar(&f.first.enrol, "enrol", false,
		"while the configuration file is missing, serve a page on the kiosk's "+
			"address on which somebody scans or types the county's code, and go on as the gate")
	c.Flags().StringVar(&f.first.proxy, "proxy", "", "with --enrol: reach the desk through this proxy, as enrol does")
	c.Flags().StringVar(&f.first.scanner, "scanner", "", "with --enrol: serial port of a scanner (9600 baud); "+
		"one that types like a keyboard needs no flag")
	addTPM(c, &f.first.tpm, "with --enrol: ")
	f.logs.add(c)
}

func agentCommand() *cobra.Command {
	var f agentFlags
	c := &cobra.Command{
		Use:   "agent --config FILE",
		Short: "Run a gate, or listen to machines",
		Long: `agent runs one gate. It opens the devices that its configuration lists, decides
about every person on the spot, and sends its journal to the county whenever it
can. Without the network it works the same.

It listens to the machines in its configuration (drones, fogging machines) and
records their tracks and disinfection runs.

When the county has the agent restart, it ends with exit code 75: whatever supervises
it must start it again (systemd: Restart=always). When the county has it read its files
again, it begins again by itself.

With --check it reads the configuration, the policy and the roster, and exits: with 1
when one of them is wrong, or when nobody could pass at any time of the week.

With --enrol it may be started on a computer that is no gate yet: while the file that
--config names is missing, it serves a page on http://127.0.0.1:8090 (or --kiosk), on
which somebody scans or types the code from the county. When that has approved, the same
process goes on as the gate. So a service may start it at every boot.

With --replay it does none of this: it reads the recording of a flight, prints the
tracks and runs in it as JSON lines, and exits. Of the configuration only machines
and mavlink are used.`,
		Example: "  gatehouse agent --config gate/agent.yaml\n  gatehouse agent --enrol\n" +
			"  gatehouse agent --config drones.yaml --replay flight.tlog",
		Args: cobra.NoArgs,
	}
	checks := func(c *cobra.Command, _ []string) error { return f.run(c) }
	checked := serviceRuns(&cobra.Command{RunE: checks}, "config").RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if f.check {
			return checked(c, args)
		}
		return f.run(c)
	}
	f.add(c)
	return c
}

func (f *agentFlags) run(c *cobra.Command) error {
	log, end, err := f.logs.logger(c)
	if err != nil {
		return err
	}
	defer end()
	service := &gateService{clock: clock.System{}}
	if !f.check && f.replay == "" {
		defer serve(c.Context(), log, service.look)()
	}
	if f.first.enrol {
		err := f.welcome(c.Context(), log, service)
		if c.Context().Err() != nil {
			return nil //nolint:nilerr // it was ended, and is no gate yet
		}
		if err != nil {
			return err
		}
	}
	cfg, err := f.read()
	if errors.Is(err, os.ErrNotExist) {
		return ended(c, f.file, unreadable(err, f.file, "gatehouse enrol makes one with a code of the county's desk"))
	}
	if err != nil {
		return err
	}
	if f.replay != "" {
		return replayLog(c, cfg, f.replay)
	}
	if f.check {
		return checkAgent(c, cfg)
	}
	lookAtLimits(log)
	opts := agent.Options{Ports: port.NewHost(), Clock: clock.System{}, Version: version.String, Log: log,
		File: f.file, Upgrades: upgrade.Here(aliveFile())}
	if f.shift != "" {
		if opts.Clock, err = shifted.Open(f.shift, clock.System{}); err != nil {
			return err
		}
	}
	if opts.BootID, err = clock.BootID(); err != nil {
		return err
	}
	if opts.HostID, err = identity.HostID(cfg.Dir); err != nil {
		return err
	}
	if f.ledger != "" {
		l, err := ledger.Open(f.ledger)
		if err != nil {
			return err
		}
		defer l.Close()
		opts.Ledger = l
	}
	defer giveBack(log)()
	return f.runAgain(c.Context(), cfg, opts, service)
}

// read reads the configuration. What the flags say counts instead of it.
func (f *agentFlags) read() (agent.Config, error) {
	cfg, err := config.Load[agent.Config](f.file)
	if err != nil {
		return cfg, err
	}
	beside(f.file, cfg.Paths()...)
	if f.broker != "" {
		cfg.Broker.URL = f.broker
	}
	if f.dir != "" {
		cfg.Dir = f.dir
	}
	if f.screen != "" {
		cfg.Kiosk.Listen = f.screen
	}
	return cfg, nil
}

// runAgain runs an agent, and once more with its files as they are then whenever the county
// has it read them again.
func (f *agentFlags) runAgain(ctx context.Context, cfg agent.Config, opts agent.Options, s *gateService) error {
	opts.Files = func(now time.Time) error {
		cfg, err := f.read()
		if err == nil {
			_, err = agent.Check(cfg, now)
		}
		return err
	}
	for {
		unsafe, err := mayKeep(cfg.Dir, opts.Log)
		if err != nil {
			return err
		}
		err = advised(cfg.Dir, runAgent(ctx, cfg, opts, unsafe, s))
		if !errors.Is(err, agent.ErrReload) || ctx.Err() != nil {
			return err
		}
		opts.Log.Info("the agent begins again", "why", err)
		if again, err := f.read(); err == nil {
			cfg = again
		} else {
			opts.Log.Error("the configuration became wrong: the one of before stays in force", "err", err)
		}
	}
}

// ended says that the gate of a configuration, which is missing, was taken out of service
// for good, or returns missing.
func ended(c *cobra.Command, file string, missing error) error {
	gone, err := retire.Tidy(file)
	if gone == "" || err != nil {
		return errors.Join(missing, err)
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "gate %s was taken out of service for good: nothing is left to do here; "+
		"to put it into service again: gatehouse enrol\n", gone)
	return err
}

// checkAgent says what is wrong with an agent's files, and whether somebody could pass.
func checkAgent(c *cobra.Command, cfg agent.Config) error {
	locked, err := agent.Check(cfg, time.Now())
	if err != nil {
		return err
	}
	if locked != "" {
		return fmt.Errorf("nobody could pass: %s", locked)
	}
	_, err = fmt.Fprintln(c.OutOrStdout(), "configuration, policy and roster are right, and somebody may pass")
	return err
}

// runAgent runs an agent, with the guard's screen if it is configured. unsafe says why
// what it keeps may be lost; s is told of it.
func runAgent(ctx context.Context, cfg agent.Config, opts agent.Options, unsafe string, s *gateService) error {
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
		screen, err = kiosk.New(kiosk.Options{Title: title, Agent: cfg.Agent, Version: opts.Version,
			Clock: opts.Clock, Log: opts.Log})
		if err != nil {
			return err
		}
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Kiosk.Listen); err != nil {
			return fmt.Errorf("serve the guard's screen: %w", web.Unheard(cfg.Kiosk.Listen, err))
		}
		opts.Screen = screen
	}
	a, err := agent.New(cfg, opts)
	if err != nil {
		return err
	}
	s.agent.Store(a)
	defer s.agent.Store(nil)
	a.Board().SetUnsafe(unsafe)
	ports := cfg.Bridge.Serial()
	for _, d := range cfg.Station.Devices {
		ports = append(ports, d.Port)
	}
	for _, name := range ports {
		if warning := port.Unstable(name); warning != "" {
			opts.Log.Warn("a port's name may lead to another adapter", "port", name, "reason", warning)
		}
	}
	opts.Log.Info("gate is open", "agent", cfg.Agent, "broker", cfg.Broker.URL, "devices", len(cfg.Station.Devices))
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
