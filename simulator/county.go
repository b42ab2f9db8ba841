package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/devices"
	"gatehouse/gateway/cli"
	"gatehouse/simulator/county"
	"gatehouse/simulator/world"
)

// controlSocket is the file in a county's folder on which it answers pokes.
const controlSocket = "control.sock"

// gatesFlags are the flags of commands that simulate a county's gates.
type gatesFlags struct {
	dir        string
	gates      int
	seed       uint64
	speed      float64
	from       string
	standalone county.Standalone
	stage      county.Stage
}

func (f *gatesFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "dir", ".demo", "folder for journals, ports and logs")
	c.Flags().IntVar(&f.gates, "gates", world.Compounds, "how many gates to run")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "of the county")
	c.Flags().Float64Var(&f.speed, "speed", 20,
		"compress the timetable of arrivals so many times; bytes and clocks stay real")
	c.Flags().StringVar(&f.from, "from", "07:00", "simulated time of day at the start")
}

// world returns the county with the gates to run, and the simulated time of day
// at the start.
func (f *gatesFlags) world() (*world.World, time.Duration, error) {
	if f.gates < 1 || f.gates > world.Compounds {
		return nil, 0, fmt.Errorf("--gates %d: must be 1 to %d", f.gates, world.Compounds)
	}
	if f.speed <= 0 || f.speed > 1000 {
		return nil, 0, fmt.Errorf("--speed %g: must be more than 0 and at most 1000", f.speed)
	}
	t, err := time.Parse("15:04", f.from)
	if err != nil {
		return nil, 0, fmt.Errorf("--from %q: must be a time of day such as 07:00", f.from)
	}
	w := world.New(f.seed)
	w.Gates = w.Gates[:f.gates]
	return w, time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}

// standaloneGate returns the id of the gate whose agent runs as a process of
// its own: gate-017, or the next one whose thermometer is serial.
func standaloneGate(w *world.World) string {
	for i := range w.Gates {
		g := w.Gates[(i+16)%len(w.Gates)]
		if m, err := devices.Find(g.Thermometer); err == nil && m.Bus == "UART" {
			return g.ID
		}
	}
	return ""
}

// stageGate returns the id of the gate at which the demo's scenes play: gate-018, or the
// next one with a heated booth; "" when the standalone gate is the only one.
func stageGate(w *world.World) string {
	for i := range w.Gates {
		if g := w.Gates[(i+17)%len(w.Gates)]; g.Heated && g.ID != standaloneGate(w) {
			return g.ID
		}
	}
	return ""
}

// run runs the gates and the control socket until ctx is done.
func (f *gatesFlags) run(ctx context.Context, broker, collectorKey, siteKey string, log *slog.Logger) error {
	w, from, err := f.world()
	if err != nil {
		return err
	}
	if f.standalone.Program != "" {
		f.standalone.Gate = standaloneGate(w)
		if id := stageGate(w); id != "" {
			f.stage.Gates = []string{id}
		}
	}
	c, err := county.New(ctx, county.Config{
		Gates:        w.Gates,
		Dir:          filepath.Join(f.dir, "gates"),
		Broker:       broker,
		CollectorKey: collectorKey,
		SiteKey:      siteKey,
		Speed:        f.speed,
		From:         from,
		Standalone:   f.standalone,
		Stage:        f.stage,
		Log:          log,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() {
		err := c.Serve(ctx, filepath.Join(f.dir, controlSocket))
		if err != nil {
			cancel()
		}
		served <- err
	}()
	err = c.Run(ctx)
	cancel()
	if e := <-served; e != nil {
		return e
	}
	return err
}

func countyCommand() *cobra.Command {
	var flags gatesFlags
	var broker, collectorKey, siteKey string
	c := &cobra.Command{
		Use:   "county --collector-key FILE --site-key FILE",
		Short: "Run the county's gates on simulated hardware, for a collector that runs elsewhere",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			log, end := cli.Logger(c.ErrOrStderr())
			defer end()
			return flags.run(c.Context(), broker, collectorKey, siteKey, log)
		},
	}
	flags.add(c)
	c.Flags().StringVar(&broker, "broker", "tcp://127.0.0.1:1883", "the broker's address")
	c.Flags().StringVar(&collectorKey, "collector-key", "", "the collector's public key (collector.pub)")
	c.Flags().StringVar(&siteKey, "site-key", "", "the county's site key (site.key)")
	_ = c.MarkFlagRequired("collector-key") // the flag exists
	_ = c.MarkFlagRequired("site-key")
	return c
}

func pokeCommand() *cobra.Command {
	var dir string
	var list bool
	c := &cobra.Command{
		Use:   "poke GATE WHAT",
		Short: "Make something happen at a gate of a running demo, or play a scene",
		Long: "poke makes something happen at a gate of a running demo. WHAT is one of\n" +
			strings.Join(county.Kinds, ", ") + ".\nFaults end by themselves after a while.\n\n" +
			"Or it is a scene: people, weather and a guard who play together what a rule is for.\n\n" +
			county.Describe(),
		Example: "  simulator poke gate-017 fever\n  simulator poke gate-017 cold-morning\n  simulator poke --list",
		Args: cobra.MatchAll(cobra.MaximumNArgs(2), func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return fmt.Errorf("what should happen at %s? One of %s", args[0], strings.Join(county.Kinds, ", "))
			}
			return nil
		}),
		ValidArgs: append(county.SceneNames(), county.Kinds...),
		RunE: func(c *cobra.Command, args []string) error {
			if list {
				_, err := fmt.Fprintf(c.OutOrStdout(), "%s\n\n%s", strings.Join(county.Kinds, ", "), county.Describe())
				return err
			}
			if len(args) == 0 {
				return c.Help()
			}
			text, err := county.Ask(c.Context(), filepath.Join(dir, controlSocket), args[0], args[1])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), text)
			return err
		},
	}
	c.Flags().StringVar(&dir, "dir", ".demo", "the demo's folder")
	c.Flags().BoolVar(&list, "list", false, "list what can be made to happen, and the scenes")
	return c
}
