package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/term"
)

func runsCommand() *cobra.Command {
	var dir, machine, output string
	var limit int
	c := &cobra.Command{
		Use:   "runs",
		Short: "List disinfection runs with the evidence that they happened",
		Long: `runs reads the desk's file in the collector's folder, also while the collector
runs. The grade of a run says what agreed:

  proven     told to run, flowed, and the tank fell by as much
  measured   flowed; no tank level confirms it
  dry        told to run, and next to nothing flowed
  leak       flowed without being told to
  unproven   told to run; nothing measures the flow
  disputed   flow meter and tank contradict each other
  declared   from a file or by hand: nothing proves it`,
		Example: "  gatehouse runs --dir /var/lib/gatehouse-county --machine drone-1",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return usageError{fmt.Errorf("-o %q: use table or json", output)}
			}
			path := filepath.Join(dir, centre.DeskFile)
			if _, err := os.Stat(path); err != nil {
				return fmt.Errorf("the desk's file (the collector makes it when its configuration has desk:): %w", err)
			}
			file, err := desk.OpenFile(path)
			if err != nil {
				return err
			}
			defer file.Close()
			found, err := fleet.NewRuns(file, nil).Last(c.Context(), machine, limit)
			if err != nil {
				return err
			}
			if output == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(found)
			}
			if len(found) == 0 {
				_, err := fmt.Fprintln(c.OutOrStdout(), "no runs yet")
				return err
			}
			rows := make([][]string, 0, len(found))
			for _, r := range found {
				rows = append(rows, runRow(r))
			}
			return term.New(c.OutOrStdout()).Table([]string{"BEGIN", "MACHINE", "NAME", "STATE", "GRADE", "LITRES", "TANK L", "ON", "METRES", "SORTIES", "SOURCE"}, rows)
		},
	}
	c.Flags().StringVar(&dir, "dir", "/var/lib/gatehouse-county", "the collector's folder")
	c.Flags().StringVar(&machine, "machine", "", "of this machine only")
	c.Flags().IntVar(&limit, "limit", 50, "at most so many, the newest first")
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return c
}

func runRow(r fleet.RunSummary) []string {
	return []string{r.Start.Local().Format("01-02 15:04:05"), shorten(r.Machine, 16), shorten(r.Name, 20), string(r.State), r.Grade, litres(r.Litres), litres(r.TankL),
		(time.Duration(r.OnS) * time.Second).String(), strconv.Itoa(int(r.DistanceM)), strconv.Itoa(r.Sorties), r.Source}
}

func litres(v *float64) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'f', 2, 64)
}
