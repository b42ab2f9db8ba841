package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/site"
	"gatehouse/gateway/term"
)

func rulesCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "rules",
		Args:  cobra.NoArgs, // an unknown subcommand is an error
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
		Short: "Keep versions of what gates decide by, and put them into force",
		Long: `rules works on the versions of policies, rosters, guards, contacts and cases that the
county keeps (deploy/RULES.md), as the desk's page 规则 does. The collector may run: it
publishes what is approved to the gates within seconds.`,
	}
	c.PersistentFlags().StringVarP(&file, "config", "c", defaultCollect, "the collector's configuration")
	c.AddCommand(rulesList(&file), rulesImport(&file), rulesCheck(&file), rulesShow(&file),
		rulesApprove(&file), rulesWithdraw(&file))
	return c
}

// rulesBench is what a command about rules works on.
type rulesBench struct {
	*rules.Rules

	cfg   centre.Config
	file  *db.File
	sites *site.County
}

// withRules opens the rules of the county of a configuration for do.
func withRules(path string, do func(b *rulesBench) error) (err error) {
	cfg, err := loadCollector(path)
	if err != nil {
		return err
	}
	cfg.Beside(path)
	sites, err := site.Load(cfg.Sites)
	if err != nil {
		return err
	}
	opts, err := cfg.RulesOptions(slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if !hasCounty(cfg.Dir) {
		return fmt.Errorf("%s has no %s: start the collector once", cfg.Dir, centre.DeskFile)
	}
	file, err := desk.OpenFile(filepath.Join(cfg.Dir, centre.DeskFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	opts.File, opts.Sites, opts.Now = file, sites, time.Now
	return do(&rulesBench{rules.New(opts), cfg, file, sites})
}

func rulesList(file *string) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "list",
		Short: "List the versions, the newest first",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withRules(*file, func(b *rulesBench) error {
				all, err := b.List(c.Context())
				if err != nil {
					return err
				}
				return list(c, &out, all, table[rules.Version]{
					none: "there are no versions yet: see gatehouse rules import",
					head: []string{"NUMBER", "KIND", "FOR", "VERSION", "STATE", "BY", "AT", "DECIDED BY", "NOTE"},
					row:  versionRow,
				})
			})
		},
	}
	out.add(c)
	return c
}

func versionRow(v rules.Version) []string {
	state := string(v.State)
	switch {
	case v.InForce:
		state = "in force"
	case v.State == rules.Approved:
		state = "replaced"
	}
	if v.Locked {
		state += ", can't be read"
	}
	return []string{strconv.FormatInt(v.ID, 10), string(v.Kind), v.Scope,
		strconv.Itoa(v.No), state, v.Author, v.Made.Local().Format(time.DateTime), v.By, v.Note}
}

// rulesOne is a command about one version.
func rulesOne(use, short string, file *string, do func(*cobra.Command, *rulesBench, int64) error) *cobra.Command {
	return &cobra.Command{
		Use:   use + " NUMBER",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usageError{fmt.Errorf("%q is no number of a version: see gatehouse rules list", args[0])}
			}
			return withRules(*file, func(b *rulesBench) error { return do(c, b, id) })
		},
	}
}

func rulesCheck(file *string) *cobra.Command {
	var out output
	c := rulesOne("check", "Check a version with all that is in force, and compare it", file,
		func(c *cobra.Command, b *rulesBench, id int64) error {
			report, err := b.Check(c.Context(), id)
			if err != nil {
				return err
			}
			if out.is(asJSON) {
				err = document(c.OutOrStdout(), report)
			} else {
				_, err = fmt.Fprintln(c.OutOrStdout(), cleaned(report.Lines()))
			}
			if err == nil && len(report.Faults) > 0 {
				err = errors.New("it has faults: mend the file, and import it again")
			}
			return err
		})
	out.add(c)
	return c
}

// cleaned returns lines as one text, safe for a terminal.
func cleaned(lines []string) string {
	var out []string
	for _, l := range lines {
		out = append(out, term.Clean(l))
	}
	return strings.Join(out, "\n")
}

func rulesShow(file *string) *cobra.Command {
	return rulesOne("show", "Print the text of a version; a look at what names people is in the audit", file,
		func(c *cobra.Command, b *rulesBench, id int64) error {
			v, text, err := b.Text(c.Context(), id)
			if err != nil {
				return err
			}
			if v.Kind != rules.Policy {
				act := audit.Act{Action: audit.LookRules, Object: "rules " + string(v.Kind) + " " + v.Scope,
					Detail: fmt.Sprintf("version %d", v.No)}
				if err := audit.New(b.file, time.Now).Write(c.Context(), audit.AtTerminal(), act); err != nil {
					return err
				}
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		})
}

func rulesApprove(file *string) *cobra.Command {
	var lock bool
	c := rulesOne("approve", "Put a version into force, if nothing is wrong with it", file,
		func(c *cobra.Command, b *rulesBench, id int64) error {
			return approve(c.Context(), b, id, lock)
		})
	c.Flags().BoolVar(&lock, "lock-out", false, "it is wanted that nobody can pass any more")
	return c
}

func approve(ctx context.Context, b *rulesBench, id int64, lock bool) error {
	err := b.Approve(ctx, audit.AtTerminal(), id, rules.Approval{Lock: lock})
	if errors.Is(err, rules.ErrLocks) {
		return fmt.Errorf("%w: --lock-out", err)
	}
	return err
}

func rulesWithdraw(file *string) *cobra.Command {
	return rulesOne("withdraw", "Take a version back: the one before it is in force again", file,
		func(c *cobra.Command, b *rulesBench, id int64) error {
			return b.Withdraw(c.Context(), audit.AtTerminal(), id)
		})
}
