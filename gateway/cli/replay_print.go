package cli

import (
	"encoding/json"
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

// report prints what a replay finds: each change, and at the end the counts, for which
// there is no agent.
type report interface {
	change(agent string, o replay.Outcome, why string) error
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
		"reasons; %d not decided again because readings are not stored\n", c.Passages, c.Gates, c.Changed, c.Reasons,
		c.Unknown)
	return err
}

// jsonReport prints lines for tools.
type jsonReport struct{ out *json.Encoder }

func (r jsonReport) change(agent string, o replay.Outcome, why string) error {
	return r.out.Encode(struct {
		Agent string        `json:"agent"`
		Seq   uint64        `json:"seq,omitempty"`
		At    wire.Time     `json:"at"`
		Card  string        `json:"card,omitempty"`
		Was   *wire.Passage `json:"was"`
		Is    *wire.Passage `json:"is"`
		Why   string        `json:"why,omitempty"`
	}{agent, o.Seq, wire.At(o.At), cardOf(o), o.Was, o.Is, why})
}

func (r jsonReport) counts(c counts) error {
	return r.out.Encode(struct {
		Counts counts `json:"counts"`
	}{c})
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
	if s := x.sums; x.f.check && s.Changed+s.Reasons+s.Details+s.Unknown > 0 {
		return errors.New("not every stored verdict came out again")
	}
	return nil
}
