package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/wire"
)

// selection are the flags that name a store and records in it.
type selection struct {
	file, dir, from, to, kind string

	zone *time.Location // of the county, after open
}

func (s *selection) flags(c *cobra.Command) {
	c.Flags().StringVarP(&s.file, "config", "c", defaultCollect, "the collector's configuration, which names the store")
	c.Flags().StringVar(&s.dir, "dir", "", "read the SQLite store in this folder instead; no configuration is needed")
	c.Flags().StringVar(&s.from, "from", "", "first time, such as 2020-02-14 (midnight in the county) or "+
		"2020-02-14T08:00:00+08:00; default: the oldest record")
	c.Flags().StringVar(&s.to, "to", "", "records before this time; default: the newest, too")
	c.Flags().StringVar(&s.kind, "kind", "", "reading, passage, alarm, health, run, track, audit or clock")
	c.MarkFlagsMutuallyExclusive("config", "dir")
}

// open opens the store, to read it, and returns what the flags select.
func (s *selection) open() (*archive.Archive, store.Query, error) {
	cfg := centre.Config{Dir: s.dir}
	if s.dir == "" {
		var err error
		if cfg, err = config.Load[centre.Config](s.file); err != nil {
			return nil, store.Query{}, fmt.Errorf("%w (or name the folder of a SQLite store with --dir)", err)
		}
		cfg.Beside(s.file)
	}
	q, err := s.query(cfg.TimeZone)
	if err != nil {
		return nil, q, usageError{err}
	}
	a, err := centre.OpenReadOnly(cfg)
	return a, q, err
}

// query returns what the flags select. Dates are in the given time zone.
func (s *selection) query(zone string) (store.Query, error) {
	q := store.Query{Kind: wire.Kind(s.kind)}
	in, err := config.Zone(zone)
	if err != nil {
		return q, err
	}
	s.zone = in
	if q.From, err = boundary("--from", s.from, in); err != nil {
		return q, err
	}
	if q.To, err = boundary("--to", s.to, in); err != nil {
		return q, err
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.To.After(q.From) {
		return q, fmt.Errorf("--to %s is not after --from %s: records from --from up to just before --to are written",
			s.to, s.from)
	}
	return q, nil
}

// boundary parses the time of a flag; it is zero when the flag is absent.
func boundary(flag, text string, in *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.ParseInLocation(time.DateOnly, text, in)
	}
	if err != nil {
		return at, fmt.Errorf("%s %q: write it as 2020-02-14 or 2020-02-14T08:00:00+08:00", flag, text)
	}
	if at.Year() < 1970 || at.Year() > 2261 {
		return at, fmt.Errorf("%s %s: records are of the years 1970 to 2261", flag, text)
	}
	return at, nil
}
