package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
)

// poisonReader finds a row of the quarantine.
type poisonReader interface {
	Poison(ctx context.Context, id int64) (store.Quarantined, bool, error)
}

// rowIDs reads the rows that arguments name.
func rowIDs(args []string) ([]int64, error) {
	var out []int64
	for _, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			return nil, usageError{fmt.Errorf("%q is no row's ID; see: gatehouse quarantine list", arg)}
		}
		out = append(out, id)
	}
	return out, nil
}

// quarantined gives one row.
func quarantined(ctx context.Context, s poisonReader, id int64) (store.Quarantined, error) {
	p, ok, err := s.Poison(ctx, id)
	if err == nil && !ok {
		err = fmt.Errorf("row %d is not in quarantine; see: gatehouse quarantine list", id)
	}
	return p, err
}

func quarantineRetry(dir *string) *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "retry ID...",
		Short: "Offer rows to the store once more",
		Long: `retry is for rows whose reason has been mended since: a field's type in InfluxDB,
a limit, a program that was too old. What the store takes leaves the quarantine;
the desk's counts of that hour stay as they were. Where records are kept in
InfluxDB, name the collector's configuration.`,
		Example: "  gatehouse quarantine retry 17\n  gatehouse quarantine retry 17 18 --config /etc/gatehouse/collect.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ids, err := rowIDs(args)
			if err != nil {
				return err
			}
			cfg := centre.Config{Dir: *dir}
			if file != "" {
				if cfg, err = config.Load[centre.Config](file); err != nil {
					return err
				}
				cfg.Beside(file)
			}
			if r, err := openBooks(cfg.Dir); err != nil { // no folder is made by a wrong --dir
				return err
			} else if err := r.Close(); err != nil {
				return err
			}
			s, err := centre.OpenArchive(cfg)
			if err != nil {
				return err
			}
			defer s.Close()
			for _, id := range ids {
				p, err := quarantined(c.Context(), s, id)
				if err != nil {
					return err
				}
				if err := s.Retry(c.Context(), p); err != nil {
					return fmt.Errorf("row %d: %w", id, err)
				}
				if _, err := fmt.Fprintf(c.OutOrStdout(), "row %d is stored: agent %s, journal %s, seq %d\n", p.ID, p.Agent, p.JID, p.Seq); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "", "the collector's configuration, where records are kept in InfluxDB")
	return c
}

func quarantineDrop(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "drop ID...",
		Short: "Remove rows for good, printing them as JSON lines",
		Long: `drop removes rows that nobody needs, such as garbage that a stranger sent. What
is removed is printed, and is nowhere else: keep the output if in doubt. A record
of an agent's journal leaves a recorded hole with reason "dropped", unless its seq
is stored.`,
		Example: "  gatehouse quarantine drop 17 >> dropped.jsonl",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ids, err := rowIDs(args)
			if err != nil {
				return err
			}
			if r, err := openBooks(*dir); err != nil {
				return err
			} else if err := r.Close(); err != nil {
				return err
			}
			s, err := centre.OpenArchive(centre.Config{Dir: *dir})
			if err != nil {
				return err
			}
			defer s.Close()
			for _, id := range ids {
				p, err := quarantined(c.Context(), s, id)
				if err != nil {
					return err
				}
				if err := poisonJSON(c, []store.Quarantined{p}); err != nil {
					return err
				}
				if _, err := s.Drop(c.Context(), p.ID); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
