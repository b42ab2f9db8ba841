package rules

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/wire"
)

// mostHeld is how much is held in memory before it is stored, in bytes.
const mostHeld = 8 << 20

// compose makes the sets of all gates, and stores those that differ from the ones before.
// first: what was meant before is read, too.
func (p *Publisher) compose(ctx context.Context, now time.Time, first bool) error {
	file := p.opts.Rules.opts.File
	was, err := sets(ctx, file.Reader())
	if err != nil {
		return fmt.Errorf("read the sets of gates: %w", err)
	}
	w, err := p.opts.Rules.now(ctx)
	if err != nil {
		return err
	}
	var held []kept
	var errs []error
	size := 0
	flush := func() {
		if err := keep(ctx, file, held); err != nil {
			errs = append(errs, fmt.Errorf("keep the sets of gates: %w", err))
		} else {
			p.mean(held)
		}
		held, size = nil, 0
	}
	for _, name := range p.opts.Rules.opts.Sites.Agents() {
		if first {
			p.known(name, was[name])
		}
		k, made, err := p.make(ctx, w, name, was[name], now)
		p.note(name, err)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !made {
			continue
		}
		held = append(held, k)
		if size += len(k.sealed); size > mostHeld {
			flush()
		}
	}
	flush()
	return errors.Join(errs...)
}

// known takes over what was meant before this start.
func (p *Publisher) known(name string, m meant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.gates[name]
	g.meant, g.due = m, m.no != 0
}

// note notes why the set of a gate can't be made; nil: it can.
func (p *Publisher) note(name string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gates[name].fault = ""
	if err != nil {
		p.gates[name].fault = redact(err.Error())
	}
}

// mean makes stored sets those that are meant.
func (p *Publisher) mean(list []kept) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range list {
		g := p.gates[k.agent]
		g.meant, g.due, g.behind = k.meant, true, time.Time{}
	}
}

// make makes the set of a gate; made is false when it has none or the same as before.
func (p *Publisher) make(ctx context.Context, w *world, name string, was meant, now time.Time) (
	k kept, made bool, err error,
) {
	to, enrolled := p.opts.Enrolled.Recipient(name)
	p.mu.Lock()
	g := p.gates[name]
	g.enrolled = enrolled
	floor := g.floor
	p.mu.Unlock()
	if !enrolled || !w.of(name).whole() {
		return k, false, nil
	}
	names, keys, err := p.opts.Keys(name, now)
	if err != nil {
		return k, false, fmt.Errorf("the keys of %s: %w", name, err)
	}
	s, ok, err := w.set(ctx, name, names, keys)
	if err != nil || !ok {
		return k, false, err
	}
	vault := w.rules.key()
	if vault == nil {
		return k, false, ErrVault
	}
	m := meant{agent: name, version: s.label, at: now.UTC()}
	m.digest = vault.digest(append(s.texts(), []byte(to))...)
	if bytes.Equal(m.digest, was.digest) && floor <= was.no {
		return k, false, nil
	}
	m.no = max(was.no+1, floor+1, uint64(max(1, now.Unix())))
	if m.no > wire.MaxSeq {
		return k, false, fmt.Errorf("%s has the highest number that there is: enrol it again", name)
	}
	k, err = seal(p.opts.County, p.opts.Key, m, to, s.files)
	return k, err == nil, err
}
