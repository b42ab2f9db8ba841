package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/export"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/wire"
)

// storeFlags are the flags that name a store.
type storeFlags struct {
	file, dir string

	zone *time.Location // of the county, after load
	in   string         // the county's folder, likewise
}

func (s *storeFlags) flags(c *cobra.Command) {
	c.Flags().StringVarP(&s.file, "config", "c", defaultCollect, "the collector's configuration, which names the store")
	c.Flags().StringVar(&s.dir, "dir", "", "read the SQLite store in this folder instead; no configuration is needed")
	c.MarkFlagsMutuallyExclusive("config", "dir")
}

// load returns the configuration of the store.
func (s *storeFlags) load() (cfg centre.Config, err error) {
	cfg.Dir = s.dir
	if s.dir == "" {
		if cfg, err = loadCollector(s.file); err != nil {
			return cfg, fmt.Errorf("%w (or name the folder of a SQLite store with --dir)", err)
		}
		cfg.Beside(s.file)
	}
	s.in = cfg.Dir
	s.zone, err = config.Zone(cfg.TimeZone)
	return cfg, err
}

// audited writes into the county's audit what is about to be shown.
func (s *storeFlags) audited(c *cobra.Command, act audit.Act) error {
	return audited(c.Context(), s.in, act)
}

// selection are the flags that name a store and records in it.
type selection struct {
	storeFlags

	from, to, kind string
}

func (s *selection) flags(c *cobra.Command) {
	s.storeFlags.flags(c)
	s.times(c)
	c.Flags().StringVar(&s.kind, "kind", "", "reading, passage, alarm, health, run, track, "+
		"audit, clock, baseline or check")
}

// times adds the flags of a time.
func (s *selection) times(c *cobra.Command) {
	c.Flags().StringVar(&s.from, "from", "", "first time, such as 2020-02-14 (midnight in the county) or "+
		"2020-02-14T08:00:00+08:00; default: the oldest record")
	c.Flags().StringVar(&s.to, "to", "", "records before this time; default: the newest, too")
}

// open opens the store, to read it, and returns what the flags select. It returns
// wrong if that says what is wrong with other flags.
func (s *selection) open(wrong error) (*archive.Archive, store.Query, error) {
	if wrong != nil {
		return nil, store.Query{}, usageError{wrong}
	}
	cfg, err := s.load()
	if err != nil {
		return nil, store.Query{}, err
	}
	q, err := s.query(s.zone)
	if err != nil {
		return nil, q, usageError{err}
	}
	a, err := centre.OpenReadOnly(cfg)
	return a, q, err
}

// checkKind returns an error when there are no records of the kind.
func (s *selection) checkKind() error {
	if kinds := export.Kinds(); s.kind != "" && !slices.Contains(kinds, wire.Kind(s.kind)) {
		var words []string
		for _, k := range kinds {
			words = append(words, string(k))
		}
		return fmt.Errorf("--kind %q: use one of %q%s", s.kind, kinds, didYouMean(s.kind, words))
	}
	return nil
}

// query returns what the flags select. Dates are in the given time zone.
func (s *selection) query(in *time.Location) (q store.Query, err error) {
	q.Kind = wire.Kind(s.kind)
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
