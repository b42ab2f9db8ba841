package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/lookup"
	"gatehouse/gateway/explain"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/term"
	"gatehouse/gateway/web"
	"gatehouse/gateway/wire"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	storeFlags

	journal, zoneName, lang string
	output                  output
}

func explainCommand() *cobra.Command {
	var f explainFlags
	c := &cobra.Command{
		Use:   "explain {JOURNAL/SEQ | AGENT SEQ | --journal DIR SEQ}",
		Short: "Say why a passage was decided as it was, and what would have let the person pass",
		Long: `explain reads one passage and says in words what was shown and measured, which rule
decided on which inputs, and what would have let the person pass. Cards and households
are pseudonyms, and shortened.

It reads the county's store, SQLite or InfluxDB, and changes nothing in it; the
collector may run. A record is named by its journal and its number in it, or by its
agent: gatehouse export lists both (columns journal and seq). With --journal it reads
the agent's own journal, at the gate, without a network and also while the agent runs.

When a later passage has replaced the one that is asked for, it says which one.`,
		Example: "  gatehouse explain gate-017 4711\n" +
			"  gatehouse explain --lang zh 0190b1c2-0000-7000-8000-000000000001/4711\n" +
			"  gatehouse explain --journal /var/lib/gatehouse 4711\n" +
			"  gatehouse explain --dir /var/lib/gatehouse/county gate-017 4711 -o json | jq -r '.sentences[].text'",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args) },

		ValidArgsFunction: first(completeGates),
	}
	f.flags(c)
	c.Flags().StringVar(&f.journal, "journal", "", "read the journal of the agent with this folder instead of a store")
	c.Flags().StringVar(&f.zoneName, "time-zone", config.DefaultZone, "of the county, with --journal")
	c.Flags().StringVar(&f.lang, "lang", "en", "language of the words: zh or en")
	f.output.add(c)
	c.MarkFlagsMutuallyExclusive("journal", "config")
	c.MarkFlagsMutuallyExclusive("journal", "dir")
	return c
}

func (f *explainFlags) run(c *cobra.Command, args []string) error {
	words, err := web.Words(f.lang)
	if err != nil {
		return usageError{fmt.Errorf("--lang: %w", err)}
	}
	name, seq, err := recordName(args, f.journal != "")
	if err != nil {
		return usageError{err}
	}
	found, err := f.find(c.Context(), name, seq)
	if err != nil {
		return err
	}
	sentences := append(explain.Passage(found.Passage, f.zone), explain.Replaced(found.Replaces, found.ReplacedBy)...)
	if f.output.is(asJSON) {
		return explainJSON(c.OutOrStdout(), found, words, sentences)
	}
	return explainText(c.OutOrStdout(), found, f.zone, words, sentences)
}

// find returns the passage from the store or from the journal.
func (f *explainFlags) find(ctx context.Context, name string, seq uint64) (found lookup.Found, err error) {
	if f.journal != "" {
		if f.zone, err = config.Zone(f.zoneName); err != nil {
			return found, usageError{fmt.Errorf("--time-zone: %w", err)}
		}
		return inJournal(ctx, f.journal, name, seq)
	}
	cfg, err := f.load()
	if err != nil {
		return found, err
	}
	a, err := centre.OpenReadOnly(cfg)
	if err != nil {
		return found, err
	}
	defer a.Close()
	if err := audited(ctx, cfg.Dir, audit.Act{Action: audit.LookPassage,
		Object: fmt.Sprintf("passage %s/%d", name, seq)}); err != nil {
		return found, err
	}
	found, err = lookup.In(ctx, a, name, seq)
	if errors.Is(err, lookup.ErrNone) {
		heard, _ := a.Positions(ctx) // they were read before
		if names := agentsIn(heard); !slices.Contains(names, name) {
			err = fmt.Errorf("%w%s", err, didYouMean(name, names))
		}
	}
	return found, err
}

// recordName returns what names a record: a journal or an agent, and the seq. The name
// may be absent where the journal is known.
func recordName(args []string, known bool) (name string, seq uint64, err error) {
	number := args[len(args)-1]
	switch before, after, is := strings.Cut(number, "/"); {
	case len(args) == 2:
		name = args[0]
	case is:
		name, number = before, after
	case !known:
		return "", 0, fmt.Errorf("%q: name a record as JOURNAL/SEQ, or as AGENT SEQ", number)
	}
	seq, err = strconv.ParseUint(number, 10, 64)
	if err != nil || seq == 0 || seq > wire.MaxSeq {
		return "", 0, fmt.Errorf("seq %q: it is a number from 1, as in gatehouse export", number)
	}
	return name, seq, nil
}

// explainText writes an explanation for people.
func explainText(
	out io.Writer, f lookup.Found, zone *time.Location, words explain.Words, sentences []explain.Sentence,
) error {
	name := f.JID
	if f.Agent != "" {
		name = f.Agent + ", " + name
	}
	lines := []string{fmt.Sprintf("%s/%d, %s", name, f.Seq, f.At.In(zone).Format("2006-01-02 15:04:05"))}
	part := explain.PartVerdict
	for _, s := range sentences {
		text := words.Text(s)
		if s.Part != part {
			part = s.Part
			lines = append(lines, "", words["explain.part."+string(part)])
		}
		if s.Part != explain.PartVerdict {
			text = "  - " + text
		}
		lines = append(lines, text)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(out, term.Clean(line)); err != nil {
			return err
		}
	}
	return nil
}

// said is a sentence with its text.
type said struct {
	explain.Sentence

	Text string `json:"text"`
}

// explainJSON writes an explanation for tools.
func explainJSON(out io.Writer, f lookup.Found, words explain.Words, sentences []explain.Sentence) error {
	x := struct {
		Agent      string       `json:"agent,omitempty"`
		Journal    string       `json:"journal"`
		Seq        uint64       `json:"seq"`
		At         wire.Time    `json:"at"`
		Verdict    fact.Verdict `json:"verdict"`
		Replaces   uint64       `json:"replaces,omitempty"`
		ReplacedBy uint64       `json:"replaced_by,omitempty"`
		Sentences  []said       `json:"sentences"`
	}{f.Agent, f.JID, f.Seq, f.At, f.Passage.Verdict, f.Replaces, f.ReplacedBy, nil}
	for _, s := range sentences {
		x.Sentences = append(x.Sentences, said{s, words.Text(s)})
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(x)
}
