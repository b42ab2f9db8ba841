package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/fact"
	"gatehouse/simulator/bench"
)

func benchCommand() *cobra.Command {
	var dir, thermometer, reader, scanner string
	var offset float64
	c := &cobra.Command{
		Use:   "bench",
		Short: "Simulate one gate's hardware on ptys, controlled by hand",
		Long: `bench prints the part of an agent's configuration that names its simulated
devices. Start a gatehouse agent with it, then type temperatures and cards
here. It has serial devices only; a simulated MLX90614 is on a bus inside one
process, and demo has it.`,
		Example: "  simulator bench --thermometer gy-mcu90614 --reader rdm6300",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if thermometer == "mlx90614" {
				return errors.New("an MLX90614 is on I²C, which can't reach another process: " +
					"use gy-mcu90614 here, or simulator demo")
			}
			o, err := fact.ParseTemp(fmt.Sprint(offset))
			if err != nil {
				return fmt.Errorf("--offset: %w", err)
			}
			if dir == "" {
				if dir, err = os.MkdirTemp("", "gatehouse-bench-"); err != nil {
					return err
				}
				defer os.RemoveAll(dir)
			}
			spec := bench.Spec{Thermometer: thermometer, Offset: o, Ambient: 2000}
			for name, model := range map[string]string{"reader": reader, "scanner": scanner} {
				if model != "" {
					spec.Readers = append(spec.Readers, bench.Reader{
						Name:      name,
						Model:     model,
						Direction: fact.DirectionIn,
					})
				}
			}
			hw, err := bench.New(filepath.Join(dir, "ports"), spec)
			if err != nil {
				return err
			}
			return runBench(c, hw)
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "folder for the names of the ports (default: a temporary one)")
	c.Flags().StringVar(&thermometer, "thermometer", "gy-mcu90614", "model of the thermometer")
	c.Flags().StringVar(&reader, "reader", "rdm6300", "model of the card reader; empty: none")
	c.Flags().StringVar(&scanner, "scanner", "", "model of the scanner, such as qr-scanner; empty: none")
	c.Flags().Float64Var(&offset, "offset", 3.2, "site offset of the thermometer, °C")
	return c
}

func runBench(c *cobra.Command, hw *bench.Hardware) error {
	out := c.OutOrStdout()
	text, err := config.Write(struct {
		Devices []station.Device `yaml:"devices"`
	}{hw.Devices()})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The devices for an agent's configuration:\n\n%s\n", text)
	ctx, cancel := context.WithCancel(c.Context())
	var wg sync.WaitGroup
	wg.Go(func() { hw.Run(ctx) })
	err = bench.RunShell(ctx, c.InOrStdin(), out, hw)
	cancel()
	wg.Wait()
	return err
}
