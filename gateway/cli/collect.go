package cli

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/health"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/systemd"
	"gatehouse/gateway/term"
	"gatehouse/gateway/version"
)

// defaultCollect is the collector's configuration file if no other is given.
const defaultCollect = "/etc/gatehouse/collect.yaml"

// collectFlags are the flags of collect.
type collectFlags struct {
	file, listen, external, dir, desk, rewind string
	newAuthority, takeOver                    bool
	logs                                      logFlags
}

func (f *collectFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&f.file, "config", "c", defaultCollect, "configuration file")
	c.Flags().StringVar(&f.dir, "dir", "", "data folder instead of the file's")
	c.Flags().StringVar(&f.listen, "listen", "", "run the embedded broker on this address instead of the file's")
	c.Flags().StringVar(&f.external, "broker", "", "use the broker at this address instead of the file's")
	c.Flags().StringVar(&f.desk, "desk", "", "serve the county's desk on this address instead of the file's")
	c.Flags().StringVar(&f.rewind, "rewind-since", "",
		"make agents send again what was committed since then, such as 2020-02-14T03:00:00+08:00")
	c.Flags().BoolVar(&f.newAuthority, "new-authority", false,
		"use another authority for gates' certificates: the one before is lost for good")
	c.Flags().BoolVar(&f.takeOver, "take-over", false,
		"serve the county although a collector with other keys seems to serve it at the broker: it is gone for good")
	c.MarkFlagsMutuallyExclusive("listen", "broker")
	f.logs.add(c)
}

func collectCommand() *cobra.Command {
	var f collectFlags
	c := &cobra.Command{
		Use:   "collect --config FILE",
		Short: "Run the county: broker, store, collector",
		Long: `collect stores what the county's agents send. By default it runs its own MQTT
broker on 127.0.0.1:1883 and keeps everything in one SQLite file. Its first start
creates the county's keys in its folder, and in a folder beside it (ca_dir) the
authority that issues gates' certificates. Gates get all they need by a code of the
desk (gatehouse enrol), or copy site.key and collector.pub to them. With a desk
configured it makes a link that creates the first user, until somebody has used it:
it is printed to a terminal, and in the file setup-link of the folder, but never in
the log.

When a SQLite store is restored from a backup, or an InfluxDB is wiped, agents send
again what is missing. An InfluxDB that is restored from a backup looks complete:
start collect once with --rewind-since and the time of the backup, and agents send
again what was committed after it (they keep it for 7 days). Do not use the flag in a
unit that restarts by itself: it would rewind each time.`,
		Example: "  gatehouse collect --config /etc/gatehouse/collect.yaml\n" +
			"  gatehouse collect --rewind-since 2020-02-14T03:00:00+08:00",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.add(c)
	return c
}

func (f *collectFlags) run(c *cobra.Command) error {
	log, end, err := f.logs.logger(c)
	if err != nil {
		return err
	}
	defer end()
	cfg, err := loadCollector(f.file)
	if err != nil {
		return err
	}
	cfg.Beside(f.file)
	if f.dir != "" {
		cfg.Dir = f.dir
	}
	if f.listen != "" {
		cfg.Broker = centre.Broker{Embedded: &broker.Config{Listen: f.listen}}
	}
	if f.external != "" {
		cfg.Broker = centre.Broker{External: &mqtt.Broker{URL: f.external}}
	}
	if f.desk != "" {
		if cfg.Desk == nil {
			cfg.Desk = &pages.Config{}
		}
		cfg.Desk.Listen = f.desk
	}
	if w := c.ErrOrStderr(); cfg.Desk != nil && term.Is(w) {
		cfg.Desk.Terminal = w
	}
	if cfg.RewindSince, err = instant(f.rewind, time.Now()); err != nil {
		return usageError{err}
	}
	cfg.NewAuthority, cfg.TakeOver = f.newAuthority, f.takeOver
	lookAtLimits(log)
	if cfg.Unsafe, err = mayKeep(cfg.Dir, log); err != nil {
		return err
	}
	if e := cfg.Broker.Embedded; e != nil {
		if _, err := mayKeep(e.Dir, log); err != nil {
			return err
		}
	}
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(collectingGC))
	}
	cfg.Health = health.NewBoard()
	defer serve(c.Context(), log, func() systemd.State { return countyState(cfg.Health, time.Now()) })()
	return advised(cfg.Dir, centre.Run(c.Context(), cfg, version.String, log))
}

// collectingGC is the garbage collector's target while the collector runs, unless GOGC
// sets one: it needs a tenth less processor time, and a third more memory.
const collectingGC = 200

// instant parses the time of --rewind-since; it is zero when the flag is absent.
func instant(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("--rewind-since %q: write it as 2020-02-14T03:00:00+08:00", text)
	}
	if at.After(now) {
		return at, fmt.Errorf("--rewind-since %s is in the future", text)
	}
	return at, nil
}
