// Package agent runs at a gate: it turns the bytes of its devices into
// readings, keeps them, decides on the spot, drives the outputs, and ships the
// journal to the county until every record is acknowledged. It works the same
// with the network cut.
package agent

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// Counter counts completed readings where they happen, for the proof.
type Counter interface{ Add(reading []byte) error }

// Options is what an agent is given besides its configuration.
type Options struct {
	Ports   devices.Ports
	Clock   clock.Source
	HostID  string  // identity of this computer: a copied disk gets a new journal
	BootID  string  // names what the boot clock counts from
	Version string  //
	Ledger  Counter // may be nil
	Log     *slog.Logger
	// OnPassage is called by the record loop with each passage and must not
	// wait; nil: nobody watches.
	OnPassage func(seq uint64, p wire.Passage)
	Screen    Screen // may be nil
}

// Agent is one gate. Make it with New, run it with Run, then Close it.
type Agent struct {
	cfg          Config
	opts         Options
	log          *slog.Logger
	collectorKey ed25519.PublicKey
	siteKey      identity.SiteKey
	journal      *journal.Journal
	gate         *gate.Gate
	inputs       []*input
	outputs      []output
	board        *board
	pulse        pulse
	link         linkState
	alarms       *overtakers
	notes        chan note     // what the guard did, on its way to the record loop
	began        time.Duration // boot clock
	sources      []source
	machines     []*bridged
	byMachine    map[string]*bridged
}

// New reads the files that the configuration names, opens the journal and
// makes the drivers; it opens no port yet.
func New(cfg Config, opts Options) (*Agent, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	a := &Agent{cfg: cfg, opts: opts, log: opts.Log.With("agent", cfg.Agent), board: newBoard(),
		alarms: newOvertakers(), notes: make(chan note), byMachine: map[string]*bridged{}}
	var err error
	if a.collectorKey, err = identity.LoadCollectorPublic(cfg.CollectorKey); err != nil {
		return nil, err
	}
	rules := &policy.Rules{}
	if len(cfg.Devices) > 0 {
		if a.siteKey, err = identity.LoadSiteKey(cfg.SiteKey); err != nil {
			return nil, err
		}
		if rules, err = loadRules(cfg, a.siteKey); err != nil {
			return nil, err
		}
	}
	zone, err := config.Zone(cfg.TimeZone)
	if err != nil {
		return nil, err
	}
	a.gate = gate.New(gate.Config{Rules: rules, Zone: zone, Lanes: cfg.lanes()})
	if err := a.makeDevices(rules.Limits.Fever); err != nil {
		return nil, err
	}
	if err := a.makeMachines(); err != nil {
		return nil, err
	}
	now := opts.Clock.Now()
	a.began = now.Boot
	keep := 7
	if cfg.KeepDays > 0 {
		keep = cfg.KeepDays
	}
	j, report, err := journal.Open(journal.Options{Dir: cfg.Dir, HostID: opts.HostID, Version: opts.Version,
		Keep: time.Duration(keep) * 24 * time.Hour, Log: a.log}, now)
	if err != nil {
		return nil, fmt.Errorf("open the journal in %s: %w", cfg.Dir, err)
	}
	a.journal = j
	a.opened(report)
	return a, nil
}

// opened says what the journal found when it was opened.
func (a *Agent) opened(r journal.Report) {
	if r.NewJID != "" {
		a.log.Info("new journal", "jid", a.journal.JID(), "former", r.Former, "why", r.NewJID)
	}
	if r.StateLost != "" {
		a.log.Warn("the journal no longer knows what was acknowledged; the collector will tell", "why", r.StateLost)
	}
	if r.TornBytes > 0 {
		a.log.Info("the journal's torn end was cut", "bytes", r.TornBytes)
	}
	damaged := ""
	if len(r.Damaged) > 0 {
		damaged = fmt.Sprintf("%d damaged ranges, the first: %s", len(r.Damaged), r.Damaged[0])
	}
	a.board.set(fact.AlarmJournalDamaged, "", damaged)
}

func loadRules(cfg Config, key identity.SiteKey) (*policy.Rules, error) {
	p, err := policy.Load(cfg.Policy)
	if err != nil {
		return nil, err
	}
	return policy.LoadRules(p, cfg.Roster, key)
}

// Run runs the gate until ctx ends. It returns after everything it started
// has ended and the journal is safe on disk.
func (a *Agent) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for _, out := range a.outputs {
		wg.Go(func() { drive(ctx, out.Output, out.cues, a.log) })
	}
	arrivals := make(chan arrival, 16)
	for _, in := range a.inputs {
		wg.Go(func() { in.read(ctx, arrivals) })
	}
	words := make(chan word, 256)
	for _, s := range a.sources {
		wg.Go(func() { a.speak(ctx, s, words) })
	}
	shipped := make(chan error, 1)
	wg.Go(func() { shipped <- a.ship(ctx) })
	err := a.record(ctx, arrivals, words, shipped)
	cancel()
	wg.Wait()
	return errors.Join(err, a.journal.Close())
}
