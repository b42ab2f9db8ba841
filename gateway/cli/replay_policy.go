package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/replay"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/wire"
)

// replayFlags are the flags of replay.
type replayFlags struct {
	selection

	policy, roster, key string
	gate, journal       string
	zoneName            string
	output              string
	check, reasons      bool
}

func replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay --from TIME --policy FILE",
		Short: "Decide stored readings again by another policy, and list what would change",
		Long: `replay lets the stored readings of gates go through the code of the gate again, with
what happened to their devices and what guards did, by the given policy. It lists each
passage that would be decided otherwise: when, the card's pseudonym, what was decided,
what would be, and by which rule. It changes nothing; the collector may run.

It reads the county's store, which does not have yet what gates still keep. With --journal
it reads an agent's own journal, at the gate, without a network and also while the agent
runs; of what the county has acknowledged the journal keeps some days.

What passed before --from counts as it was recorded. After that, quotas and
anti-passback count what is decided now.

Without --roster the cards are those of the stored passages, with the class, the
household and the status that they had then. Days, purposes and uses of cards are not
in records: passages that they decided stay as they were. With a roster, give the site
key (site.key of the gates), too: records hold pseudonyms.

With --check the policy must be the one that was in force: every stored verdict must
come out again, and each that does not is listed with why.

Exit codes: 0 done (with --check: all are the same), 1 failed, or --check found
differences, 2 wrong usage.`,
		Example: "  gatehouse replay --from 2020-02-14 --policy new.yaml\n" +
			"  gatehouse replay --from 2020-02-14 --to 2020-02-15 --gate gate-017 --policy new.yaml \\\n" +
			"      --roster roster.csv --site-key site.key\n" +
			"  gatehouse replay --from 2020-02-14 --policy policy.yaml --check\n" +
			"  gatehouse replay --from 2020-02-14 --policy new.yaml --journal /var/lib/gatehouse",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.storeFlags.flags(c)
	f.times(c)
	c.Flags().StringVar(&f.policy, "policy", "", "the rules to decide by")
	c.Flags().StringVar(&f.roster, "roster", "", "roster of these rules")
	c.Flags().StringVar(&f.key, "site-key", "", "the gates' key for pseudonyms; needed with --roster")
	c.Flags().StringVar(&f.gate, "gate", "", "only this agent (default: all)")
	c.Flags().StringVar(&f.journal, "journal", "", "read the journal of the agent with this folder instead of a store")
	c.Flags().StringVar(&f.zoneName, "time-zone", config.DefaultZone, "of the county, with --journal")
	c.Flags().BoolVar(&f.check, "check", false, "fail unless every stored verdict comes out again")
	c.Flags().BoolVar(&f.reasons, "reasons", false, "list also where only reason, rule or instruction differ")
	c.Flags().StringVarP(&f.output, "output", "o", "text", "text, or json: a line for each change, and one of counts")
	for _, name := range []string{"from", "policy"} {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is defined above
		}
	}
	c.MarkFlagsRequiredTogether("roster", "site-key")
	for _, other := range []string{"config", "dir", "gate"} {
		c.MarkFlagsMutuallyExclusive("journal", other)
	}
	return c
}

func (f *replayFlags) run(c *cobra.Command) error {
	var wrong error
	if f.output != "text" && f.output != "json" {
		wrong = fmt.Errorf("-o %q: use text or json", f.output)
	}
	p, err := policy.Load(f.policy)
	if err != nil {
		return err
	}
	if wrong != nil {
		return usageError{wrong}
	}
	src, err := f.source(c.Context())
	if err != nil {
		return err
	}
	defer src.end()
	x := replaying{f: f, replaySource: src, report: textReport{c.OutOrStdout(), f.zone}}
	if f.output == "json" {
		x.report = jsonReport{json.NewEncoder(c.OutOrStdout())}
	}
	if err := x.survey(c.Context(), p); err != nil {
		return err
	}
	for i := range x.all {
		if err := x.decide(c.Context(), &x.all[i]); err != nil {
			return err
		}
	}
	return x.end()
}

// replaying is a replay of several journals.
type replaying struct {
	f *replayFlags
	replaySource
	rules *policy.Rules
	sums  counts
	report
}

// journalRuns is a journal with the runs of its agent.
type journalRuns struct {
	agent, jid string
	runs       []replay.Run
}

// counts are how many passages were compared, and how they came out.
type counts struct {
	Gates      int `json:"gates"`
	Passages   int `json:"passages"`   // recorded, and decided again
	Changed    int `json:"changed"`    // to another verdict
	Reasons    int `json:"reasons"`    // only in reason, rule or instruction
	Details    int `json:"details"`    // only in what a rule counted, or until another passage replaced it
	Unknown    int `json:"unknown"`    // recorded, and not decided again: readings are not stored
	Unrecorded int `json:"unrecorded"` // decided now, and not then: the agent had ended
}

// rows calls each with the records of a journal that matter: those of the time that is
// asked for, and as many of before as the rules look back.
func (x *replaying) rows(ctx context.Context, jid string, each func(wire.Record, wire.Body)) error {
	q := x.q
	q.JID = jid
	if !q.From.IsZero() {
		q.From = q.From.Add(-replay.Reach(x.rules))
	}
	for row, err := range x.Rows(ctx, q) {
		if err != nil {
			return err
		}
		switch row.Kind {
		case wire.KindReading, wire.KindPassage, wire.KindClock, wire.KindHealth, wire.KindAudit, wire.KindAlarm,
			wire.KindBaseline, wire.KindCheck:
		default:
			continue
		}
		rec, err := wire.DecodeRecord(row.Raw)
		if err == nil {
			var body wire.Body
			if body, err = rec.DecodeBody(); err == nil {
				each(rec, body)
			}
		}
		if err != nil {
			return fmt.Errorf("read record %d of %s: %w", row.Seq, row.Agent, err)
		}
	}
	return nil
}

// survey finds out the lanes of the gates and, where no roster is given, the cards.
func (x *replaying) survey(ctx context.Context, p policy.Policy) (err error) {
	var people replay.People
	if x.rules, err = people.Rules(p); err != nil {
		return err
	}
	for i := range x.all {
		j := &x.all[i]
		var s replay.Survey
		err := x.rows(ctx, j.jid, func(rec wire.Record, body wire.Body) {
			s.Take(rec, body)
			if b, is := body.(*wire.Passage); is {
				people.Take(b)
			}
		})
		if err != nil {
			return err
		}
		j.runs = s.Runs()
	}
	if x.f.roster == "" {
		if x.rules, err = people.Rules(p); err != nil {
			err = fmt.Errorf("the cards of the stored passages do not fit the policy: %w", err)
		}
		return err
	}
	ring, err := identity.LoadRing(x.f.key)
	if err != nil {
		return err
	}
	text, err := secret.List(x.f.roster, policy.MaxRoster)
	if err == nil {
		x.rules, err = policy.ParseRosterText(p, text, ring.Named(time.Now()))
	}
	if err != nil {
		return fmt.Errorf("the roster %s: %w", x.f.roster, err)
	}
	return nil
}

// decide decides the readings of a journal again.
func (x *replaying) decide(ctx context.Context, j *journalRuns) error {
	var failed error
	seen := false
	r := replay.New(replay.Config{Rules: x.rules, Zone: x.f.zone, Runs: j.runs, From: x.q.From, Recorded: x.f.check,
		Unlisted: x.f.roster == ""}, func(o replay.Outcome) {
		seen = true
		if x.listed(x.count(o)) && failed == nil {
			failed = x.change(j.agent, o, x.why(o))
		}
	})
	if err := x.rows(ctx, j.jid, r.Take); err != nil {
		return err
	}
	r.End()
	if seen {
		x.sums.Gates++
	}
	return failed
}

// listed reports whether such changes are printed.
func (x *replaying) listed(c replay.Change) bool {
	switch c {
	case replay.Decides:
		return true
	case replay.Reasons:
		return x.f.check || x.f.reasons
	case replay.Figures, replay.Replaced, replay.Unknown:
		return x.f.check
	}
	return false
}

// why says why a verdict did not come out again, where it had to.
func (x *replaying) why(o replay.Outcome) string {
	if !x.f.check {
		return ""
	}
	return whyOf(o, x.rules.Version, x.classOf)
}

// classOf returns the class of a card on the roster.
func (x *replaying) classOf(credential string) (class string, listed bool) {
	p, listed := x.rules.Person(credential)
	return p.Class, listed
}

// count counts an outcome and returns how far it differs.
func (x *replaying) count(o replay.Outcome) replay.Change {
	change := o.Change()
	if change != replay.Ended && change != replay.Unknown {
		x.sums.Passages++
	}
	switch change {
	case replay.Decides:
		x.sums.Changed++
	case replay.Reasons:
		x.sums.Reasons++
	case replay.Figures, replay.Replaced:
		x.sums.Details++
	case replay.Unknown:
		x.sums.Unknown++
	case replay.Ended:
		x.sums.Unrecorded++
	}
	return change
}
