package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/term"
	"gatehouse/gateway/trial"
)

// policyDiffFlags are the flags of policy diff.
type policyDiffFlags struct {
	roster, newRoster, day, zone string
	yes, reasons                 bool
	output                       output
}

func policyDiffCommand() *cobra.Command {
	var f policyDiffFlags
	c := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Show which people and situations a new policy decides otherwise",
		Long: `diff tries every half hour of a week, both ways, after nothing, after an exit, after a
return, for everybody on the roster, by both policies. It prints what is decided
otherwise: for which class, how many people and on which lines of the roster, when, and
after what. No card is printed.

Without --roster it looks for NAME.roster.csv beside NAME.policy.yaml, and else takes a
card of each class.

If somebody could pass on a way before and nobody can now, it warns and fails, unless
--yes says that this is wanted.`,
		Example: "  gatehouse policy diff /etc/gatehouse/policy.yaml new.yaml --roster /etc/gatehouse/roster.csv\n" +
			"  gatehouse policy diff policy.yaml policy.yaml --roster old.csv --new-roster new.csv",
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args[0], args[1]) },
	}
	c.Flags().StringVar(&f.roster, "roster", "", "roster of both")
	c.Flags().StringVar(&f.newRoster, "new-roster", "", "roster of the new policy, if it is another one")
	c.Flags().StringVar(&f.day, "day", "", "first day of the week that is tried (default: today)")
	c.Flags().StringVar(&f.zone, "time-zone", config.DefaultZone, "of the county")
	c.Flags().BoolVar(&f.reasons, "reasons", false, "print also where only the reason differs")
	c.Flags().BoolVar(&f.yes, "yes", false, "locking everybody out is wanted")
	f.output.add(c)
	return c
}

func (f *policyDiffFlags) run(c *cobra.Command, before, after string) error {
	zone, err := config.Zone(f.zone)
	if err != nil {
		return usageError{fmt.Errorf("--time-zone: %w", err)}
	}
	y, m, d := time.Now().In(zone).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if f.day != "" {
		if day, err = time.ParseInLocation(time.DateOnly, f.day, zone); err != nil {
			return usageError{fmt.Errorf("--day %q: write it as 2020-02-14", f.day)}
		}
	}
	old, now, err := f.rules(c, before, after)
	if err != nil {
		return err
	}
	result := trial.Compare(old, now, day)
	if err := f.print(c.OutOrStdout(), result); err != nil {
		return err
	}
	if len(result.Locked) == 0 || f.yes {
		return nil
	}
	return errors.New("the new rules lock everybody out: if that is wanted, say --yes")
}

// diffView is how two versions of the rules differ, for tools.
type diffView struct {
	Rules   []string     `json:"rules"` // settings that are not about one situation
	Changes []changeView `json:"changes"`
	Added   []int        `json:"added"`   // lines of the new roster whose cards the old one does not list
	Removed []int        `json:"removed"` // lines of the old roster whose cards the new one does not list
	Locked  []string     `json:"locked"`  // ways on which nobody can pass any more
}

type changeView struct {
	Who    string         `json:"who"`
	Way    fact.Direction `json:"direction"`
	Lane   string         `json:"lane,omitempty"`
	Before string         `json:"before,omitempty"` // what has passed before
	Old    string         `json:"old"`
	New    string         `json:"new"`
	When   string         `json:"when"`
	Passes bool           `json:"passes"` // whether they pass differs, and not only why
	Lines  []int          `json:"lines"`  // of the people in the new roster
}

// print prints a comparison.
func (f *policyDiffFlags) print(out io.Writer, r trial.Comparison) error {
	if !f.output.is(asJSON) {
		for _, line := range r.Words(f.reasons) {
			if _, err := fmt.Fprintln(out, term.Clean(line)); err != nil {
				return err
			}
		}
		return nil
	}
	v := diffView{append([]string{}, r.Rules...), []changeView{}, append([]int{}, r.Added...),
		append([]int{}, r.Removed...), append([]string{}, r.Locked...)}
	for _, x := range r.Changes {
		if x.Passes || f.reasons {
			v.Changes = append(v.Changes, changeView{x.Who, x.Way, x.Lane, x.Before, x.Old, x.New, x.When, x.Passes,
				append([]int{}, x.Lines...)})
		}
	}
	return document(out, v)
}

// rules reads both versions.
func (f *policyDiffFlags) rules(c *cobra.Command, before, after string) (old, now *policy.Rules, err error) {
	first, second := f.roster, f.newRoster
	if first == "" {
		first = besidePolicy(before)
	}
	if second == "" && f.roster == "" {
		second = besidePolicy(after)
	}
	if second == "" {
		second = first
	}
	if first == "" {
		first = second
	}
	if first != "" {
		warnOfReaders(c, slices.Compact([]string{first, second})...)
		if old, err = trial.Rules(before, first); err == nil {
			now, err = trial.Rules(after, second)
		}
		return old, now, err
	}
	p, err := policy.Load(before)
	if err != nil {
		return nil, nil, err
	}
	q, err := policy.Load(after)
	if err != nil {
		return nil, nil, err
	}
	if old, err = trial.Samples(p, q); err == nil {
		now, err = trial.Samples(q, p)
	}
	return old, now, err
}

// besidePolicy returns the roster beside a policy, if it is there.
func besidePolicy(file string) string {
	base, is := strings.CutSuffix(file, ".policy.yaml")
	if !is {
		return ""
	}
	if _, err := os.Stat(base + ".roster.csv"); err != nil {
		return ""
	}
	return base + ".roster.csv"
}
