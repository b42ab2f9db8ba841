package prove

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/county/command"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// commanded are faults while the county commands a gate. What is counted is how often the
// agent restarts.
func commanded() []Fault {
	return []Fault{{
		Row:  65,
		Name: "command-replayed",
		What: "somebody at the broker keeps a command to restart, and publishes it 1,000 times, and retained, before " +
			"and after the restart",
		Expect:  "the agent restarts once, its journal says so once, and the desk shows that it is done",
		prepare: attend(nil),
		inject:  replayCommand,
	}, {
		Row:     66,
		Name:    "killed-while-commanded",
		What:    "kill -9 of the collector when a command is on its way, and of the agent when it has just taken one",
		Expect:  "each is done at most once; the desk learns what became of each, or says that it is not known",
		prepare: attend(nil),
		inject:  killWhileCommanded,
	}}
}

// eavesdropper keeps the commands that pass the broker.
type eavesdropper struct {
	*mqtt.Client

	mu   sync.Mutex
	seen []mqtt.Message
}

func eavesdrop(r *rig) *eavesdropper {
	e := &eavesdropper{}
	e.Client = mqtt.New(mqtt.Config{URL: r.brokerURL, ClientID: "eavesdropper", Log: slog.New(slog.DiscardHandler),
		Subscriptions: []mqtt.Subscription{{Filter: wire.Root + "/+/+/" + string(wire.LeafCommand)}},
		OnMessage: func(m mqtt.Message) {
			e.mu.Lock()
			defer e.mu.Unlock()
			if len(e.seen) < 16 {
				e.seen = append(e.seen, m)
			}
		}})
	return e
}

// replay publishes what was seen, n times.
func (e *eavesdropper) replay(n int) error {
	e.mu.Lock()
	seen := slices.Clone(e.seen)
	e.mu.Unlock()
	if len(seen) < 2 {
		return fmt.Errorf("%d messages were seen, want one that asks and a command", len(seen))
	}
	for i := range n {
		for _, m := range seen {
			m.Retained = i == n-1
			if err := e.Publish(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// commands has the desk command the gate, and waits until it has sent that.
func (p *post) commands(ctx context.Context, action fact.CommandAction) error {
	r := command.Request{Agent: p.gate.ID, Action: action, Zh: "今晚封闭", Reason: "proof"}
	if action != fact.CommandNotice {
		r.Zh = ""
	}
	return p.clerk.Command(ctx, r)
}

// becomes waits until the desk says that the newest command has become one of want.
func (p *post) becomes(ctx context.Context, want ...command.State) (state command.State, err error) {
	_, ok := p.poll(ctx, 40*time.Second, func() bool {
		var list []command.Row
		if list, err = p.clerk.Commands(ctx, p.gate.ID); err != nil || len(list) == 0 {
			return false
		}
		state = list[0].State
		return slices.Contains(want, state)
	})
	if !ok {
		return state, fmt.Errorf("the command is %s at the desk, want %v: %w", state, want, err)
	}
	return state, nil
}

// keptCommands returns the outcomes that the gate's journal holds, by the ids of commands.
func (p *post) keptCommands() (map[string][]fact.CommandOutcome, error) {
	all, err := p.kept()
	out := map[string][]fact.CommandOutcome{}
	for _, b := range all {
		if a, is := b.(*wire.Audit); is && a.Command != nil {
			out[a.Command.ID] = append(out[a.Command.ID], a.Command.Outcome)
		}
	}
	return out, err
}

// replayCommand restarts the agent by a command that somebody publishes again.
func replayCommand(ctx context.Context, r *rig) error {
	p, err := r.atPost(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	e := eavesdrop(r)
	done := make(chan struct{})
	go func() { defer close(done); _ = e.Run(ctx) }() // ends with ctx only
	defer func() { cancel(); <-done }()
	p.wait(ctx, time.Second) // until it listens
	a := p.agents[len(p.agents)-1]
	if err := p.commands(ctx, fact.CommandRestart); err != nil {
		return err
	}
	if _, ok := p.poll(ctx, 20*time.Second, a.died); !ok {
		return errors.New("the agent does not end")
	}
	if err := e.replay(500); err != nil {
		return err
	}
	if err := a.start(); err != nil {
		return err
	}
	if err := p.back(ctx); err != nil {
		return err
	}
	if err := e.replay(500); err != nil {
		return err
	}
	if _, err := p.becomes(ctx, command.Done); err != nil {
		return err
	}
	p.wait(ctx, 3*time.Second)
	kept, err := p.keptCommands()
	if err != nil {
		return err
	}
	if a.died() || len(kept) != 1 {
		return fmt.Errorf("the agent has ended again: %v; its journal has %v", a.died(), kept)
	}
	for id, outcomes := range kept {
		if !slices.Equal(outcomes, []fact.CommandOutcome{fact.CommandDone}) {
			return fmt.Errorf("command %s: %v", id, outcomes)
		}
	}
	p.note("1,000 copies, one restart")
	return nil
}

// killWhileCommanded kills both ends of a command.
func killWhileCommanded(ctx context.Context, r *rig) error {
	p, err := r.atPost(ctx)
	if err != nil {
		return err
	}
	if err := p.commands(ctx, fact.CommandNotice); err != nil {
		return err
	}
	if err := r.restart(ctx, 300*time.Millisecond, r.collector); err != nil {
		return err
	}
	first, err := p.becomes(ctx, command.Done, command.Undelivered)
	if err != nil {
		return err
	}
	if err := p.commands(ctx, fact.CommandNotice); err != nil {
		return err
	}
	if err := p.killed(ctx); err != nil {
		return err
	}
	second, err := p.becomes(ctx, command.Done, command.Undelivered, command.Unknown, command.Refused)
	if err != nil {
		return err
	}
	kept, err := p.keptCommands()
	for id, outcomes := range kept {
		if len(outcomes) != 1 {
			return fmt.Errorf("command %s: %v", id, outcomes)
		}
	}
	p.note("collector killed: %s; agent killed: %s", first, second)
	return err
}
