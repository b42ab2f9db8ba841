package cli

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/end"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/term"
)

// endFlags are those of the end commands.
type endFlags struct {
	file    string
	consent int64

	cfg  centre.Config
	zone *time.Location
}

func endCommand() *cobra.Command {
	var f endFlags
	c := &cobra.Command{
		Use:   "end",
		Args:  cobra.NoArgs, // an unknown subcommand is an error
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
		Short: "End the county's service: take gates out of it, and destroy what is kept of people",
		Long: `end takes all gates out of service for good, and then destroys what the county keeps of
people; deploy/END.md says how. Two people decide: without --consent a command asks, and
prints a number; somebody else agrees at the desk within an hour; with --consent NUMBER it
is done.`,
	}
	c.PersistentFlags().StringVarP(&f.file, "config", "c", defaultCollect, "the collector's configuration")
	c.AddCommand(serviceRuns(f.begin(), "config"), serviceRuns(f.status(), "config"), f.finish(),
		serviceRuns(f.certificate(), "config"))
	return c
}

// with opens the county for do.
func (f *endFlags) with(c *cobra.Command, do func(ctx context.Context, e *centre.End) error) (err error) {
	if f.cfg, err = loadCollector(f.file); err != nil {
		return err
	}
	f.cfg.Beside(f.file)
	if f.zone, err = config.Zone(f.cfg.TimeZone); err != nil {
		return err
	}
	e, err := centre.OpenEnd(c.Context(), f.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return do(c.Context(), e)
}

// ask asks a second person for an act on object, and says what to do then: again, a command line.
func (f *endFlags) ask(c *cobra.Command, e *centre.End, object, detail, then, again string) error {
	r, err := consent.New(e.File(), time.Now).Ask(c.Context(), people.Operator(), consent.End, object, detail)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(
		c.OutOrStdout(),
		"Request %d: another person, an administrator or auditor, has to agree at the "+
			"desk within an hour. Then %s:\n  %s --consent %d\n",
		r.ID,
		then,
		again,
		r.ID,
	)
	return err
}

// use uses what was agreed to, and returns who decided.
func (f *endFlags) use(ctx context.Context, e *centre.End, object string) func(*sql.Tx) (string, error) {
	return func(tx *sql.Tx) (string, error) {
		r, err := consent.New(e.File(), time.Now).Use(ctx, tx, f.consent, consent.End, object)
		return r.String(), err
	}
}

func (f *endFlags) begin() *cobra.Command {
	c := &cobra.Command{
		Use:   "begin",
		Short: "Tell all gates to go out of service for good",
		Long: `begin tells all gates that are enrolled to stop taking people, to deliver what they hold, and
to destroy it, their keys and their lists. That can't be taken back. The collector runs, and
tells each gate whenever it is there.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return f.with(c, func(ctx context.Context, e *centre.End) error {
				if f.consent == 0 {
					return f.ask(c, e, e.Object(), "all gates go out of service for good", "run", "gatehouse end begin")
				}
				if err := e.Begin(ctx, audit.AtTerminal(), f.use(ctx, e, e.Object())); err != nil {
					return err
				}
				_, err := fmt.Fprintln(c.OutOrStdout(), "The gates are told. See: gatehouse end status")
				return err
			})
		},
	}
	c.Flags().Int64Var(&f.consent, "consent", 0, "number of the request that somebody has agreed to")
	return c
}

func (f *endFlags) status() *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "status",
		Short: "Say which gates have ended, and what the county has destroyed",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return f.with(c, func(ctx context.Context, e *centre.End) error {
				s, err := e.Status(ctx)
				if err != nil {
					return err
				}
				if out.is(asJSON) {
					return document(c.OutOrStdout(), newEnding(s))
				}
				return f.print(c, s)
			})
		},
	}
	out.add(c)
	return c
}

// states are what a state of a gate means.
var states = map[end.State]string{
	end.Ended:   "ended",
	end.Told:    "told, has not answered: off, without a network, or still delivering",
	end.Revoked: "revoked: fetch it by hand",
	end.Unknown: "never enrolled: fetch it by hand",
	end.Anew:    "enrolled again since: it is in service",
}

func (f *endFlags) print(c *cobra.Command, s end.Status) error {
	when := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(f.zone).Format(time.DateTime)
	}
	out := c.OutOrStdout()
	fmt.Fprintf(
		out,
		"Begun %s; %s.\n%d of %d gates have ended.\n\n",
		when(s.Begun),
		s.By,
		len(s.Gates)-len(s.Absent()),
		len(s.Gates),
	)
	var rows [][]string
	for _, g := range s.Gates {
		rows = append(rows, []string{g.Agent, states[g.State], when(g.Received)})
	}
	if err := term.New(out).Table([]string{"GATE", "STATE", "RECEIPT"}, rows); err != nil {
		return err
	}
	for _, x := range s.Steps {
		fmt.Fprintf(out, "destroyed at the county: %s, %s: %s\n", when(x.Done), x.Name, x.Detail)
	}
	if !s.Finished.IsZero() {
		fmt.Fprintf(out, "Finished %s. Print the certificate: gatehouse end certificate\n", when(s.Finished))
	}
	return nil
}

func (f *endFlags) finish() *cobra.Command {
	var without, cleared bool
	c := &cobra.Command{
		Use:   "finish",
		Short: "Destroy what the county holds of people",
		Example: "  sudo gatehouse end finish\n  sudo systemctl stop gatehouse-collect\n" +
			"  sudo gatehouse end finish --consent 2",
		Long: `finish destroys keys, lists, records, quarantine, passages and alerts, and then looks whether a
pseudonym is left. Hourly counts, runs of machines and the audit stay. It needs the receipt
of every gate, or two people who decide to go on without those that are missing.

First run it without --consent, while the collector runs: it asks, and somebody else agrees at
the desk. Then stop the collector, and run it with --consent and the number it has printed. Run
it as root (sudo): the lists lie in the folder of the configuration, in which the service's
account may not delete. When it is interrupted, start it again: it goes on.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return f.with(c, func(ctx context.Context, e *centre.End) error {
				s, err := e.Status(ctx)
				switch {
				case err != nil:
					return err
				case !s.Finished.IsZero():
					return f.print(c, s)
				case len(s.Absent()) > 0 && !without:
					return errors.Join(f.print(c, s), end.ErrMissing)
				}
				object := fmt.Sprintf("county %s, data, without %d gates", f.cfg.County, len(s.Absent()))
				if len(s.Steps) == 0 && f.consent == 0 {
					return f.ask(c, e, object, "the data at the county are destroyed",
						"stop the collector, and run as root", "gatehouse end finish"+
							map[bool]string{true: " --without-missing"}[without])
				}
				if len(s.Steps) == 0 {
					if err := e.Agreed(ctx, audit.AtTerminal(), f.use(ctx, e, object)); err != nil {
						return err
					}
				}
				tell := func(name string) { fmt.Fprintln(c.OutOrStdout(), name+" ...") }
				err = e.Destroy(ctx, audit.AtTerminal(), cleared, tell)
				if errors.Is(err, fs.ErrPermission) {
					err = fmt.Errorf("%w: go on as root: sudo gatehouse end finish", err)
				}
				if err != nil {
					return err
				}
				if err := e.Finish(ctx, audit.AtTerminal(), len(s.Absent())); err != nil {
					return err
				}
				_, err = fmt.Fprintln(c.OutOrStdout(), "Done. Print the certificate: gatehouse end certificate")
				return err
			})
		},
	}
	c.Flags().Int64Var(&f.consent, "consent", 0, "number of the request that somebody has agreed to")
	c.Flags().BoolVar(&without, "without-missing", false, "go on without the gates that have not answered")
	c.Flags().BoolVar(&cleared, "influx-cleared", false, "the records in InfluxDB were deleted there")
	return c
}

func (f *endFlags) certificate() *cobra.Command {
	var check, by string
	c := &cobra.Command{
		Use:   "certificate",
		Short: "Print the certificate of the end, or check one",
		Example: "  gatehouse end certificate > certificate.txt\n" +
			"  gatehouse end certificate --check certificate.txt --key collector.pub",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if check != "" {
				return checkCertificate(c, check, by)
			}
			return f.with(c, func(ctx context.Context, e *centre.End) error {
				text, err := e.Certificate(ctx, f.zone)
				if err != nil {
					return err
				}
				_, err = fmt.Fprint(c.OutOrStdout(), text)
				return err
			})
		},
	}
	c.Flags().StringVar(&check, "check", "", "check this certificate instead")
	c.Flags().StringVar(&by, "key", "collector.pub", "with --check: the file of the collector's public key")
	return c
}

func checkCertificate(c *cobra.Command, file, by string) error {
	key, err := identity.LoadCollectorPublic(by)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("check the certificate: %w", err)
	}
	if err := end.Verify(string(b), key); err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.OutOrStdout(), "the certificate is the county's, and unchanged")
	return err
}
