package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/simulator/fleet"
	"gatehouse/simulator/world"
)

func tlogCommand() *cobra.Command {
	var machine string
	var long time.Duration
	c := &cobra.Command{
		Use:   "tlog FILE",
		Short: "Write a drone's flight as a recording (.tlog), and print what it really did",
		Example: "  simulator tlog flight.tlog --machine drone-2\n" +
			"  gatehouse agent --config deploy/machines.example.yaml --replay flight.tlog",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			f, err := os.Create(args[0])
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			w := bufio.NewWriter(f)
			truths, err := fleet.Record(w, &world.New(1).Sites, machine, time.Now().Add(-long).Truncate(time.Second),
				long)
			if err := errors.Join(err, w.Flush()); err != nil {
				return err
			}
			for _, t := range truths {
				fmt.Fprintln(c.OutOrStdout(), t)
			}
			return nil
		},
	}
	c.Flags().StringVar(&machine, "machine", "drone-1",
		"drone-1 (sound), drone-2 (dry nozzle), drone-3 (link gap) or drone-4 (no flow sensor)")
	c.Flags().DurationVar(&long, "for", 5*time.Minute, "how long the recording is")
	return c
}
