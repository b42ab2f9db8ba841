// Package ruleset takes the sets of rules that the county publishes for this gate: it asks
// for the parts that a signed manifest names, a few at a time, opens and keeps a set that is
// whole, and hands it over.
package ruleset

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/wire"
)

const (
	window     = 4                // parts that are asked for at a time: 384 KiB
	askAgain   = 10 * time.Second // a part that has not come
	missingFor = time.Minute      // after which it is said that parts do not come
	tryAgain   = time.Minute      // a set that could not be kept or opened, by no fault of its own
	tickEvery  = time.Second
)

// Line subscribes at the broker. Both return an error while there is no connection; the
// subscriptions end with it.
type Line interface {
	Subscribe(filter string) error
	Unsubscribe(filter string) error
}

// Options of a Receiver.
type Options struct {
	Gate      rulebook.Gate
	Collector ed25519.PublicKey
	Secret    func() (string, error) // of the recipient that sets are encrypted to
	File      string                 // where the set in force is kept
	Line      Line
	// Prepare checks a set, and returns how it is put into force: apply, which is called when
	// the set is kept, and waits until it is in force. Both run in Run's goroutine.
	Prepare func(Set) (apply func(context.Context) error, err error)
	Board   *status.Board
	Clock   clock.Source
	Log     *slog.Logger
}

// Receiver takes sets. Make it with New, and run it with Run.
type Receiver struct {
	opts      Options
	manifests chan []byte // the newest
	parts     chan part

	force   Set    // No is 0 where none is in force
	refused string // sig of the manifest that was refused last
	getting *getting
	failed  time.Duration // boot clock: when it was tried last to keep or open a set
}

// A set larger than large, in bytes as it is published, is read with largeGC as the percentage
// of debug.SetGCPercent, and what it took is given back at once: with 60,000 people it took
// 136 MB otherwise, on computers that have little.
const (
	large   = 256 << 10
	largeGC = 10
)

// part is a message on the topic of a part.
type part struct {
	no   uint64
	n    int
	body []byte
}

// getting is a set of which parts are missing.
type getting struct {
	manifest wire.Manifest
	parts    [][]byte
	since    time.Duration         // boot clock
	asked    map[int]time.Duration // boot clock, by part
}

// New returns a receiver at a gate with a set in force; its No is 0 where there is none.
func New(opts Options, force Set) *Receiver {
	return &Receiver{opts: opts, manifests: make(chan []byte, 1), parts: make(chan part, 2*window), force: force}
}

// Hear takes what was published on the agent's topic of rules, or below it. It does not wait:
// of manifests only the newest is kept, and a part for which there is no room comes again.
func (r *Receiver) Hear(topic string, payload []byte) {
	if topic == wire.Topic(r.opts.Gate.County, r.opts.Gate.Agent, wire.LeafPolicy) {
		for {
			select {
			case r.manifests <- payload:
				return
			default:
			}
			select {
			case <-r.manifests:
			default:
			}
		}
	}
	county, agent, no, n, ok := wire.ParsePartTopic(topic)
	if !ok || county != r.opts.Gate.County || agent != r.opts.Gate.Agent || len(payload) > wire.MaxPartBytes {
		return
	}
	select {
	case r.parts <- part{no, n, payload}:
	default:
	}
}

// Run takes sets until ctx ends.
func (r *Receiver) Run(ctx context.Context) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case payload := <-r.manifests:
			r.manifest(r.opts.Clock.Now(), payload)
		case p := <-r.parts:
			r.part(p)
		case <-tick.C:
		}
		now := r.opts.Clock.Now()
		r.ask(now)
		r.finish(ctx, now)
	}
}

// errOther means that the county has given one number to two sets.
var errOther = errors.New("it has the number of the set in force, and is another one: publish it with a higher number")

// manifest takes what was published on the topic of rules.
func (r *Receiver) manifest(now clock.Moment, payload []byte) {
	if len(payload) == 0 {
		return // cleared: what is in force stays
	}
	m, err := r.opts.Gate.Read(payload, r.opts.Collector, r.force.No)
	switch {
	case errors.Is(err, rulebook.ErrUnsigned):
		r.refuse(rulebook.ErrUnsigned) // without what a stranger has written
	case err != nil:
		r.refuse(err)
	case m.No == r.force.No && m.Sig != r.force.sig:
		r.refuse(fmt.Errorf("set %d: %w", m.No, errOther))
	case m.No == r.force.No:
		r.getting = nil
		r.accept()
	case m.Sig == r.refused:
	case r.getting != nil && r.getting.manifest.Sig == m.Sig:
		clear(r.getting.asked) // the connection is another one
	case r.getting != nil && r.getting.manifest.No > m.No:
		r.refuse(fmt.Errorf("%w: set %d came after set %d", rulebook.ErrOlder, m.No, r.getting.manifest.No))
	default:
		r.drop()
		r.failed = 0
		r.getting = &getting{manifest: m, parts: make([][]byte, len(m.Parts)), since: now.Boot,
			asked: map[int]time.Duration{}}
	}
}

// drop ends the subscriptions to the parts that are asked for.
func (r *Receiver) drop() {
	if g := r.getting; g != nil {
		for n := range g.asked {
			r.end(g.manifest.No, n)
		}
	}
	r.getting = nil
}

// end ends the subscription to a part. Without a connection it has ended.
func (r *Receiver) end(no uint64, n int) {
	if err := r.opts.Line.Unsubscribe(r.topic(no, n)); err != nil {
		r.opts.Log.Debug("a subscription to a part of the rules does not end", "err", err)
	}
}

func (r *Receiver) topic(no uint64, n int) string {
	return wire.PartTopic(r.opts.Gate.County, r.opts.Gate.Agent, no, n)
}

// part takes a part.
func (r *Receiver) part(p part) {
	g := r.getting
	if g == nil || p.no != g.manifest.No || len(p.body) == 0 {
		return
	}
	if err := g.manifest.CheckPart(p.n, p.body); err != nil {
		r.opts.Log.Warn("a part of the rules is refused, and asked for again", "err", err)
		return
	}
	if g.parts[p.n] == nil {
		g.parts[p.n] = p.body
		delete(g.asked, p.n)
		r.end(p.no, p.n)
	}
}

// missing returns how many parts have not come.
func (g *getting) missing() (n int) {
	for _, p := range g.parts {
		if p == nil {
			n++
		}
	}
	return n
}

// ask asks for the next parts, and again for those that have not come.
func (r *Receiver) ask(now clock.Moment) {
	g := r.getting
	if g == nil || g.missing() == 0 {
		return
	}
	if now.Boot-g.since >= missingFor {
		r.say(fmt.Sprintf("not all parts of set %d (%s) come: they are asked for again. "+
			"Does the county publish it, and may this agent receive %s/#?", g.manifest.No, g.manifest.Version,
			wire.Topic(r.opts.Gate.County, r.opts.Gate.Agent, wire.LeafPolicy)))
	}
	for n, p := range g.parts {
		at, asked := g.asked[n]
		if p != nil || asked && now.Boot-at < askAgain || !asked && len(g.asked) >= window {
			continue
		}
		if asked {
			r.end(g.manifest.No, n)
		}
		if err := r.opts.Line.Subscribe(r.topic(g.manifest.No, n)); err != nil {
			r.opts.Log.Debug("a part of the rules can't be asked for now", "err", err)
			return
		}
		g.asked[n] = now.Boot
	}
}

// finish puts a set into force of which all parts are there.
func (r *Receiver) finish(ctx context.Context, now clock.Moment) {
	g := r.getting
	if g == nil || g.missing() > 0 || r.failed != 0 && now.Boot-r.failed < tryAgain {
		return
	}
	m := g.manifest
	if m.Size > large {
		defer debug.FreeOSMemory()
		defer debug.SetGCPercent(debug.SetGCPercent(largeGC))
	}
	name := fmt.Sprintf("set %d (%s)", m.No, m.Version)
	secret, err := r.opts.Secret()
	if err != nil {
		r.later(now, fmt.Errorf("%s: %w", name, err))
		return
	}
	files, err := rulebook.Open(m, g.parts, secret)
	if errors.Is(err, rulebook.ErrNotToOpen) {
		r.later(now, fmt.Errorf("%s: %w", name, err))
		return
	}
	set := Set{No: m.No, Version: m.Version, Files: files, sig: m.Sig}
	var apply func(context.Context) error
	if err == nil {
		apply, err = r.opts.Prepare(set)
	}
	if err != nil {
		r.getting, r.refused = nil, m.Sig
		r.refuse(fmt.Errorf("%s: %w", name, err))
		return
	}
	if err := (kept{m, g.parts}).save(r.opts.File); err != nil {
		r.later(now, fmt.Errorf("%s can't be kept on this disk: %w", name, err))
		return
	}
	r.getting, r.force = nil, Set{No: set.No, Version: set.Version, sig: set.sig}
	if err := apply(ctx); err != nil {
		r.opts.Log.Warn("the county's new rules are kept, and come into force at the next start",
			"no", m.No, "err", err)
		return
	}
	r.opts.Log.Info("the county's rules are in force", "no", m.No, "version", m.Version)
	r.accept()
}
