package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/cli/feed"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/explain"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/term"
	"gatehouse/gateway/web"
	"gatehouse/gateway/wire"
)

// watcher prints what watch receives.
type watcher struct {
	c          *cobra.Command
	out        *term.Printer
	json       bool
	alarmsOnly bool
	words      explain.Words
	shown      *feed.Feed
	folded     fold
}

func watchCommand() *cobra.Command {
	var flags brokerFlags
	var lang string
	var out output
	var alarmsOnly bool
	c := &cobra.Command{
		Use:   "watch",
		Short: "Print passages, alarms and disinfection runs of the county as they happen",
		Long: `watch receives from the broker and prints each passage, alarm and disinfection run
once. They may not be stored yet; agents keep them until they are. Agents that come
online together are one line. Why somebody may not pass is said in the words of gatehouse
explain; with -o jsonl, a JSON
object a line, it is the codes of the reasons. watch fails when it can't reach the broker at the
start; when a connection is lost later, it connects again.`,
		Example: "  gatehouse watch\n  gatehouse watch --lang zh\n  gatehouse watch --alarms -o jsonl | jq .",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			words, err := web.Words(lang)
			if err != nil {
				return usageError{fmt.Errorf("--lang: %w", err)}
			}
			w := &watcher{c: c, out: term.New(c.OutOrStdout()), json: out.is(asJSONL), alarmsOnly: alarmsOnly,
				words: words, shown: feed.New()}
			leaves := []wire.Leaf{wire.LeafRecords, wire.LeafStatus}
			return listen(c.Context(), &flags, c.ErrOrStderr(), leaves, w.tick, w.take)
		},
	}
	out.add(c, asTable, asJSONL)
	c.Flags().StringVar(&lang, "lang", "en", "language of the words: zh or en")
	c.Flags().BoolVar(&alarmsOnly, "alarms", false, "do not print passages")
	flags.add(c)
	return c
}

func (w *watcher) take(m mqtt.Message) error {
	items, err := w.shown.Take(m.Topic, m.Payload, m.Retained)
	if err != nil {
		fmt.Fprintln(w.c.ErrOrStderr(), "gatehouse:", m.Topic+":", term.Clean(err.Error()))
		return nil
	}
	for _, i := range items {
		if err := w.show(i); err != nil {
			return err
		}
	}
	return nil
}

func (w *watcher) show(i feed.Item) error {
	switch {
	case w.alarmsOnly && i.What == "passage":
		return nil
	case w.json:
		return json.NewEncoder(w.c.OutOrStdout()).Encode(i)
	case w.folded.take(time.Now(), i):
		return nil
	}
	return w.print(i)
}

func (w *watcher) tick() error {
	if i, ok := w.folded.next(time.Now()); ok {
		return w.print(i)
	}
	return nil
}

func (w *watcher) print(i feed.Item) error {
	line, style := i.Line(time.Now(), w.words)
	return w.out.Line(w.out.Paint(style, line))
}

func statusCommand() *cobra.Command {
	var flags brokerFlags
	var out output
	var wait time.Duration
	c := &cobra.Command{
		Use:   "status",
		Short: "Show which agents are alive, their backlog and devices",
		Long: `status receives from the broker for a while: a retained "online" can be out of date,
and only a heartbeat, which every agent sends every 10 s, shows that it is alive. It
prints the problems and warnings of the collector and of the agents, as their own
probes say them; deploy/HEALTH.md says what to try. It fails when it can't reach the
broker.`,
		Example: "  gatehouse status\n  gatehouse status --wait 0s   # retained states only",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			began := time.Now()
			ctx, cancel := context.WithTimeout(c.Context(), wait+2*time.Second)
			defer cancel()
			roll := presence.NewRoll()
			leaves := []wire.Leaf{wire.LeafStatus, wire.LeafBeat}
			err := listen(ctx, &flags, c.ErrOrStderr(), leaves, nil, func(m mqtt.Message) error {
				if err := roll.Receive(time.Now(), m.Topic, m.Payload); err != nil {
					fmt.Fprintln(c.ErrOrStderr(), "gatehouse:", m.Topic+":", term.Clean(err.Error()))
				}
				return nil
			})
			if err != nil {
				return err
			}
			lines := roll.Agents(time.Now(), time.Since(began))
			if out.is(asJSON) {
				return document(c.OutOrStdout(), struct {
					Collector *wire.CollectorStatus `json:"collector"`
					Agents    []presence.Agent      `json:"agents"`
				}{roll.Collector(), lines})
			}
			return printRoll(term.New(c.OutOrStdout()), c.ErrOrStderr(), roll, lines)
		},
	}
	out.add(c)
	c.Flags().DurationVar(&wait, "wait", presence.SilentAfter, "how long to wait for heartbeats")
	flags.add(c)
	return c
}

// trouble returns a trouble as a line.
func trouble(t wire.Trouble) string {
	level := "warning"
	if t.Problem {
		level = "PROBLEM"
	}
	since := ""
	if t.Since != nil {
		since = " (since " + t.Since.UTC().Format(time.RFC3339) + ")"
	}
	return term.Clean(fmt.Sprintf("%s %s: %s%s", level, t.Kind, t.Text, since))
}

func printRoll(p *term.Printer, errOut io.Writer, roll *presence.Roll, lines []presence.Agent) error {
	switch st := roll.Collector(); {
	case st == nil:
		fmt.Fprintln(errOut, "gatehouse: no collector has ever connected to this broker")
	case st.Fault != "":
		line := "collector " + string(st.State) + ", NOT COMMITTING: " + term.Clean(st.Fault)
		if err := p.Line(p.Paint(term.Danger, line)); err != nil {
			return err
		}
	default:
		line := fmt.Sprintf("collector %s since %s, store %s, term %d", st.State, st.At, st.Store, st.Term)
		if err := p.Line(line); err != nil {
			return err
		}
	}
	var said []string // troubles of agents
	if st := roll.Collector(); st != nil {
		for _, t := range wire.Bounded(st.Troubles) {
			if err := p.Line("collector: " + trouble(t)); err != nil {
				return err
			}
		}
	}
	rows := make([][]string, 0, len(lines))
	counts := map[fact.LinkState]int{}
	for _, l := range lines {
		rows = append(rows, feed.StatusRow(l))
		for _, t := range l.Troubles {
			said = append(said, l.Agent+": "+trouble(t))
		}
		counts[l.State]++
	}
	if err := p.Table(feed.StatusHeader(), rows); err != nil {
		return err
	}
	for _, line := range said {
		if err := p.Line(line); err != nil {
			return err
		}
	}
	return p.Line(fmt.Sprintf("%d agents: %d online, %d silent, %d offline", len(lines),
		counts[fact.Online], counts[fact.Silent], counts[fact.Offline]))
}
