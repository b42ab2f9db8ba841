package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/progress"
	"gatehouse/gateway/replay"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/wire"
)

// replayFlags are the flags of replay.
type replayFlags struct {
	selection

	policies       []string
	roster, key    string
	gate, journal  string
	zoneName       string
	output         output
	check, reasons bool
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

With --check every stored verdict must come out again by the rules that were in force
then; each that does not is listed with why. Where rules came into force by themselves
(rules-applied), each set is followed from its record on, with the cards as they were
shown while it was in force. Its policy is looked for, by its SHA-256, among the files of
--policy, of which there may be several, and the versions that the county keeps. What was
decided before the first such record is checked by the policy of the version that the
passages name, or by the first --policy. Where a policy is not at hand, it says for which
gate, from when on, and how many passages are not checked.

Exit codes: 0 done (with --check: all are the same), 1 failed, or --check found
differences or passages that it can't check, 2 wrong usage.

-o json prints one object: changes, unruled and counts. -o jsonl prints each of them as a
line, at once.`,
		Example: "  gatehouse replay --from 2020-02-14 --policy new.yaml\n" +
			"  gatehouse replay --from 2020-02-14 --to 2020-02-15 --gate gate-017 --policy new.yaml \\\n" +
			"      --roster roster.csv --site-key site.key\n" +
			"  gatehouse replay --from 2020-02-14 --check\n" +
			"  gatehouse replay --from 2020-02-14 --policy monday.yaml --policy tuesday.yaml --check \\\n" +
			"      --journal /var/lib/gatehouse\n" +
			"  gatehouse replay --from 2020-02-14 --policy new.yaml --journal /var/lib/gatehouse",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	f.flags(c)
	return c
}

// flags adds the flags of replay.
func (f *replayFlags) flags(c *cobra.Command) {
	f.storeFlags.flags(c)
	f.times(c)
	c.Flags().StringArrayVar(&f.policies, "policy", nil, "the rules to decide by; with --check also several, or none")
	c.Flags().StringVar(&f.roster, "roster", "", "roster of these rules")
	c.Flags().StringVar(&f.key, "site-key", "", "the gates' key for pseudonyms; needed with --roster")
	c.Flags().StringVar(&f.gate, "gate", "", "only this agent (default: all)")
	c.Flags().StringVar(&f.journal, "journal", "", "read the journal of the agent with this folder instead of a store")
	c.Flags().StringVar(&f.zoneName, "time-zone", config.DefaultZone, "of the county, with --journal")
	c.Flags().BoolVar(&f.check, "check", false, "fail unless every stored verdict comes out again")
	c.Flags().BoolVar(&f.reasons, "reasons", false, "list also where only reason, rule or instruction differ")
	f.output.add(c, asTable, asJSON, asJSONL)
	if err := c.MarkFlagRequired("from"); err != nil {
		panic(err) // the flag is defined above
	}
	c.MarkFlagsRequiredTogether("roster", "site-key")
	for _, other := range []string{"config", "dir", "gate"} {
		c.MarkFlagsMutuallyExclusive("journal", other)
	}
}

// wrong returns what is wrong with the flags, apart from files and times.
func (f *replayFlags) wrong() error {
	switch {
	case !f.check && len(f.policies) == 0:
		return errors.New(`required flag(s) "policy" not set: which rules shall decide? (--check needs none)`)
	case !f.check && len(f.policies) > 1:
		return errors.New("give one --policy; several are for --check")
	}
	return nil
}

func (f *replayFlags) run(c *cobra.Command) error {
	known, err := readPolicies(f.policies)
	if err != nil {
		return err
	}
	if wrong := f.wrong(); wrong != nil {
		return usageError{wrong}
	}
	src, err := f.source(c.Context())
	if err != nil {
		return err
	}
	defer src.end()
	x := replaying{f: f, replaySource: src}
	if f.check && f.in != "" {
		if known, err = known.ofCounty(c.Context(), f.in); err != nil {
			return err
		}
	}
	x.bar = f.output.bar(c, "read", 0, progress.Records)
	err = x.survey(c.Context(), known)
	x.bar.End()
	if err != nil {
		return err
	}
	x.bar = f.output.bar(c, "decide", x.read, progress.Records)
	defer func() { x.bar.End() }()
	switch out := progress.Writer(c.OutOrStdout(), x.bar); {
	case f.output.is(asJSON):
		x.report = &jsonReport{out: out}
	case f.output.is(asJSONL):
		x.report = jsonlReport{json.NewEncoder(out)}
	default:
		x.report = textReport{out, f.zone}
	}
	for i := range x.all {
		if err := x.decide(c.Context(), &x.all[i]); err != nil {
			return err
		}
	}
	x.bar.End()
	return x.end()
}

// replaying is a replay of several journals.
type replaying struct {
	f *replayFlags
	replaySource
	reach time.Duration // how far back the rules look
	sums  counts
	read  int64 // records
	bar   progress.Bar
	report
}

// rows calls each with the records of a journal that matter: those of the time that is
// asked for, and as many of before as the rules look back.
func (x *replaying) rows(ctx context.Context, jid string, each func(wire.Record, wire.Body)) error {
	q := x.q
	q.JID = jid
	if !q.From.IsZero() {
		q.From = q.From.Add(-x.reach)
	}
	for row, err := range x.Rows(ctx, q) {
		if err != nil {
			return err
		}
		x.read++
		x.bar.Add(1)
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

// survey finds out the lanes of the gates, which rules were in force when and, where no
// roster is given, the cards.
func (x *replaying) survey(ctx context.Context, known policies) error {
	var people replay.People
	for _, k := range known {
		x.reach = max(x.reach, replay.Reach(&policy.Rules{Policy: k.Policy}))
	}
	for i := range x.all {
		j := &x.all[i]
		var s replay.Survey
		err := x.rows(ctx, j.jid, func(rec wire.Record, body wire.Body) {
			s.Take(rec, body)
			j.take(rec, body, x.f.check)
			if b, is := body.(*wire.Passage); is {
				people.Take(b)
			}
		})
		if err != nil {
			return err
		}
		j.runs = s.Runs()
	}
	r := ruler{known: known, people: &people}
	if x.f.roster != "" {
		ring, err := identity.LoadRing(x.f.key)
		if err != nil {
			return err
		}
		if r.roster, err = secret.List(x.f.roster, policy.MaxRoster); err != nil {
			return fmt.Errorf("the roster %s: %w", x.f.roster, err)
		}
		r.names, r.file = ring.Named(time.Now()), x.f.roster
	}
	for i := range x.all {
		if err := r.rule(&x.all[i]); err != nil {
			return err
		}
	}
	return nil
}

// decide decides the readings of a journal again.
func (x *replaying) decide(ctx context.Context, j *journalRuns) error {
	if !j.ruled() {
		return x.unchecked(ctx, j)
	}
	var failed error
	seen := false
	unruled := make([]int, len(j.periods))
	r := replay.New(replay.Config{Rules: j.periods[0].rules, Sets: j.sets(), Zone: x.f.zone, Runs: j.runs,
		From: x.q.From, Recorded: x.f.check, Unlisted: x.f.roster == ""}, func(o replay.Outcome) {
		seen = true
		change := x.count(o)
		if change == replay.Unruled {
			unruled[j.period(o.Seq)]++
		}
		if x.listed(change) && failed == nil {
			failed = x.change(j.agent, o, x.why(j, o))
		}
	})
	if err := x.rows(ctx, j.jid, r.Take); err != nil {
		return err
	}
	r.End()
	if seen {
		x.sums.Gates++
	}
	for i, n := range unruled {
		if n > 0 && failed == nil {
			failed = x.unruled(j.agent, j.periods[i], n)
		}
	}
	return failed
}
