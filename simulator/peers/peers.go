// Package peers measures how fast the collector drains a backlog beside what
// people use in its place, Telegraf with Mosquitto, on the same machine in the
// same run: the ratios count, since the speed of a machine changes.
package peers

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"gatehouse/simulator/world"
)

// Config says what to measure.
type Config struct {
	Gatehouse string   // the program
	Telegraf  string   // the program
	Peers     []string // short names of those to measure
	Records   int      // of the backlog
	Rounds    int      // of each peer, in turns; the medians are printed
	Dir       string   // for files and logs, must not exist
	Progress  io.Writer
}

// peer is one row of the table.
type peer struct {
	short string // for Config.Peers
	name  string
	drain func(ctx context.Context, c Config, dir string, all []backlog) (figures, error)
}

// rows are the peers; the others are compared with the first that is measured.
var rows = []peer{
	{"telegraf", "Mosquitto, Telegraf, InfluxDB", telegraf},
	{"mosquitto", "Mosquitto, mosquitto_sub, a file", subscriber},
	{"influx", "gatehouse, InfluxDB", gatehouseInflux},
	{"sqlite", "gatehouse, SQLite", gatehouseSQLite},
}

// Names returns the short names of all peers.
func Names() (all []string) {
	for _, p := range rows {
		all = append(all, p.short)
	}
	return all
}

// Run measures every peer and prints the table to out. It fails when a step
// fails, and when nothing moves for a minute.
func Run(ctx context.Context, c Config, out io.Writer) error {
	if c.Records < 1000*gates || c.Rounds < 1 {
		return fmt.Errorf("%d records in %d rounds: %d records and one round are the least", c.Records, c.Rounds,
			1000*gates)
	}
	chosen := slices.DeleteFunc(slices.Clone(rows), func(p peer) bool { return !slices.Contains(c.Peers, p.short) })
	if len(chosen) != len(c.Peers) || len(chosen) == 0 {
		return fmt.Errorf("peers %q: choose of %q", c.Peers, Names())
	}
	c.Records -= c.Records % gates
	var backlogs []backlog
	for i, g := range world.New(1).Gates[:gates] {
		b, err := newBacklog(g.ID, uint64(i), c.Records/gates)
		if err != nil {
			return err
		}
		backlogs = append(backlogs, b)
	}
	taken := make([][]figures, len(chosen))
	for round := range c.Rounds {
		for i, p := range chosen {
			dir := filepath.Join(c.Dir, fmt.Sprintf("%d-%d", round+1, i+1))
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return err
			}
			f, err := p.drain(ctx, c, dir, backlogs)
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", p.name, round+1, err)
			}
			fmt.Fprintf(c.Progress, "round %d: %s: %.0f records/s\n", round+1, p.name, f.rate)
			taken[i] = append(taken[i], f)
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	return table(out, c, chosen, len(backlogs[0].entries[0].Raw), taken)
}

func table(out io.Writer, c Config, chosen []peer, recordBytes int, taken [][]figures) error {
	fmt.Fprintf(out, "%d passages of %d bytes, QoS 1, waiting at the start; medians of %d\n\n",
		c.Records, recordBytes, c.Rounds)
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\trecords/s\tratio\tµs a record\tratio\tµs of InfluxDB\tMB\tratio\t")
	base := taken[0]
	for i, f := range taken {
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.1f\t%.2f\t%.1f\t%.0f\t%.2f\t\n", chosen[i].name,
			median(f, rate), median(f, rate)/median(base, rate),
			median(f, path), median(f, path)/median(base, path),
			median(f, server), median(f, memory), median(f, memory)/median(base, memory))
	}
	return w.Flush()
}

func rate(f figures) float64   { return f.rate }
func path(f figures) float64   { return float64(f.path) / float64(time.Microsecond) }
func server(f figures) float64 { return float64(f.database) / float64(time.Microsecond) }
func memory(f figures) float64 { return float64(f.peakKiB) / 1024 }

func median(all []figures, of func(figures) float64) float64 {
	var values []float64
	for _, f := range all {
		values = append(values, of(f))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
