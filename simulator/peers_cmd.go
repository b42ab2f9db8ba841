package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"gatehouse/simulator/peers"
	"gatehouse/simulator/prove"
)

func benchPeersCommand() *cobra.Command {
	var cfg peers.Config
	var keep bool
	c := &cobra.Command{
		Use:   "bench-peers",
		Short: "Drain one backlog through Telegraf and through gatehouse, and compare",
		Long: `bench-peers lets each of these drain the same backlog of passages, one after the
other, at QoS 1 and with nothing else running: Mosquitto and Telegraf
(mqtt_consumer with a persistent session, influxdb_v2) into InfluxDB 1.8,
Mosquitto and its own mosquitto_sub into a file, and gatehouse collect with its
embedded broker into InfluxDB and into SQLite. It prints how many records a second
were stored from the first to the last, the processor time a record of broker and
collector together, and their peak memory. Telegraf's backlog waits in the broker,
a passage a message; the agents that send to gatehouse run beside it, on the same
processors. It fails when a step fails, and when nothing moves for a minute.`,
		Example: "  simulator bench-peers --records 200000 --rounds 3",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := os.Stat(cfg.Gatehouse); err != nil {
				return fmt.Errorf("the gatehouse program (run make build first): %w", err)
			}
			var err error
			cfg.Telegraf, err = prove.FindProgram("telegraf")
			if err != nil && slices.Contains(cfg.Peers, "telegraf") {
				return fmt.Errorf("run make bench-peers, which builds Telegraf: %w", err)
			}
			dir, err := os.MkdirTemp("", "gatehouse-peers-")
			if err != nil {
				return err
			}
			cfg.Dir, cfg.Progress = filepath.Join(dir, "peers"), c.ErrOrStderr()
			err = peers.Run(c.Context(), cfg, c.OutOrStdout())
			if err != nil || keep {
				fmt.Fprintln(c.ErrOrStderr(), "everything is kept in", cfg.Dir)
				return err
			}
			return os.RemoveAll(dir)
		},
	}
	c.Flags().StringVar(&cfg.Gatehouse, "gatehouse", gatehouseProgram(os.Args[0]), "the gatehouse program")
	c.Flags().StringSliceVar(&cfg.Peers, "peers", peers.Names(), "which to measure; ratios are to the first")
	c.Flags().IntVar(&cfg.Records, "records", 200_000, "of the backlog, 16 gates together")
	c.Flags().IntVar(&cfg.Rounds, "rounds", 3, "how often each is measured, in turns; medians are printed")
	c.Flags().BoolVar(&keep, "keep", false, "keep the last round's files and logs")
	return c
}
