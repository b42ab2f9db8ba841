package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/version"
)

func collectCommand() *cobra.Command {
	var file, listen, external, dir, deskAddress, rewind string
	var logs logFlags
	c := &cobra.Command{
		Use:   "collect --config FILE",
		Short: "Run the county: broker, store, collector",
		Long: `collect commits what the county's agents send. With nothing else configured it
runs its own MQTT broker on 127.0.0.1:1883 and keeps everything in one SQLite
file. Its first start makes the county's keys in its folder: copy site.key and
collector.pub to the agents. With a desk configured it logs, until somebody has
used it, a link with which the first user is made.

A store in SQLite that was replaced by a backup gets from the agents by itself
what it lacks, and so does an InfluxDB that was wiped. One that was restored from
a backup looks complete: start collect once with --rewind-since and the time of
the backup, and agents send again what was committed after it (they keep it for
7 days). Not in a unit that starts again by itself: it would rewind each time.`,
		Example: "  gatehouse collect --config /etc/gatehouse/collect.yaml\n" +
			"  gatehouse collect --rewind-since 2020-02-14T03:00:00+08:00",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			log, err := logs.logger(c)
			if err != nil {
				return err
			}
			cfg, err := config.Load[centre.Config](file)
			if err != nil {
				return err
			}
			cfg.Beside(file)
			if dir != "" {
				cfg.Dir = dir
			}
			if listen != "" {
				cfg.Broker = centre.Broker{Embedded: &broker.Config{Listen: listen}}
			}
			if external != "" {
				cfg.Broker = centre.Broker{External: &mqtt.Broker{URL: external}}
			}
			if deskAddress != "" {
				if cfg.Desk == nil {
					cfg.Desk = &pages.Config{}
				}
				cfg.Desk.Listen = deskAddress
			}
			if cfg.RewindSince, err = instant(rewind, time.Now()); err != nil {
				return usageError{err}
			}
			return centre.Run(c.Context(), cfg, version.String, log)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "/etc/gatehouse/collect.yaml", "configuration file")
	c.Flags().StringVar(&dir, "dir", "", "data folder instead of the file's")
	c.Flags().StringVar(&listen, "listen", "", "run the embedded broker on this address instead of the file's")
	c.Flags().StringVar(&external, "broker", "", "use the broker at this address instead of the file's")
	c.Flags().StringVar(&deskAddress, "desk", "", "serve the county's desk on this address instead of the file's")
	c.Flags().StringVar(&rewind, "rewind-since", "", "let agents send again what was committed since then, such as 2020-02-14T03:00:00+08:00")
	c.MarkFlagsMutuallyExclusive("listen", "broker")
	logs.add(c)
	return c
}

// instant reads the time of --rewind-since; zero when it is not given.
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
