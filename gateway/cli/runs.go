package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/fleet"
)

func runsCommand() *cobra.Command {
	var dir, machine string
	var out output
	var limit int
	c := &cobra.Command{
		Use:   "runs",
		Short: "List disinfection runs and their evidence",
		Long: `runs reads the desk's file in the collector's folder; the collector may run. The
grade of a run is what its evidence shows:

  proven     the pump was commanded, flow was measured, and the tank fell by as much
  measured   flow was measured; no tank level confirms it
  dry        the pump was commanded, and it was measured that next to nothing flowed
  leak       something flowed without command
  unproven   the pump was commanded; nobody measured the flow
  disputed   two of flow, counter and tank contradict each other
  declared   from a file or by hand: there is no evidence`,
		Example: "  gatehouse runs --dir /var/lib/gatehouse/county --machine drone-1",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			path := filepath.Join(dir, centre.DeskFile)
			if _, err := os.Stat(path); err != nil {
				return fmt.Errorf("the desk's file, which the collector creates "+
					"when its configuration has desk: %w", err)
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
			if len(found) == 0 && machine != "" {
				names, err := fleet.Names(c.Context(), file, mostNames)
				if err != nil {
					return err
				}
				if err := wrongName("machine", machine, names); err != nil {
					return err
				}
			}
			return list(c, &out, found, table[fleet.RunSummary]{"no runs yet", runColumns(), runRow})
		},
	}
	c.Flags().StringVar(&dir, "dir", "/var/lib/gatehouse/county", "the collector's folder")
	c.Flags().StringVar(&machine, "machine", "", "list only the runs of this machine")
	c.Flags().IntVar(&limit, "limit", 50, "list at most so many, newest first")
	out.add(c)
	return c
}

func runColumns() []string {
	return []string{
		"BEGIN", "MACHINE", "NAME", "STATE", "GRADE", "LITRES", "TANK L", "ON", "METRES", "SORTIES", "SOURCE",
	}
}

func runRow(r fleet.RunSummary) []string {
	return []string{
		r.Start.Local().Format("01-02 15:04:05"), shorten(r.Machine, 16), shorten(r.Name, 20), string(r.State), r.Grade,
		litres(r.Litres), litres(r.TankL), (time.Duration(r.OnS) * time.Second).String(),
		strconv.Itoa(int(r.DistanceM)), strconv.Itoa(r.Sorties), r.Source,
	}
}

func litres(v *float64) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'f', 2, 64)
}
