package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/watch"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/term"
	"gatehouse/gateway/wire"
)

func watchCommand() *cobra.Command {
	var flags brokerFlags
	var output string
	var alarmsOnly bool
	c := &cobra.Command{
		Use:   "watch",
		Short: "Print passages, alarms and disinfection runs of the county as they happen",
		Long: `watch listens at the broker and prints each passage, alarm and disinfection
run once. What it
prints is on its way to the store; an agent keeps it until it is there.`,
		Example: "  gatehouse watch\n  gatehouse watch --alarms -o json | jq .",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return usageError{fmt.Errorf("-o %q: use text or json", output)}
			}
			p := term.New(c.OutOrStdout())
			feed := watch.NewFeed()
			show := func(i watch.Item) error {
				if alarmsOnly && i.What == "passage" {
					return nil
				}
				if output == "json" {
					return json.NewEncoder(c.OutOrStdout()).Encode(i)
				}
				line, style := i.Line(time.Now())
				return p.Line(p.Paint(style, line))
			}
			return listen(c.Context(), &flags, c.ErrOrStderr(),
				[]wire.Leaf{wire.LeafRecords, wire.LeafStatus}, func(m mqtt.Message) error {
					items, err := feed.Take(m.Topic, m.Payload, m.Retained)
					if err != nil {
						fmt.Fprintln(c.ErrOrStderr(), "gatehouse:", m.Topic+":", term.Clean(err.Error()))
						return nil
					}
					for _, i := range items {
						if err := show(i); err != nil {
							return err
						}
					}
					return nil
				})
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json (one object a line)")
	c.Flags().BoolVar(&alarmsOnly, "alarms", false, "leave passages out")
	flags.add(c)
	return c
}

func statusCommand() *cobra.Command {
	var flags brokerFlags
	var output string
	var wait time.Duration
	c := &cobra.Command{
		Use:   "status",
		Short: "Show which gates live, their backlog and devices",
		Long: `status listens at the broker for a while, because a retained "online" can lie:
only a heartbeat, which every agent sends each 10 s, shows that it lives.`,
		Example: "  gatehouse status\n  gatehouse status --wait 0s   # retained states only",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return usageError{fmt.Errorf("-o %q: use table or json", output)}
			}
			began := time.Now()
			ctx, cancel := context.WithTimeout(c.Context(), wait+2*time.Second)
			defer cancel()
			roll := watch.NewRoll()
			err := listen(ctx, &flags, c.ErrOrStderr(), []wire.Leaf{wire.LeafStatus, wire.LeafBeat}, func(m mqtt.Message) error {
				if err := roll.Take(time.Now(), m.Topic, m.Payload); err != nil {
					fmt.Fprintln(c.ErrOrStderr(), "gatehouse:", m.Topic+":", term.Clean(err.Error()))
				}
				return nil
			})
			if err != nil {
				return err
			}
			lines := roll.Lines(time.Now(), time.Since(began))
			if output == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(struct {
					Collector *wire.CollectorStatus `json:"collector"`
					Agents    []watch.Line          `json:"agents"`
				}{roll.Collector, lines})
			}
			return printRoll(term.New(c.OutOrStdout()), roll, lines)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	c.Flags().DurationVar(&wait, "wait", watch.SilentAfter, "how long to listen for heartbeats")
	flags.add(c)
	return c
}

func printRoll(p *term.Printer, roll *watch.Roll, lines []watch.Line) error {
	switch st := roll.Collector; {
	case st == nil:
		fmt.Fprintln(os.Stderr, "gatehouse: no collector has ever announced itself at this broker")
	case st.Fault != "":
		if err := p.Line(p.Paint(term.Danger, "collector "+st.State+", NOT COMMITTING: "+term.Clean(st.Fault))); err != nil {
			return err
		}
	default:
		if err := p.Line(fmt.Sprintf("collector %s since %s, store %s, term %d", st.State, st.At, st.Store, st.Term)); err != nil {
			return err
		}
	}
	rows := make([][]string, 0, len(lines))
	counts := map[string]int{}
	for _, l := range lines {
		rows = append(rows, l.Row())
		counts[l.State]++
	}
	if err := p.Table(watch.RowHeader, rows); err != nil {
		return err
	}
	return p.Line(fmt.Sprintf("%d agents: %d online, %d silent, %d offline", len(lines),
		counts[wire.StateOnline], counts["silent"], counts[wire.StateOffline]))
}

// listen calls take, in one goroutine, with every message on the given leaves
// until ctx ends or take fails.
func listen(ctx context.Context, flags *brokerFlags, errOut io.Writer, leaves []wire.Leaf, take func(mqtt.Message) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages := make(chan mqtt.Message, 256)
	cfg := mqtt.Config{
		ClientID: fmt.Sprintf("watch-%d-%d", os.Getpid(), time.Now().UnixNano()%1e6),
		OnUp:     func() {},
		OnDown:   func(error) {},
		OnMessage: func(m mqtt.Message) {
			select {
			case messages <- m:
			case <-ctx.Done():
			}
		},
		Log: slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	for _, leaf := range leaves {
		cfg.Subscriptions = append(cfg.Subscriptions, mqtt.Subscription{Filter: wire.Root + "/" + flags.level() + "/+/" + string(leaf)})
	}
	if err := flags.b.Load(&cfg); err != nil {
		return usageError{err}
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = mqtt.New(cfg).Run(ctx) }() // ends with ctx only
	defer func() { cancel(); <-done }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-messages:
			if err := take(m); err != nil {
				return err
			}
		}
	}
}
