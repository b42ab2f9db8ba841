package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/edge/help"
	"gatehouse/gateway/edge/ruleset"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/wire"
)

// countySet is the file in the agent's folder with the county's set of rules in force.
const countySet = "county-rules.json"

// county is the rules that the county publishes for this gate.
type county struct {
	cfg      Config
	bootID   string
	zone     *time.Location
	receiver *ruleset.Receiver // nil: the gate was not enrolled, and gets none
	force    ruleset.Set       // at the start; No is 0: none
	policy   string            // version of its policy
	hash     string            // of its policy's file
}

// unpacked is a set that this gate can apply.
type unpacked struct {
	texts    texts
	contacts []help.Contact
	ring     identity.Ring
	names    identity.Named
	rules    *policy.Rules // nil: the agent has no gate
}

// inSet is cfg with the names of a set's files, for errors.
func (c Config) inSet() Config {
	c.Policy, c.Roster, c.Guards = rulebook.PolicyFile, rulebook.RosterFile, rulebook.GuardsFile
	return c
}

// unpack checks a set as the files of a configuration are checked. ring is what the gate has.
func unpack(cfg Config, set ruleset.Set, ring identity.Ring, now time.Time) (u unpacked, err error) {
	u.ring, u.contacts = ring, cfg.Contacts
	if text := set.File(rulebook.ContactsFile); text != nil {
		list, err := config.Parse[struct {
			Contacts []help.Contact `yaml:"contacts"`
		}](text)
		if err == nil {
			err = help.Check(list.Contacts)
		}
		if err != nil {
			return u, fmt.Errorf("%s: %w", rulebook.ContactsFile, err)
		}
		u.contacts = list.Contacts
	}
	if len(cfg.Station.Devices) == 0 {
		return u, nil
	}
	if text := set.File(rulebook.KeysFile); text != nil {
		fresh, err := identity.ParseRing(text)
		if err != nil {
			return u, fmt.Errorf("%s: %w", rulebook.KeysFile, err)
		}
		u.ring = fresh.After(ring, now, cfg.keep())
	}
	u.names = u.ring.Named(now)
	u.texts = texts{Policy: set.File(rulebook.PolicyFile), Roster: set.File(rulebook.RosterFile),
		Guards: set.File(rulebook.GuardsFile)}
	if u.texts.Policy == nil || u.texts.Roster == nil {
		return u, errors.New("it has no policy, or no roster")
	}
	u.rules, err = u.texts.rules(cfg.inSet(), u.names)
	return u, err
}

// readCounty reads the county's set that is kept, in place of the files of the configuration.
// What is wrong with it is said like what is wrong with those.
func (f *files) readCounty(cfg Config, now time.Time) error {
	if cfg.Identity.Key == "" {
		return nil
	}
	path := filepath.Join(cfg.Dir, countySet)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	secret, err := cfg.Identity.Secret()
	var set ruleset.Set
	var u unpacked
	if err == nil {
		set, err = ruleset.Load(path, rulebook.Gate{County: cfg.County, Agent: cfg.Agent}, f.collector, secret)
	}
	if errors.Is(err, enrol.ErrNoSecret) || errors.Is(err, rulebook.ErrNotToOpen) ||
		errors.Is(err, rulebook.ErrUnsigned) {
		return nil // of before the gate was enrolled again: the county publishes another one
	}
	if err == nil {
		u, err = unpack(cfg, set, f.ring, now)
	}
	if err != nil {
		return fmt.Errorf("set %d of the county's rules can't be used: %w", set.No, err)
	}
	f.set, f.contacts = set, u.contacts
	f.ring, f.names, f.rules, f.texts = u.ring, u.names, u.rules, u.texts
	return nil
}

// makeCounty makes what takes the rules that the county publishes.
func (a *Agent) makeCounty(cfg Config, opts Options, f files) {
	a.county = &county{cfg: cfg, bootID: opts.BootID, zone: f.zone, force: f.set}
	if f.set.No > 0 {
		a.board.SetRules(wire.RulesInForce{No: f.set.No, Version: f.set.Version})
		a.county.name(f.rules, f.texts)
	}
	if cfg.Identity.Key == "" {
		return
	}
	a.county.receiver = ruleset.New(ruleset.Options{Gate: rulebook.Gate{County: cfg.County, Agent: cfg.Agent},
		Collector: f.collector, Secret: cfg.Identity.Secret, File: filepath.Join(cfg.Dir, countySet), Line: line{a},
		Prepare: a.prepare, Board: a.board, Clock: opts.Clock, Log: a.log}, f.set)
}

// line is the agent's connection, which is made after what uses it.
type line struct{ a *Agent }

func (l line) Subscribe(filter string) error   { return l.a.shipper.Subscribe(filter) }
func (l line) Unsubscribe(filter string) error { return l.a.shipper.Unsubscribe(filter) }

// hearRules takes what was published on the agent's topic of rules, or below it.
func (a *Agent) hearRules(topic string, payload []byte) {
	if r := a.county.receiver; r != nil {
		r.Hear(topic, payload)
	}
}

// runCounty takes the county's rules from restored on until ctx ends.
func (a *Agent) runCounty(ctx context.Context, restored <-chan struct{}) {
	select {
	case <-restored:
	case <-ctx.Done():
		return
	}
	if a.county.force.No > 0 {
		a.recorder.Append(a.clock.Now(), a.county.applied(a.county.force))
	}
	if a.county.receiver != nil {
		a.county.receiver.Run(ctx)
	}
}

// name notes which policy a set has.
func (c *county) name(r *policy.Rules, t texts) {
	if r != nil {
		sum := sha256.Sum256(t.Policy)
		c.policy, c.hash = r.Version, hex.EncodeToString(sum[:])
	}
}

// applied is the record that a set is in force.
func (c *county) applied(set ruleset.Set) *wire.Audit {
	return &wire.Audit{Actor: "county", Action: wire.ActionRulesApplied, Rules: &wire.RulesApplied{No: set.No,
		Version: set.Version, Policy: c.policy, Hash: c.hash}}
}

// prepare checks a set of the county, and returns how it is put into force.
func (a *Agent) prepare(set ruleset.Set) (apply func(context.Context) error, err error) {
	u, err := unpack(a.county.cfg, set, a.keys.all(), a.clock.Now().Wall)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return a.apply(ctx, set, u) }, nil
}

// apply puts a set into force.
func (a *Agent) apply(ctx context.Context, set ruleset.Set, u unpacked) error {
	a.county.name(u.rules, u.texts)
	audit := a.county.applied(set)
	if u.rules == nil {
		a.recorder.Append(a.clock.Now(), audit)
	} else if err := a.applyGate(ctx, u, audit); err != nil {
		return err
	}
	a.help.SetContacts(u.contacts)
	a.board.SetRules(wire.RulesInForce{No: set.No, Version: set.Version})
	return nil
}

// applyGate puts the rules of a gate into force.
func (a *Agent) applyGate(ctx context.Context, u unpacked, audit *wire.Audit) error {
	a.keys.change.Lock()
	defer a.keys.change.Unlock()
	if err := u.texts.save(filepath.Join(a.county.cfg.Dir, keptRules), u.names); err != nil {
		return fmt.Errorf("keep the rules: %w", err)
	}
	if err := a.keys.keep(u.ring); err != nil {
		return err
	}
	w := station.Swap{Rules: u.rules, Codes: a.keys.codes(u.names), Audit: audit}
	if u.rules.Reach() > 0 {
		var err error
		if w.Past, w.Through, err = a.county.past(a.journal, u.rules); err != nil {
			return fmt.Errorf("read what has passed: %w", err)
		}
	}
	if err := a.station.SetRules(ctx, w); err != nil {
		return err
	}
	a.keys.replace(u.names, u.rules.Reach())
	a.locks.setRules(u.rules)
	a.warnLocked(a.clock.Now())
	return nil
}

// walker reads a journal.
type walker interface {
	First() uint64
	Walk(from uint64, visit func(raw []byte)) error
}

// past reads what has passed, as far as rules ask for it, and returns the newest record that
// was read.
func (c *county) past(j walker, r *policy.Rules) (m *gate.Memory, through uint64, err error) {
	m = &gate.Memory{}
	boot := ""
	err = j.Walk(j.First(), func(raw []byte) {
		kind := wire.PeekKind(raw)
		if kind != wire.KindPassage && kind != wire.KindClock {
			return
		}
		rec, err := wire.DecodeRecord(raw)
		if err != nil {
			return // the start has said so
		}
		body, err := rec.DecodeBody()
		if err != nil {
			return
		}
		through = rec.Seq
		e := gate.Earlier{At: rec.At.Time, Synchronised: !rec.Unsync}
		switch b := body.(type) {
		case *wire.Clock:
			boot = b.BootID
		case *wire.Passage:
			e.Passage = b
		}
		if boot == c.bootID {
			e.Boot = time.Duration(rec.BootNS)
		}
		m.Take(r, c.zone, e)
	})
	return m, through, err
}
