package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"gatehouse/simulator/dashboards"
)

func dashboardsCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "dashboards --dir DIR",
		Short: "Write the dashboards for Grafana",
		Long: `dashboards writes the dashboards for Grafana, as deploy/grafana has them, for each of the
languages in which InfluxDB is asked, and for a county without InfluxDB.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return writeDashboards(c, dir) },
	}
	c.Flags().StringVar(&dir, "dir", "deploy/grafana", "folder to write to")
	return c
}

func writeDashboards(c *cobra.Command, dir string) error {
	files, err := dashboards.Render()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // Grafana reads it
			return fmt.Errorf("make the folder of the dashboards: %w", err)
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil { //nolint:gosec // Grafana reads it
			return fmt.Errorf("write a dashboard: %w", err)
		}
		if _, err := fmt.Fprintln(c.OutOrStdout(), path); err != nil {
			return err
		}
	}
	return nil
}
