package rules

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Sender sends messages: an MQTT client of its own, so that a slow broker delays nothing else.
type Sender interface {
	// PublishThen calls taken when the broker has the message.
	PublishThen(m mqtt.Message, taken func()) error
}

// Enrolled knows to whom (age) the rules of a gate are encrypted.
type Enrolled interface {
	Recipient(gate string) (to string, ok bool)
	// Changed returns a channel that is closed at the next change.
	Changed() <-chan struct{}
}

// PublisherOptions are those of NewPublisher.
type PublisherOptions struct {
	County   string
	Key      ed25519.PrivateKey
	Rules    *Rules
	Enrolled Enrolled
	Keys     Keys
	Now      func() time.Time
	Log      *slog.Logger
}

const (
	lookEvery   = time.Second      // how often it is looked whether other rules are in force
	keysEvery   = time.Minute      // how often it is looked whether a gate has other keys
	repeatAfter = 5 * time.Second  // what somebody has replaced at the broker is published again so soon
	ackWithin   = 20 * time.Second // a broker that takes longer is tried again
	atOnce      = 8                // gates that are published to at the same time
)

// Publisher makes the sets of the county's gates and publishes them. Run is for one
// goroutine, the other methods for any.
type Publisher struct {
	opts PublisherOptions

	mu     sync.Mutex // guards what follows
	sender Sender     // nil: not yet
	silent bool       // another collector has taken over
	gates  map[string]*gate
	woken  chan struct{} // holds one when there is something to do
	fault  string        // why no set can be made for some gate; empty: none
}

// gate is what is known of a gate.
type gate struct {
	meant    meant     // the zero value: nothing
	due      bool      // it is to be published
	sent     time.Time // when it last was
	replaced bool      // the broker has another manifest
	floor    uint64    // the highest number that was heard of
	fault    string    // why its set can't be made
	enrolled bool
	said     Said
	behind   time.Time // since when it lives and has another set than is meant; zero: it has not
}

// NewPublisher returns a publisher, which Run runs.
func NewPublisher(opts PublisherOptions) *Publisher {
	p := &Publisher{opts: opts, gates: map[string]*gate{}, woken: make(chan struct{}, 1)}
	for _, name := range opts.Rules.opts.Sites.Agents() {
		p.gates[name] = &gate{}
	}
	return p
}

// By gives the publisher what sends.
func (p *Publisher) By(s Sender) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sender = s
}

// Up publishes everything again: the connection was made, and a broker may have lost what it
// kept. Gates take no set that they have.
func (p *Publisher) Up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.gates {
		g.due = g.meant.no != 0
	}
	p.wake()
}

// Silence publishes nothing more: another collector has taken over.
func (p *Publisher) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = true
}

// wake makes Run look at once.
func (p *Publisher) wake() {
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

// Heard takes a manifest that is at the broker. One that is not the county's last is replaced.
// One of the county with a higher number, of before the desk's file was lost, is followed by
// one above it.
func (p *Publisher) Heard(agent string, payload []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.gates[agent]
	if g == nil || len(payload) > wire.MaxManifestBytes {
		return
	}
	if g.replaced = string(payload) != string(g.meant.manifest); !g.replaced {
		return
	}
	m, err := wire.Decode[wire.Manifest](payload)
	public, _ := p.opts.Key.Public().(ed25519.PublicKey)
	if err == nil && m.Check() == nil && wire.VerifyManifest(m, p.opts.County, agent, public) == nil {
		g.floor = max(g.floor, m.No)
	}
}

// Run makes and publishes sets until ctx ends. What fails is tried again.
func (p *Publisher) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var l look
	for {
		changed := p.opts.Enrolled.Changed() // before it is looked
		if err := p.look(ctx, &l); err != nil && ctx.Err() == nil {
			p.complain(err)
		}
		if err := p.send(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, mqtt.ErrOffline) {
			p.opts.Log.Warn("rules were not published; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
			l.stale = true
		case <-p.woken:
		case <-tick.C:
		}
	}
}

// look is what Run has seen.
type look struct {
	force map[Key]int64
	keys  time.Time // when the keys of gates were looked at
	stale bool      // something else has changed
}

// complain logs why sets can't be made, once.
func (p *Publisher) complain(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text := redact(err.Error()); text != p.fault {
		p.fault = text
		p.opts.Log.Error("the rules of gates can't be made; they keep what they have", "err", text)
	}
}

// look makes new sets when something has changed.
func (p *Publisher) look(ctx context.Context, l *look) error {
	force, err := inForce(ctx, p.opts.Rules.opts.File.Reader())
	if err != nil {
		return err
	}
	now := p.opts.Now()
	first := l.force == nil
	age := now.Sub(l.keys).Abs()
	if !first && !l.stale && maps.Equal(force, l.force) && age < keysEvery && (age < repeatAfter || !p.overtaken()) {
		return nil
	}
	err = p.compose(ctx, now, first)
	l.force, l.keys, l.stale = force, now, false
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = ""
	return nil
}

// overtaken reports whether a higher number than that of its set was heard of a gate.
func (p *Publisher) overtaken() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.gates {
		if g.meant.no != 0 && g.floor > g.meant.no {
			return true
		}
	}
	return false
}
