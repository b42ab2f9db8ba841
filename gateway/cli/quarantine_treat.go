package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
)

// poisonReader reads a row of the quarantine.
type poisonReader interface {
	Poison(ctx context.Context, id int64) (store.Quarantined, bool, error)
}

// ofRow is what is done with a row, for the audit.
func ofRow(action audit.Action, p store.Quarantined) audit.Act {
	return audit.Act{Action: action, Object: "quarantine " + strconv.FormatInt(p.ID, 10),
		Detail: fmt.Sprintf("of %s, seq %d, %d bytes", p.Agent, p.Seq, len(p.Raw))}
}

// dropper removes a row of the quarantine.
type dropper interface {
	Drop(ctx context.Context, id int64) (bool, error)
}

// drop prints a row and removes it.
func drop(c *cobra.Command, dir string, s dropper, p store.Quarantined) error {
	act := ofRow(audit.DropQuarantine, p)
	if err := audited(c.Context(), dir, act); err != nil {
		return err
	}
	err := document(c.OutOrStdout(), poison(p))
	if err == nil {
		_, err = s.Drop(c.Context(), p.ID)
	}
	return failed(c.Context(), dir, act, err)
}

// rowIDs parses the ids of rows.
func rowIDs(args []string) ([]int64, error) {
	var out []int64
	for _, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			return nil, usageError{fmt.Errorf("%q is not the id of a row; see: gatehouse quarantine list", arg)}
		}
		out = append(out, id)
	}
	return out, nil
}

// quarantined returns one row, or an error when it does not exist.
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
		Short: "Try to store rows again",
		Long: `retry is for rows whose reason no longer exists: the type of a field in InfluxDB, a
limit, a program that was too old. Rows that are stored leave the quarantine; the
desk's counts of past hours do not change. When records are kept in InfluxDB, give
the collector's configuration.`,
		Example: "  gatehouse quarantine retry 17\n" +
			"  gatehouse quarantine retry 17 18 --config /etc/gatehouse/collect.yaml",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ids, err := rowIDs(args)
			if err != nil {
				return err
			}
			cfg := centre.Config{Dir: *dir}
			if file != "" {
				if cfg, err = loadCollector(file); err != nil {
					return err
				}
				cfg.Beside(file)
			}
			if r, err := openBooks(cfg.Dir); err != nil { // so that a wrong --dir creates no folder
				return err
			} else if err := r.Close(); err != nil {
				return err
			}
			s, err := centre.OpenArchive(cfg, nil)
			if err != nil {
				return err
			}
			defer s.Close()
			for _, id := range ids {
				p, err := quarantined(c.Context(), s, id)
				if err != nil {
					return err
				}
				act := ofRow(audit.RetryQuarantine, p)
				if err := audited(c.Context(), cfg.Dir, act); err != nil {
					return err
				}
				if err := failed(c.Context(), cfg.Dir, act, s.Retry(c.Context(), p)); err != nil {
					return fmt.Errorf("row %d: %w", id, err)
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "row %d is stored: agent %s, journal %s, seq %d\n",
					p.ID, p.Agent, p.JID, p.Seq)
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "", "the collector's configuration, when records are kept in InfluxDB")
	return c
}

func quarantineDrop(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "drop ID...",
		Short: "Remove rows for ever, and print them as JSON lines",
		Long: `drop removes rows that nobody needs, such as garbage from a stranger. The printed
lines are the only copy: keep the output if in doubt. A record of an agent's journal
leaves a recorded hole with reason "dropped", unless its seq is stored.`,
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
			s, err := centre.OpenArchive(centre.Config{Dir: *dir}, nil)
			if err != nil {
				return err
			}
			defer s.Close()
			for _, id := range ids {
				p, err := quarantined(c.Context(), s, id)
				if err != nil {
					return err
				}
				if err := drop(c, *dir, s, p); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
