package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/firmware-bridge/track"
	"gatehouse/gateway/config"
	"gatehouse/gateway/site"
	"gatehouse/gateway/wire"
)

func importCommand() *cobra.Command {
	c := &cobra.Command{Use: "import", Short: "Import what machines without an open interface have recorded"}
	c.AddCommand(importRun())
	return c
}

// importing is one import.
type importing struct {
	flags         brokerFlags
	machine, crs  string
	format, sites string
	times         fileTimes
	placemark     string
	forced        bool // the zone was given
	dry           bool
	output        output
}

// fileTimes are what the flags say of the times of a file.
type fileTimes struct{ start, end, date, zone string }

func importRun() *cobra.Command {
	var i importing
	c := &cobra.Command{
		Use:   "run FILE --machine ID --crs WGS-84",
		Short: "Import a disinfection run from a track (CSV, GeoJSON, GPX, KML, KMZ)",
		Long: `run reads a track that a machine's app, a phone or a logger has exported and sends
it to the collector, which keeps it as a run of grade "declared", because a file is no
evidence. Importing the same file again changes nothing. With --dry-run it only shows
how the file was understood: look at it first.

CSV needs a header line that names latitude and longitude, and times unless --start
and --end are given. Columns may be divided by comma, semicolon, tab or |, numbers may
have a decimal comma, the text may be UTF-8, UTF-16 or GB18030. Columns flow_lpm,
volume_l, tank_pct, speed_ms and command are optional. What can't be read of a row is
counted, and the row left out.
GPX: tracks, and routes or waypoints in a file without a track.
KML, KMZ: gx:Track, Points with a TimeStamp, LineString with or without a TimeSpan. Of
several lines without times --placemark names the one that was worked.
GeoJSON: LineString and Point features with coordTimes, times or time.

Times given by --start and --end are for files that have none; for others they are an
error. Times without a zone are those of --zone, in GPX and the logs of receivers UTC.

The coordinates must be WGS-84. Chinese map apps export GCJ-02 or BD-09, which are
0.5 to 1.4 km off: set the app to export WGS-84 (raw GPS), or convert the file first.`,
		Example: "  gatehouse import run track.gpx --dry-run\n" +
			"  gatehouse import run track.gpx --county qinghe --machine drone-7 --crs WGS-84\n" +
			"  gatehouse import run flight.kml --county qinghe --machine drone-7 --crs WGS-84 \\\n" +
			"    --start '2020-02-14 14:00:00' --end '2020-02-14 14:25:00'",
		Args: cobra.ExactArgs(1),
		PreRun: func(c *cobra.Command, _ []string) {
			if !i.dry {
				_ = c.MarkFlagRequired("machine") // the flag exists
				_ = c.MarkFlagRequired("crs")
			}
		},
		RunE: func(c *cobra.Command, args []string) error {
			i.forced = c.Flags().Changed("zone")
			return i.run(c, args[0])
		},
	}
	c.Flags().StringVar(&i.machine, "machine", "", "id of the machine (not needed with --dry-run)")
	c.Flags().StringVar(&i.crs, "crs", "", "coordinate system of the file: WGS-84 (not needed with --dry-run)")
	c.Flags().StringVar(&i.format, "format", "",
		"csv, geojson, gpx, kml or kmz (default: by the file's content, then its name)")
	c.Flags().StringVar(&i.times.start, "start", "",
		"when the work began, for a file without times; in the time zone of --zone")
	c.Flags().StringVar(&i.times.end, "end", "", "when the work ended")
	c.Flags().StringVar(&i.times.date, "date", "", "the day (2020-02-14), for a file whose times have no date")
	c.Flags().StringVar(&i.times.zone, "zone", config.DefaultZone, "the county's time zone, for times without one")
	c.Flags().StringVar(&i.placemark, "placemark", "",
		"name of the line that was worked, or its number (#2), when a file has several")
	c.Flags().StringVar(&i.sites, "sites", "",
		"file of the county's compounds, as the collector reads it: shows whether the track lies there")
	c.Flags().BoolVar(&i.dry, "dry-run", false, "show how the file was understood, and send nothing")
	i.output.add(c)
	i.flags.add(c)
	return c
}

var errCRS = errors.New("only WGS-84 is accepted: GCJ-02 (Amap, Tencent) and BD-09 (Baidu) " +
	"are 0.5 to 1.4 km off, convert the file first")

// check returns an error for flags that are missing or wrong.
func (i *importing) check() error {
	if i.crs != "" && !strings.EqualFold(strings.ReplaceAll(i.crs, "-", ""), "WGS84") {
		return fmt.Errorf("--crs %q: %w", i.crs, errCRS)
	}
	if i.machine != "" {
		if err := wire.CheckID(i.machine); err != nil {
			return fmt.Errorf("--machine: %w", err)
		}
	}
	if i.flags.county == "" && !i.dry {
		return errors.New("--county is missing: give the county's id, as in the collector's configuration")
	}
	if i.times.date != "" && (i.times.start != "" || i.times.end != "") {
		return errors.New("--date is for times without a date, --start and --end for points without times: give one")
	}
	return nil
}

// options returns what the flags say of the file.
func (i *importing) options() (opts track.Options, err error) {
	opts = track.Options{Forced: i.forced, Placemark: i.placemark}
	if opts.Zone, err = config.Zone(i.times.zone); err != nil {
		return opts, fmt.Errorf("--zone: %w", err)
	}
	for _, x := range []struct {
		flag, text, layout string
		to                 *time.Time
	}{
		{"--start", i.times.start, time.DateTime, &opts.Start},
		{"--end", i.times.end, time.DateTime, &opts.End},
		{"--date", i.times.date, time.DateOnly, &opts.Date},
	} {
		if x.text == "" {
			continue
		}
		at, err := time.ParseInLocation(x.layout, x.text, opts.Zone)
		if err != nil {
			example := time.Date(2020, 2, 14, 14, 0, 0, 0, time.UTC).Format(x.layout)
			return opts, fmt.Errorf("%s %q: write it as '%s'", x.flag, x.text, example)
		}
		*x.to = at.UTC()
	}
	return opts, nil
}

func (i *importing) run(c *cobra.Command, path string) error {
	if err := i.check(); err != nil {
		return usageError{err}
	}
	opts, err := i.options()
	if err != nil {
		return usageError{err}
	}
	show := shown{out: c.OutOrStdout(), zone: opts.Zone}
	if i.sites != "" {
		if show.county, err = site.Load(i.sites); err != nil {
			return usageError{fmt.Errorf("--sites: %w", err)}
		}
	}
	t, id, err := i.read(path, opts)
	if err != nil {
		return hint(path, err)
	}
	if !i.output.is(asJSON) {
		show.track(path, t)
	}
	sent := ""
	if !i.dry {
		if err := i.send(c, parts(t, id, filepath.Base(path))); err != nil {
			return err
		}
		sent = "import-" + id
	}
	if i.output.is(asJSON) {
		return document(c.OutOrStdout(), show.view(path, t, sent))
	}
	if i.dry {
		return nil
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "sent to the collector as run import-%s of %s, grade declared\n",
		id, i.machine)
	return err
}

// hint adds the flags that help to the error of a file.
func hint(path string, err error) error {
	for _, x := range []struct {
		of   error
		help string
	}{
		{track.ErrTimes, "--start and --end"},
		{track.ErrDate, "--date"},
		{track.ErrOwn, "leave out --start, --end and --date"},
		{track.ErrNames, "--placemark NAME, or --placemark '#1' for its number"},
	} {
		if errors.Is(err, x.of) {
			return usageError{fmt.Errorf("%s: %w (%s)", path, err, x.help)}
		}
	}
	return fmt.Errorf("%s: %w", path, err)
}

// read reads the file; its id is a hash of its bytes, the machine and what the
// flags say of it.
func (i *importing) read(path string, opts track.Options) (t *track.Track, id string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	var r io.ReaderAt = f
	size := info.Size()
	if !info.Mode().IsRegular() { // a pipe
		all, err := io.ReadAll(io.LimitReader(f, track.MaxBytes+1))
		if err != nil {
			return nil, "", err
		}
		r, size = bytes.NewReader(all), int64(len(all))
	}
	// A file of a million points is one large peak: memory is collected early, and
	// the rest of this short program needs little.
	defer debug.SetGCPercent(debug.SetGCPercent(25))
	if t, err = track.Read(r, size, filepath.Base(path), i.format, opts); err != nil || i.dry {
		return t, "", err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, i.machine, i.times.start, i.times.end)
	if i.forced || i.times.date != "" || i.placemark != "" {
		fmt.Fprintln(sum, i.times.zone, i.times.date, i.placemark)
	}
	if _, err := io.Copy(sum, io.NewSectionReader(r, 0, size)); err != nil {
		return nil, "", err
	}
	return t, hex.EncodeToString(sum.Sum(nil)[:8]), nil
}
