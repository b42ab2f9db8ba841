package cli

import (
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/systemd"
)

func brokerCommand() *cobra.Command {
	var file string
	var cfg broker.Config
	var logs logFlags
	c := &cobra.Command{
		Use:   "broker --dir DIR",
		Short: "Run the MQTT broker alone",
		Long: `broker runs the same MQTT broker that collect embeds, as a process of its own.
No record is lost when it loses its state: agents keep every record until the
collector's store has it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			log, end, err := logs.logger(c)
			if err != nil {
				return err
			}
			defer end()
			if file != "" {
				flags := cfg
				if cfg, err = config.Load[broker.Config](file); err != nil {
					return unreadable(err, file,
						"deploy/BROKERS.md says what is in it, and without --config the flags are enough")
				}
				beside(file, &cfg.Dir, &cfg.UsersFile, &cfg.TLS.Cert, &cfg.TLS.Key, &cfg.TLS.CA)
				if c.Flags().Changed("listen") {
					cfg.Listen = flags.Listen
				}
				if c.Flags().Changed("dir") {
					cfg.Dir = flags.Dir
				}
			}
			lookAtLimits(log)
			if _, err := mayKeep(cfg.Dir, log); err != nil {
				return err
			}
			b, err := broker.Start(c.Context(), cfg, log)
			if err != nil {
				return advised(cfg.Dir, err)
			}
			log.Info("broker is up", "listen", b.Addr())
			var service brokerService
			defer serve(c.Context(), log, func() systemd.State { return service.look(time.Now()) })()
			service.watch(c.Context(), b, log)
			return b.Close()
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "", "configuration file")
	c.Flags().StringVar(&cfg.Listen, "listen", "127.0.0.1:1883", "address to listen on")
	c.Flags().StringVar(&cfg.Dir, "dir", "broker", "folder of the broker's state")
	logs.add(c)
	c.AddCommand(brokerConfigCommand())
	return c
}
