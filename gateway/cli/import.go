package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/firmware-bridge/track"
	"gatehouse/gateway/config"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

func importCommand() *cobra.Command {
	c := &cobra.Command{Use: "import", Short: "Import what machines without an open interface have recorded"}
	c.AddCommand(importRun())
	return c
}

// importing is one import.
type importing struct {
	flags              brokerFlags
	machine, crs       string
	format, start, end string
	zone               string
	dry                bool
}

func importRun() *cobra.Command {
	var i importing
	c := &cobra.Command{
		Use:   "run FILE --machine ID --crs WGS-84",
		Short: "Import a disinfection run from a track (CSV, GeoJSON, KML)",
		Long: `run reads a track that a machine's app has exported and sends it to the
collector, which keeps it as a run of grade "declared", because a file is no
evidence. Importing the same file again changes nothing.

CSV needs a header line with lat and lon, and with time unless --start and --end are
given; columns flow_lpm, volume_l, tank_pct, speed_ms and command are optional.
GeoJSON: LineString and Point features with coordTimes, times or time are read.
KML: LineString and gx:Track are read.

The coordinates must be WGS-84. Chinese map apps export GCJ-02 or BD-09, which are
0.5 to 1.4 km off: set the app to export WGS-84 (raw GPS), or convert the file first.`,
		Example: "  gatehouse import run flight.kml --county qinghe --machine drone-7 --crs WGS-84 \\\n" +
			"    --start '2020-02-14 14:00:00' --end '2020-02-14 14:25:00'",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return i.run(c, args[0]) },
	}
	c.Flags().StringVar(&i.machine, "machine", "", "id of the machine")
	c.Flags().StringVar(&i.crs, "crs", "", "coordinate system of the file: WGS-84")
	c.Flags().StringVar(&i.format, "format", "", "csv, geojson or kml (default: by the file's name)")
	c.Flags().StringVar(&i.start, "start", "",
		"when the work began, for a file without times; in the time zone of --zone")
	c.Flags().StringVar(&i.end, "end", "", "when the work ended")
	c.Flags().StringVar(&i.zone, "zone", config.DefaultZone, "the county's time zone, for times without one")
	c.Flags().BoolVar(&i.dry, "dry-run", false, "print what would be sent, and send nothing")
	i.flags.add(c)
	_ = c.MarkFlagRequired("machine") // the flag exists
	_ = c.MarkFlagRequired("crs")
	return c
}

var errCRS = errors.New("only WGS-84 is accepted: GCJ-02 (Amap, Tencent) and BD-09 (Baidu) " +
	"are 0.5 to 1.4 km off, convert the file first")

func (i *importing) run(c *cobra.Command, path string) error {
	if !strings.EqualFold(strings.ReplaceAll(i.crs, "-", ""), "WGS84") {
		return usageError{fmt.Errorf("--crs %q: %w", i.crs, errCRS)}
	}
	if err := wire.CheckID(i.machine); err != nil {
		return usageError{fmt.Errorf("--machine: %w", err)}
	}
	if i.flags.county == "" && !i.dry {
		return usageError{errors.New("--county is missing: give the county's id, as in the collector's configuration")}
	}
	zone, err := config.Zone(i.zone)
	if err != nil {
		return usageError{fmt.Errorf("--zone: %w", err)}
	}
	opts := track.Options{Zone: zone}
	for _, x := range []struct {
		flag, text string
		to         *time.Time
	}{{"--start", i.start, &opts.Start}, {"--end", i.end, &opts.End}} {
		if x.text == "" {
			continue
		}
		at, err := time.ParseInLocation(time.DateTime, x.text, zone)
		if err != nil {
			return usageError{fmt.Errorf("%s %q: write it as '2020-02-14 14:00:00'", x.flag, x.text)}
		}
		*x.to = at.UTC()
	}
	samples, bad, id, err := i.read(path, opts)
	if errors.Is(err, track.ErrTimes) {
		return usageError{fmt.Errorf("%s: %w: --start and --end", path, err)}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	last := samples[len(samples)-1]
	fmt.Fprintf(c.OutOrStdout(), "%s: %d points from %s to %s, %d that can't be true left out\n",
		path, len(samples), samples[0].At.In(zone).Format(time.DateTime), last.At.In(zone).Format(time.DateTime), bad)
	if i.dry {
		return nil
	}
	if err := i.send(c.Context(), parts(samples, id, filepath.Base(path))); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "sent to the collector as run import-%s of %s, grade declared\n",
		id, i.machine)
	return err
}

// read reads the file; its id is a hash of its bytes, the machine and the times.
func (i *importing) read(path string, opts track.Options) (samples []runs.Sample, bad int, id string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, "", err
	}
	defer f.Close()
	format := i.format
	if format == "" {
		format = strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
	}
	sum := sha256.New()
	fmt.Fprintln(sum, i.machine, i.start, i.end)
	samples, bad, err = track.Read(format, io.TeeReader(f, sum), opts)
	return samples, bad, hex.EncodeToString(sum.Sum(nil)[:8]), err
}

// perPart is how many points a report may hold, so that it stays far below the
// limit of a message.
const perPart = 100

// parts divides a track into reports.
func parts(samples []runs.Sample, id, name string) (out []wire.Report) {
	n := (len(samples) + perPart - 1) / perPart
	for p := range n {
		part := samples[p*perPart : min(len(samples), (p+1)*perPart)]
		r := wire.Report{V: 1, At: new(wire.At(part[0].At)),
			Import: &wire.Part{ID: id, Part: p + 1, Parts: n, Name: name}}
		for _, s := range part {
			r.Points = append(r.Points, machine.Point(s, part[0].T))
		}
		out = append(out, r)
	}
	return out
}

// sendIn bounds the time for sending.
const sendIn = 2 * time.Minute

// send publishes reports, each again until the broker has acknowledged it.
func (i *importing) send(ctx context.Context, reports []wire.Report) error {
	ctx, cancel := context.WithTimeout(ctx, sendIn)
	defer cancel()
	up, failed := make(chan struct{}), make(chan error, 1)
	cfg := mqtt.Config{ClientID: fmt.Sprintf("import-%d", os.Getpid()), Log: slog.New(slog.DiscardHandler),
		OnUp: sync.OnceFunc(func() { close(up) }),
		OnFail: func(err error) {
			select {
			case failed <- err:
			default:
			}
		}}
	if err := i.flags.b.Load(&cfg); err != nil {
		return usageError{err}
	}
	client := mqtt.New(cfg)
	done := make(chan struct{})
	go func() { defer close(done); _ = client.Run(ctx) }() // ends with ctx only
	defer func() { cancel(); <-done }()
	select {
	case <-up:
	case err := <-failed:
		return i.flags.unreachable(err)
	case <-ctx.Done():
		return i.flags.unreachable(ctx.Err())
	}
	for _, r := range reports {
		b, err := wire.Encode(r)
		if err != nil {
			return fmt.Errorf("encode a part of the track: %w", err)
		}
		m := mqtt.Message{Topic: wire.Topic(i.flags.county, i.machine, wire.LeafReport), Payload: b, QoS: 1}
		for err = client.Publish(m); err != nil; err = client.Publish(m) {
			if !retry.Sleep(ctx, 100*time.Millisecond) {
				return fmt.Errorf("the broker at %s did not acknowledge it within %s: %w; "+
					"run the same command again, nothing is counted twice", i.flags.b.URL, sendIn, err)
			}
		}
	}
	return nil
}
