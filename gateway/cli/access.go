package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/held"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/term"
	"gatehouse/gateway/web"
)

// accessReport are the flags of access-report.
type accessReport struct {
	storeFlags

	as, lang, file string
	identities     []string
	output         output
}

func accessReportCommand() *cobra.Command {
	var f accessReport
	c := &cobra.Command{
		Use:   "access-report",
		Short: "Say what the county holds on a card: two people agree first",
		Long: `access-report answers somebody who asks what is held on them. It asks for the number of
the card (or code:TEXT), which is not shown and not kept, and writes what the county has on it at
all gates and in all epochs that can be opened: passages and readings with raw values, what guards
did, alarms and alerts, fever episodes, quotas, the lists in which the card stands, who looked; then
for how long each is kept and why, what was removed, and what can't be linked to a card any more.

An administrator asks; another administrator or an auditor agrees (gatehouse consent, or the page
双人确认), and two of the people named under epochs give the files of their identities (age-keygen).
Who asked and who agreed stands in the audit before anything is shown. The report is written to
standard output only, unless --file names one, which only its owner may read. See
deploy/PRIVACY.md.`,
		Example: "  gatehouse access-report --as wang --identity wang.txt --identity li.txt\n" +
			"  gatehouse access-report --as wang --identity wang.txt --identity li.txt --lang en -o json",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.flags(c)
	c.Flags().StringVar(&f.as, "as", "", "name of the administrator who asks; the password is asked for")
	c.Flags().StringArrayVar(&f.identities, "identity", nil, "file with an age identity; twice")
	c.Flags().StringVar(&f.lang, "lang", "zh", "language of the text: zh or en")
	f.output.add(c, asTable, asJSON, asCSV)
	c.Flags().StringVar(&f.file, "file", "-", "file to write; -: standard output")
	_ = c.MarkFlagRequired("as")
	return c
}

func (f *accessReport) run(c *cobra.Command) error {
	words, err := web.Words(f.lang)
	if err != nil {
		return usageError{fmt.Errorf("--lang: %w", err)}
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	return withConsents(cfg.Dir, func(b *consents) error {
		report, err := f.report(c, cfg, b)
		if err != nil {
			return err
		}
		return toFile(f.file, c.OutOrStdout(), func(out io.Writer) error {
			switch {
			case f.output.is(asJSON):
				e := json.NewEncoder(out)
				e.SetIndent("", "  ")
				return e.Encode(report)
			case f.output.is(asCSV):
				return report.CSV(out)
			}
			return report.Print(out, words, f.zone)
		})
	})
}

// report asks for the card and for the agreement of a second person, and looks for what is
// held.
func (f *accessReport) report(c *cobra.Command, cfg centre.Config, b *consents) (*held.Report, error) {
	who, err := b.confirmed(c, f.as)
	if err != nil {
		return nil, err
	}
	card, err := term.Secret(c.InOrStdin(), c.ErrOrStderr(), "card number, or code:TEXT")
	if err != nil {
		return nil, err
	}
	subject := held.Subject{Names: map[string]bool{}, Keys: map[string]bool{}}
	if subject.Kind, subject.Code, err = policy.Credential(card); err != nil {
		return nil, usageError{err}
	}
	opened, err := openKeys(c.Context(), cfg, f.identities)
	if err != nil {
		return nil, err
	}
	for _, k := range opened.keys {
		subject.Names[k.Pseudonym(subject.Kind, subject.Code)], subject.Keys[k.ID()] = true, true
	}
	if err := b.agreed(c, who, consent.Report, subject.Kind, audit.AccessReport); err != nil {
		return nil, err
	}
	a, err := centre.OpenReadOnly(cfg)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	lists, err := listsOf(c.Context(), cfg, b)
	if err != nil {
		return nil, err
	}
	report, err := held.Gather(c.Context(), time.Now(), subject, held.Sources{Records: a, Books: a,
		Audit: audit.New(b.file, time.Now).Entries(c.Context(), audit.Filter{}),
		Alerts: func(ctx context.Context, jid string, passages []uint64) ([]alerts.Alert, error) {
			return alerts.OfPassages(ctx, b.file, jid, passages)
		}, Lists: lists})
	if err != nil {
		return nil, err
	}
	for e, ok := range opened.epochs {
		report.Limits.Epochs = append(report.Limits.Epochs, held.Epoch{From: e.From, Until: e.Until, Opened: ok})
	}
	slices.SortFunc(report.Limits.Epochs, func(x, y held.Epoch) int { return x.From.Compare(y.From) })
	report.Kept = keptFor(cfg)
	return report, nil
}

// keptFor returns for how long the county keeps what a report is about.
func keptFor(cfg centre.Config) (out []held.Kept) {
	about := []string{"passages", "readings", "alerts"}
	ages := map[string]string{}
	if cfg.Retention != nil {
		for _, k := range cfg.Retention.Kept() {
			if k.Age != 0 {
				ages[k.Name] = k.Age.String()
			}
		}
	}
	for _, what := range about {
		age := ages[what]
		switch {
		case cfg.Influx != nil:
			age = "bucket"
		case age == "":
			age = "ever"
		}
		out = append(out, held.Kept{What: what, For: age})
	}
	return append(out, held.Kept{What: "desk", For: "3d"}, held.Kept{What: "alarms", For: "ever"},
		held.Kept{What: "lists", For: "ever"}, held.Kept{What: "quarantine", For: "open"},
		held.Kept{What: "audit", For: "ever"}, held.Kept{What: "gates", For: "gate"},
		held.Kept{What: "keys", For: "kept"})
}

// listsOf returns the county's versions of lists of people, and the files from which gates
// are enrolled. Each text is read when it is needed.
func listsOf(ctx context.Context, cfg centre.Config, b *consents) (iter.Seq[held.List], error) {
	opts, err := cfg.RulesOptions(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	opts.File, opts.Now = b.file, time.Now
	kept := rules.New(opts)
	versions, err := kept.List(ctx)
	if err != nil {
		return nil, err
	}
	var files []string
	if cfg.Enrol != nil {
		for _, name := range []string{"roster.csv", "guards.csv"} {
			found, err := filepath.Glob(filepath.Join(cfg.Enrol.Files, "*", name))
			if err != nil {
				return nil, fmt.Errorf("look for lists in %s: %w", cfg.Enrol.Files, err)
			}
			files = append(files, found...)
		}
	}
	return func(yield func(held.List) bool) {
		for _, v := range versions {
			if !slices.Contains([]rules.Kind{rules.Roster, rules.Guards, rules.Cases}, v.Kind) {
				continue
			}
			l := held.List{Name: held.Name{List: string(v.Kind), For: v.Scope, No: v.No, State: stateOf(v)}}
			if _, l.Text, l.Err = kept.Text(ctx, v.ID); !yield(l) {
				return
			}
		}
		for _, path := range files {
			kind := strings.TrimSuffix(filepath.Base(path), ".csv")
			l := held.List{Name: held.Name{List: kind, For: filepath.Base(filepath.Dir(path))}}
			if l.Text, l.Err = secret.List(path, policy.MaxRoster); !yield(l) {
				return
			}
		}
	}, nil
}

// stateOf returns the state of a version of a list, as a report names it.
func stateOf(v rules.Version) string {
	switch {
	case v.InForce:
		return "in-force"
	case v.State == rules.Approved:
		return "replaced"
	}
	return string(v.State)
}
