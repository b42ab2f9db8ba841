package fleet

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/edge/ruleset"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/site"
	"gatehouse/gateway/wire"
)

const ruledGates = 184

const (
	gatePolicy = "version: \"%d\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}\n" +
		"classes:\n  resident: {fever: go-home, directions: [in, out]}\n"
	rosterHead = "card,class,status,household,from,until,gate\n"
)

// ruledGate is the part of a gate that takes rules: the receiver that gates run, on a
// connection of its own.
type ruledGate struct {
	name, secret, dir string

	mu      sync.Mutex // guards what follows
	version string     // of the policy in force
	people  int        // that its roster lists
}

// prepare reads a set as a gate does, by its pseudonym key.
func (g *ruledGate) prepare(s ruleset.Set) (func(context.Context) error, error) {
	p, err := policy.Parse(s.File(rulebook.PolicyFile))
	if err != nil {
		return nil, err
	}
	key, err := identity.ParseRing(s.File(rulebook.KeysFile))
	if err != nil {
		return nil, err
	}
	r, err := policy.ParseRosterText(p, s.File(rulebook.RosterFile), key.Named(time.Now()))
	return func(context.Context) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.version, g.people = p.Version, r.People()
		return nil
	}, err
}

// run runs the gate until ctx ends.
func (g *ruledGate) run(ctx context.Context, at mqtt.Broker, key ed25519.PublicKey) error {
	gate := rulebook.Gate{County: "qinghe", Agent: g.name}
	file := filepath.Join(g.dir, "rules")
	kept, err := ruleset.Load(file, gate, key, g.secret)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	var receiver *ruleset.Receiver
	cfg := mqtt.Config{
		ClientID:      g.name,
		Log:           log,
		OnMessage:     func(m mqtt.Message) { receiver.Hear(m.Topic, m.Payload) },
		Subscriptions: []mqtt.Subscription{{Filter: wire.Topic("qinghe", g.name, wire.LeafPolicy), QoS: 1}},
	}
	if err := at.Load(&cfg); err != nil {
		return err
	}
	client := mqtt.New(cfg)
	receiver = ruleset.New(ruleset.Options{Gate: gate, Collector: key, File: file, Line: client, Prepare: g.prepare,
		Secret: func() (string, error) { return g.secret, nil }, Board: status.NewBoard(), Clock: clock.System{},
		Log: log}, kept)
	var receiving sync.WaitGroup
	defer receiving.Wait()
	receiving.Go(func() { receiver.Run(ctx) })
	return client.Run(ctx)
}

// has reports whether the gate decides by a policy, with only its own people.
func (g *ruledGate) has(version string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.version == version && g.people == 2
}

// ruled is a county that gives its gates their rules.
type ruled struct {
	t      *testing.T
	rules  *rules.Rules
	key    ed25519.PrivateKey
	site   identity.Ring
	gates  []*ruledGate
	broker mqtt.Broker
}

// Recipient implements rules.Enrolled.
func (c *ruled) Recipient(name string) (string, bool) {
	for _, g := range c.gates {
		if g.name == name {
			to, err := sealed.Recipient(g.secret)
			return to, err == nil
		}
	}
	return "", false
}

// Changed implements rules.Enrolled.
func (c *ruled) Changed() <-chan struct{} { return nil }

func (c *ruled) fatal(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// newRuled makes the county; nothing runs yet but its broker.
func newRuled(t *testing.T) *ruled {
	t.Helper()
	c := &ruled{t: t, key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)),
		site: identity.NewRing(identity.NewKey([]byte(strings.Repeat("k", 32)), time.Time{}, time.Time{}))}
	dir, names := t.TempDir(), []string{}
	for i := range ruledGates {
		secret, _, err := sealed.NewKey()
		c.fatal(err)
		g := &ruledGate{name: fmt.Sprintf("gate-%03d", i+1), secret: secret, dir: t.TempDir()}
		c.gates, names = append(c.gates, g), append(names, g.name)
	}
	tree, err := site.Parse([]byte("county: qinghe\nname: x\ncrs: WGS-84\ncommunities: [{id: c, name: x, grids: " +
		"[{id: g, name: x, compounds: [{id: k, name: x, gates: [" + strings.Join(names, ", ") + "]}]}]}]\n"))
	c.fatal(err)
	file, err := db.Open(filepath.Join(dir, "desk.db"), rules.Schema+audit.Schema)
	c.fatal(err)
	log := slog.New(slog.DiscardHandler)
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0", Dir: filepath.Join(dir, "broker"),
		County: "qinghe"}, log)
	c.fatal(err)
	t.Cleanup(func() { _, _ = b.Close(), file.Close() })
	c.broker = b.Client()
	c.rules = rules.New(rules.Options{File: file, Sites: tree, Dir: filepath.Join(dir, "ca"), Zone: time.UTC,
		Now: time.Now, Log: log})
	return c
}

// publish runs what publishes rules until ctx ends.
func (c *ruled) publish(run func(func(context.Context) error)) {
	c.t.Helper()
	log := slog.New(slog.DiscardHandler)
	p := rules.NewPublisher(rules.PublisherOptions{County: "qinghe", Key: c.key, Rules: c.rules, Enrolled: c,
		Keys: func(string, time.Time) (rules.Names, []byte, error) {
			return c.site.Named(time.Now()), c.site.Format(), nil
		}, Now: time.Now, Log: log})
	cfg := mqtt.Config{ClientID: "rules", OnUp: p.Up, Log: log}
	c.fatal(c.broker.Load(&cfg))
	client := mqtt.New(cfg)
	p.By(client)
	run(p.Run)
	run(client.Run)
}

// force puts a text into force as the desk does.
func (c *ruled) force(kind rules.Kind, text string) {
	c.t.Helper()
	by := audit.By{Actor: "li"}
	v, err := c.rules.Add(c.t.Context(), by, rules.Key{Kind: kind, Scope: rules.Default}, []byte(text), "")
	c.fatal(err)
	c.fatal(c.rules.Approve(c.t.Context(), by, v.ID, rules.Approval{}))
}

// await waits until some gates decide by a policy.
func (c *ruled) await(version string, gates []*ruledGate) time.Duration {
	c.t.Helper()
	began := time.Now()
	for {
		n := 0
		for _, g := range gates {
			if g.has(version) {
				n++
			}
		}
		took := time.Since(began)
		if n == len(gates) {
			return took
		}
		if took > 30*time.Second {
			c.t.Fatalf("after %s %d of %d gates decide by policy %s", took, n, len(gates), version)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A policy that is approved is in force at all gates within 30 s; while half of them are cut
// off the others go on, and those catch up.
func TestAPolicyReaches184GatesWithin30Seconds(t *testing.T) {
	c := newRuled(t)
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	t.Cleanup(func() { end(); running.Wait() })
	start := func(ctx context.Context, f func(context.Context) error) {
		running.Go(func() {
			if err := f(ctx); ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	public, _ := c.key.Public().(ed25519.PublicKey)
	gate := func(ctx context.Context, g *ruledGate) {
		start(ctx, func(ctx context.Context) error { return g.run(ctx, c.broker, public) })
	}
	half, cut := context.WithCancel(ctx)
	for i, g := range c.gates {
		if i%2 == 0 {
			gate(ctx, g)
		} else {
			gate(half, g)
		}
	}
	c.publish(func(f func(context.Context) error) { start(ctx, f) })
	var roster strings.Builder
	roster.WriteString(rosterHead)
	for i, g := range c.gates {
		fmt.Fprintf(&roster, "62%08d,resident,active,h%d,,,%s\n62%08d,resident,active,h%d,,,%s\n",
			2*i, i, g.name, 2*i+1, i, g.name)
	}
	c.force(rules.Policy, fmt.Sprintf(gatePolicy, 1))
	c.force(rules.Roster, roster.String())
	t.Logf("the first set: %s", c.await("1", c.gates))
	c.force(rules.Policy, fmt.Sprintf(gatePolicy, 2))
	t.Logf("another policy, at %d gates: %s", len(c.gates), c.await("2", c.gates))
	cut()
	var there, away []*ruledGate
	for i, g := range c.gates {
		if i%2 == 0 {
			there = append(there, g)
		} else {
			away = append(away, g)
		}
	}
	c.force(rules.Policy, fmt.Sprintf(gatePolicy, 3))
	t.Logf("half of them are cut off: the others %s", c.await("3", there))
	for _, g := range away {
		if !g.has("2") {
			t.Errorf("%s has lost its rules", g.name)
		}
		gate(ctx, g)
	}
	t.Logf("those that were cut off, when they are back: %s", c.await("3", away))
}
