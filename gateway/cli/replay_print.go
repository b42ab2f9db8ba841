package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"gatehouse/gateway/explain"
	"gatehouse/gateway/replay"
	"gatehouse/gateway/term"
	"gatehouse/gateway/trial"
	"gatehouse/gateway/wire"
)

// counts are how many passages were compared, and how they came out.
type counts struct {
	Gates      int `json:"gates"`
	Passages   int `json:"passages"`   // recorded, and decided again
	Changed    int `json:"changed"`    // to another verdict
	Reasons    int `json:"reasons"`    // only in reason, rule or instruction
	Details    int `json:"details"`    // only in what a rule counted, or until another passage replaced it
	Unknown    int `json:"unknown"`    // recorded, and not decided again: readings are not stored
	Unruled    int `json:"unruled"`    // recorded, and not decided again: the rules of then are not at hand
	Unrecorded int `json:"unrecorded"` // decided now, and not then: the agent had ended
}

// report prints what a replay finds: each change, and at the end the counts, for which
// there is no agent.
type report interface {
	change(agent string, o replay.Outcome, why string) error
	// unruled says that passages are not decided again, because rules are not at hand.
	unruled(agent string, p period, passages int) error
	counts(c counts) error
}

// textReport prints lines for people.
type textReport struct {
	out  io.Writer
	zone *time.Location
}

func (r textReport) change(agent string, o replay.Outcome, why string) error {
	seq := "-"
	if o.Seq != 0 {
		seq = fmt.Sprint(o.Seq)
	}
	text := fmt.Sprintf("%s %s/%s, %s: %s → %s%s", o.At.In(r.zone).Format("2006-01-02 15:04:05"), agent, seq,
		cardOf(o), r.verdict(o.Was), r.verdict(o.Is), why)
	_, err := fmt.Fprintln(r.out, term.Clean(text))
	return err
}

// verdict returns one side of a change.
func (r textReport) verdict(p *wire.Passage) string {
	if p == nil {
		return "nothing"
	}
	return trial.Brief(*p, r.zone)
}

func (r textReport) counts(c counts) error {
	_, err := fmt.Fprintf(r.out, "%d passages of %d gates decided again: %d with another verdict, %d only for other "+
		"reasons; %d not decided again because readings are not stored, %d because the rules of then are not at hand\n",
		c.Passages, c.Gates, c.Changed, c.Reasons, c.Unknown, c.Unruled)
	return err
}

func (r textReport) unruled(agent string, p period, passages int) error {
	text := fmt.Sprintf("%s: %d passages are not checked: ", agent, passages)
	if a := p.applied; a != nil {
		text += fmt.Sprintf("from %s on it decided by set %d of the county, %s, and no policy is at hand whose "+
			"SHA-256 is %s", p.at.In(r.zone).Format("2006-01-02 15:04:05"), a.No, a.Version, a.Hash)
	} else {
		text += fmt.Sprintf("they were decided by version %s, and no policy of that version is at hand", p.version)
	}
	_, err := fmt.Fprintln(r.out, term.Clean(text+": give its file, with --policy"))
	return err
}

// cardOf returns the pseudonym of who came, shortened.
func cardOf(o replay.Outcome) string {
	for _, p := range []*wire.Passage{o.Was, o.Is} {
		if p != nil && p.Credential != "" {
			return explain.Short(p.Credential)
		}
	}
	return "no card"
}

// whyOf says why a verdict did not come out again, as far as that is known.
func whyOf(o replay.Outcome, version string, p func(credential string) (class string, listed bool)) string {
	switch {
	case o.Missing != 0:
		return fmt.Sprintf(" (not decided again: its reading %d is not stored)", o.Missing)
	case o.Was == nil:
		return ""
	case o.Was.Policy != version:
		return fmt.Sprintf(" (it was decided by version %s of the policy, and this is %s)", o.Was.Policy, version)
	case o.Was.Basis != nil && o.Was.Basis.Pass != "" || o.Was.Credential == "":
		return ""
	}
	switch class, listed := p(o.Was.Credential); {
	case listed && o.Was.Class == "":
		return " (the card was not on the roster then)"
	case !listed && o.Was.Class != "":
		return " (the card is not on this roster)"
	case class != o.Was.Class:
		return fmt.Sprintf(" (the card was of class %s then, and is of %s now)", o.Was.Class, class)
	}
	return ""
}

// end prints the counts, and returns an error when a check has failed.
func (x *replaying) end() error {
	if err := x.counts(x.sums); err != nil {
		return err
	}
	switch s := x.sums; {
	case !x.f.check:
	case s.Changed+s.Reasons+s.Details+s.Unknown > 0:
		return errors.New("not every stored verdict came out again")
	case s.Unruled > 0:
		return errors.New("not every stored verdict could be checked: rules of then are not at hand")
	}
	return nil
}

// count counts an outcome and returns how far it differs.
func (x *replaying) count(o replay.Outcome) replay.Change {
	change := o.Change()
	if change != replay.Ended && change != replay.Unknown && change != replay.Unruled {
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
	case replay.Unruled:
		x.sums.Unruled++
	case replay.Ended:
		x.sums.Unrecorded++
	}
	return change
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
func (x *replaying) why(j *journalRuns, o replay.Outcome) string {
	rules := j.periods[j.period(o.Seq)].rules
	if !x.f.check || rules == nil {
		return ""
	}
	return whyOf(o, rules.Version, func(credential string) (class string, listed bool) {
		p, listed := rules.Person(credential)
		return p.Class, listed
	})
}
