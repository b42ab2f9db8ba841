package cli

import (
	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/version"
)

func collectCommand() *cobra.Command {
	var file, listen, external, dir, deskAddress string
	var logs logFlags
	c := &cobra.Command{
		Use:   "collect --config FILE",
		Short: "Run the county: broker, store, collector",
		Long: `collect commits what the county's agents send. With nothing else configured it
runs its own MQTT broker on 127.0.0.1:1883 and keeps everything in one SQLite
file. Its first start makes the county's keys in its folder: copy site.key and
collector.pub to the agents. With a desk configured it logs, until somebody has
used it, a link with which the first user is made.`,
		Example: "  gatehouse collect --config /etc/gatehouse/collect.yaml",
		Args:    cobra.NoArgs,
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
			return centre.Run(c.Context(), cfg, version.String, log)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "/etc/gatehouse/collect.yaml", "configuration file")
	c.Flags().StringVar(&dir, "dir", "", "data folder instead of the file's")
	c.Flags().StringVar(&listen, "listen", "", "run the embedded broker on this address instead of the file's")
	c.Flags().StringVar(&external, "broker", "", "use the broker at this address instead of the file's")
	c.Flags().StringVar(&deskAddress, "desk", "", "serve the county's desk on this address instead of the file's")
	c.MarkFlagsMutuallyExclusive("listen", "broker")
	logs.add(c)
	return c
}
