package rules

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// send publishes what is due, to some gates at the same time.
func (p *Publisher) send(ctx context.Context) error {
	now := p.opts.Now()
	p.mu.Lock()
	sender, silent := p.sender, p.silent
	var due []meant
	for _, g := range p.gates {
		again := g.replaced && now.Sub(g.sent).Abs() >= repeatAfter
		if g.meant.no != 0 && (g.due || again) {
			due = append(due, g.meant)
		}
	}
	p.mu.Unlock()
	if sender == nil || silent || len(due) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan meant)
	failed := make(chan error, atOnce)
	var workers sync.WaitGroup
	for range min(atOnce, len(due)) {
		workers.Go(func() {
			for m := range queue {
				if err := p.sendOne(ctx, sender, m); err != nil {
					failed <- err
					cancel() // the broker is gone or slow: all are tried again
					return
				}
			}
		})
	}
	for _, m := range due {
		select {
		case queue <- m:
		case <-ctx.Done():
		}
	}
	close(queue)
	workers.Wait()
	close(failed)
	return <-failed // nil when there is none
}

// sendOne publishes the set of a gate: its parts, then the manifest. Then it clears the parts
// of those before.
func (p *Publisher) sendOne(ctx context.Context, by Sender, m meant) error {
	file := p.opts.Rules.opts.File
	all, err := parts(ctx, file.Reader(), m)
	if errors.Is(err, ErrGone) {
		return nil // a later set has replaced it meanwhile
	}
	if err != nil {
		return fmt.Errorf("read the set of %s: %w", m.agent, err)
	}
	before, err := formers(ctx, file.Reader(), m.agent, m.no)
	if err != nil {
		return fmt.Errorf("read the sets of %s: %w", m.agent, err)
	}
	for n, part := range all {
		if err := p.publish(ctx, by, wire.PartTopic(p.opts.County, m.agent, m.no, n), part); err != nil {
			return err
		}
	}
	if err := p.publish(ctx, by, wire.Topic(p.opts.County, m.agent, wire.LeafPolicy), m.manifest); err != nil {
		return err
	}
	for _, f := range before {
		for n := range f.parts {
			if err := p.publish(ctx, by, wire.PartTopic(p.opts.County, m.agent, f.no, n), nil); err != nil {
				return err
			}
		}
	}
	if !m.published || len(before) > 0 {
		if err := done(ctx, file, m, p.opts.Now()); err != nil {
			return fmt.Errorf("note that the set of %s is published: %w", m.agent, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if g := p.gates[m.agent]; g.meant.no == m.no {
		g.due, g.replaced, g.sent, g.meant.published = false, false, p.opts.Now(), true
	}
	return nil
}

var errSlow = errors.New("the broker does not acknowledge what is published")

// publish returns when the broker has a retained message.
func (p *Publisher) publish(ctx context.Context, by Sender, topic string, payload []byte) error {
	taken := make(chan struct{})
	err := by.PublishThen(mqtt.Message{Topic: topic, Payload: payload, QoS: 1, Retained: true},
		func() { close(taken) })
	if err != nil {
		return fmt.Errorf("publish rules: %w", err)
	}
	late := time.NewTimer(ackWithin)
	defer late.Stop()
	select {
	case <-taken:
		return nil
	case <-late.C:
		return errSlow
	case <-ctx.Done():
		return ctx.Err()
	}
}
