package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/term"
	"gatehouse/gateway/wire"
)

// trace are the flags of trace.
type trace struct {
	storeFlags

	as, roster string
	identities []string
	output     output
}

func traceCommand() *cobra.Command {
	var f trace
	c := &cobra.Command{
		Use:   "trace [PSEUDONYM]",
		Short: "Find a person's passages at all gates: two people agree first",
		Long: `trace prints times, gates and verdicts of one person's passages, in all epochs that the store
still has. Without a pseudonym it asks for the card's number, which is not shown and not
kept. Of a pseudonym it finds the card on the roster (--roster), and without one only the
passages under that pseudonym.

Another user of the desk must agree (gatehouse consent, or the page 双人确认), and two of the
people named under epochs: give the files of their identities (age-keygen). Who asked, who
agreed and for which pseudonym stands in the audit before anything is shown. Nothing is
written to disk. See deploy/PRIVACY.md.`,
		Example: "  gatehouse trace --as wang --identity wang.txt --identity li.txt",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return f.run(c, strings.Join(args, "")) },
	}
	f.flags(c)
	c.Flags().StringVar(&f.as, "as", "", "name of the user of the desk who asks; the password is asked for")
	c.Flags().StringVar(&f.roster, "roster", "", "the county's roster, on which the card of a pseudonym is found")
	c.Flags().StringArrayVar(&f.identities, "identity", nil, "file with an age identity; twice")
	_ = c.MarkFlagRequired("as")
	f.output.add(c)
	return c
}

func (f *trace) run(c *cobra.Command, pseudonym string) error {
	cfg, err := f.load()
	if err != nil {
		return err
	}
	object := "card"
	if pseudonym != "" {
		if !identity.IsPseudonym(pseudonym) {
			return usageError{errors.New("this is no pseudonym: leave it out, and the card's number is asked for")}
		}
		object = "pseudonym " + pseudonym
	}
	return withConsents(cfg.Dir, func(b *consents) error {
		who, err := b.confirmed(c, f.as)
		if err != nil {
			return err
		}
		card := ""
		if pseudonym == "" {
			if card, err = term.Secret(c.InOrStdin(), c.ErrOrStderr(), "card number"); err != nil {
				return err
			}
		}
		opened, err := openKeys(c.Context(), cfg, f.identities)
		if err != nil {
			return err
		}
		if opened.shut != nil {
			return opened.shut
		}
		keys := opened.keys
		if pseudonym != "" {
			if card, err = f.find(keys, pseudonym); err != nil {
				return err
			}
		}
		if err := b.agreed(c, who, consent.Trace, object, audit.Trace); err != nil {
			return err
		}
		names := map[string]bool{pseudonym: true}
		for _, k := range keys {
			for _, kind := range []string{"card", "code"} {
				names[k.Pseudonym(kind, strings.TrimPrefix(card, "code:"))] = card != ""
			}
		}
		names[""] = false
		return f.print(c, cfg, names)
	})
}

// find returns the card of a pseudonym, from the roster; empty: it is not there.
func (f *trace) find(keys []identity.SiteKey, pseudonym string) (string, error) {
	if f.roster == "" {
		return "", nil
	}
	text, err := secret.List(f.roster, policy.MaxRoster)
	if err != nil {
		return "", err
	}
	lines, err := policy.RosterLines(text)
	if err != nil {
		return "", fmt.Errorf("the roster %s: %w", f.roster, err)
	}
	for _, k := range keys {
		if k.ID() != identity.KeyOf(pseudonym) {
			continue
		}
		for _, l := range lines[1:] {
			kind, code := "card", l.Fields[0]
			if text, is := strings.CutPrefix(code, "code:"); is {
				kind, code = "code", text
			}
			if k.Pseudonym(kind, code) == pseudonym {
				return l.Fields[0], nil
			}
		}
	}
	return "", nil
}

// print prints the passages of a person, by time.
func (f *trace) print(c *cobra.Command, cfg centre.Config, names map[string]bool) error {
	a, err := centre.OpenReadOnly(cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	var all []passedRow
	for row, err := range a.Rows(c.Context(), store.Query{Kind: wire.KindPassage}) {
		if err != nil {
			return err
		}
		rec, err := wire.DecodeRecord(row.Raw)
		if err != nil {
			continue // quarantine says what can't be read
		}
		body, err := rec.DecodeBody()
		if p, is := body.(*wire.Passage); err == nil && is && names[p.Credential] {
			all = append(all, passedRow{row.At.In(f.zone), row.Agent, p.Verdict, p.Direction, p.Lane, row.Seq})
		}
	}
	slices.SortStableFunc(all, func(a, b passedRow) int { return a.At.Compare(b.At) })
	return list(c, &f.output, all, table[passedRow]{"the store has no passage of this person",
		[]string{"AT", "GATE", "VERDICT", "DIRECTION", "LANE", "RECORD"}, func(p passedRow) []string {
			return []string{p.At.Format(time.DateTime), p.Gate, string(p.Verdict), string(p.Direction), p.Lane,
				strconv.FormatUint(p.Seq, 10)}
		}})
}

// passedRow is one passage of a person.
type passedRow struct {
	At        time.Time      `json:"at"`
	Gate      string         `json:"gate"`
	Verdict   fact.Verdict   `json:"verdict"`
	Direction fact.Direction `json:"direction,omitempty"`
	Lane      string         `json:"lane,omitempty"`
	Seq       uint64         `json:"seq"`
}
