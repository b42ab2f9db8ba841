package centre

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// RulesOptions returns how the county keeps its rules, for commands, too.
func (c Config) RulesOptions(log *slog.Logger) (rules.Options, error) {
	zone, err := config.Zone(c.TimeZone)
	if err != nil {
		return rules.Options{}, fmt.Errorf("time_zone: %w", err)
	}
	return rules.Options{Dir: c.authorityDir(), Zone: zone, TwoPeople: c.Rules != nil && c.Rules.TwoPeople,
		Log: log}, nil
}

// keysOf returns the keys of a gate.
func (c *county) keysOf(gate string, now time.Time) (rules.Names, []byte, error) {
	r, err := c.ring(gate, now)
	if err != nil {
		return nil, nil, err
	}
	return r.Named(now), r.Format(), nil
}

// publishing is what publishes rules to gates. It has a connection of its own: a broker that
// is slow to take rules delays nothing else.
type publishing struct {
	versions  *rules.Rules
	publisher *rules.Publisher
	client    *mqtt.Client
}

// openRules opens the versions of rules.
func (c *county) openRules(d *desk.Desk, log *slog.Logger) error {
	opts, err := c.cfg.RulesOptions(log)
	if err != nil {
		return err
	}
	c.rules.versions = d.OpenRules(opts)
	return nil
}

// rulesFor returns the files by which a gate decides that is put into service.
func (c *county) rulesFor(gate string) (map[string][]byte, error) {
	names, _, err := c.keysOf(gate, time.Now())
	if err != nil {
		return nil, err
	}
	return c.rules.versions.For(context.Background(), gate, names)
}

// publishRules makes what publishes rules.
func (c *county) publishRules(d *desk.Desk, who *registry.Registry, log *slog.Logger) error {
	p := rules.NewPublisher(rules.PublisherOptions{County: c.cfg.County, Key: c.key, Rules: c.rules.versions,
		Enrolled: who, Keys: c.keysOf, Now: time.Now, Log: log})
	m := mqtt.Config{
		ClientID: "rules-" + strings.ToLower(rand.Text()),
		OnUp:     p.Up,
		Subscriptions: []mqtt.Subscription{
			{Filter: wire.Topic(c.cfg.County, "+", wire.LeafPolicy), QoS: 1, Optional: true},
		},
		OnMessage: func(m mqtt.Message) {
			if _, agent, leaf, ok := wire.ParseTopic(m.Topic); ok && leaf == wire.LeafPolicy {
				p.Heard(agent, m.Payload)
			}
		},
		Log: log,
	}
	if err := c.broker.Load(&m); err != nil {
		return err
	}
	c.rules.publisher, c.rules.client = p, mqtt.New(m)
	p.By(c.rules.client)
	d.RulesBy(p)
	return nil
}
