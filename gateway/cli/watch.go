package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/cli/feed"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
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
prints is on its way to the store; an agent keeps it until it is there. Agents
that come online together are one line. watch fails when it can't reach the broker
at the start; a connection that is lost later it makes again.`,
		Example: "  gatehouse watch\n  gatehouse watch --alarms -o json | jq .",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return usageError{fmt.Errorf("-o %q: use text or json", output)}
			}
			p := term.New(c.OutOrStdout())
			shown := feed.New()
			var folded fold
			say := func(i feed.Item) error {
				line, style := i.Line(time.Now())
				return p.Line(p.Paint(style, line))
			}
			show := func(i feed.Item) error {
				switch {
				case alarmsOnly && i.What == "passage":
					return nil
				case output == "json":
					return json.NewEncoder(c.OutOrStdout()).Encode(i)
				case folded.take(time.Now(), i):
					return nil
				}
				return say(i)
			}
			tick := func() error {
				if i, ok := folded.tell(time.Now()); ok {
					return say(i)
				}
				return nil
			}
			return listen(c.Context(), &flags, c.ErrOrStderr(),
				[]wire.Leaf{wire.LeafRecords, wire.LeafStatus}, tick, func(m mqtt.Message) error {
					items, err := shown.Take(m.Topic, m.Payload, m.Retained)
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
only a heartbeat, which every agent sends each 10 s, shows that it lives. It fails
when it can't reach the broker.`,
		Example: "  gatehouse status\n  gatehouse status --wait 0s   # retained states only",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "table" && output != "json" {
				return usageError{fmt.Errorf("-o %q: use table or json", output)}
			}
			began := time.Now()
			ctx, cancel := context.WithTimeout(c.Context(), wait+2*time.Second)
			defer cancel()
			roll := presence.NewRoll()
			err := listen(ctx, &flags, c.ErrOrStderr(), []wire.Leaf{wire.LeafStatus, wire.LeafBeat}, nil, func(m mqtt.Message) error {
				if err := roll.Receive(time.Now(), m.Topic, m.Payload); err != nil {
					fmt.Fprintln(c.ErrOrStderr(), "gatehouse:", m.Topic+":", term.Clean(err.Error()))
				}
				return nil
			})
			if err != nil {
				return err
			}
			lines := roll.Agents(time.Now(), time.Since(began))
			if output == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(struct {
					Collector *wire.CollectorStatus `json:"collector"`
					Agents    []presence.Agent      `json:"agents"`
				}{roll.Collector(), lines})
			}
			return printRoll(term.New(c.OutOrStdout()), c.ErrOrStderr(), roll, lines)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	c.Flags().DurationVar(&wait, "wait", presence.SilentAfter, "how long to listen for heartbeats")
	flags.add(c)
	return c
}

func printRoll(p *term.Printer, errOut io.Writer, roll *presence.Roll, lines []presence.Agent) error {
	switch st := roll.Collector(); {
	case st == nil:
		fmt.Fprintln(errOut, "gatehouse: no collector has ever announced itself at this broker")
	case st.Fault != "":
		if err := p.Line(p.Paint(term.Danger, "collector "+string(st.State)+", NOT COMMITTING: "+term.Clean(st.Fault))); err != nil {
			return err
		}
	default:
		if err := p.Line(fmt.Sprintf("collector %s since %s, store %s, term %d", st.State, st.At, st.Store, st.Term)); err != nil {
			return err
		}
	}
	rows := make([][]string, 0, len(lines))
	counts := map[fact.LinkState]int{}
	for _, l := range lines {
		rows = append(rows, feed.StatusRow(l))
		counts[l.State]++
	}
	if err := p.Table(feed.StatusHeader(), rows); err != nil {
		return err
	}
	return p.Line(fmt.Sprintf("%d agents: %d online, %d silent, %d offline", len(lines),
		counts[fact.Online], counts[fact.Silent], counts[fact.Offline]))
}

// unreachable says that a broker can't be reached, and what to look at.
func (f *brokerFlags) unreachable(err error) error {
	return fmt.Errorf("the broker can't be reached: %w\nis gatehouse collect (or the broker) running there? "+
		"check --broker %s, and --username, --password-file and --ca if it asks for them", err, f.b.URL)
}

// listen calls take with every message on the given leaves and tick, unless it
// is nil, several times a second, both in this goroutine, until ctx ends or one
// of them fails. It fails when the first connection can't be made.
func listen(ctx context.Context, flags *brokerFlags, errOut io.Writer, leaves []wire.Leaf,
	tick func() error, take func(mqtt.Message) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages := make(chan mqtt.Message, 256)
	up, failed := make(chan struct{}), make(chan error, 1)
	cfg := mqtt.Config{
		ClientID: fmt.Sprintf("watch-%d-%d", os.Getpid(), time.Now().UnixNano()%1e6),
		OnUp:     sync.OnceFunc(func() { close(up) }),
		OnDown: func(err error) {
			if ctx.Err() == nil {
				fmt.Fprintln(errOut, "gatehouse: the connection to the broker ended and is made again:", err)
			}
		},
		OnFail: func(err error) {
			select {
			case failed <- err:
			default:
			}
		},
		OnMessage: func(m mqtt.Message) {
			select {
			case messages <- m:
			case <-ctx.Done():
			}
		},
		Log: slog.New(slog.DiscardHandler), // failures are told below and above
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
	select {
	case <-up:
	case err := <-failed:
		return flags.unreachable(err)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return flags.unreachable(ctx.Err())
		}
		return nil
	}
	ticks := time.NewTicker(foldFor / 4)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
			if tick == nil {
				continue
			}
			if err := tick(); err != nil {
				return err
			}
		case m := <-messages:
			if err := take(m); err != nil {
				return err
			}
		}
	}
}
