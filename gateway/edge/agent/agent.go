// Package agent makes one agent of its parts: the station of a gate, the bridge
// to machines, the recorder that writes the journal, and the shipper that
// delivers it to the county. They meet in the journal and on the board of
// package status. An agent works the same with the network cut.
package agent

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/bridge"
	"gatehouse/gateway/edge/command"
	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/edge/help"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/edge/panel"
	"gatehouse/gateway/edge/recorder"
	"gatehouse/gateway/edge/retire"
	"gatehouse/gateway/edge/ship"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/edge/upgrade"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Options are what an agent gets besides its configuration.
type Options struct {
	Ports   devices.Ports
	Clock   clock.Source
	HostID  string // identity of this computer: a copied disk gets a new journal
	BootID  string // names what the boot clock counts from
	Version string
	Ledger  station.Counter // may be nil
	Log     *slog.Logger
	// OnPassage is called with each passage, from the station's goroutine; it must
	// not wait. May be nil.
	OnPassage func(seq uint64, p wire.Passage)
	Screen    station.Screen // may be nil
	File      string         // the configuration, which is removed when the gate is taken out of service for good
	// Files says what is wrong with the configuration's file and the files that it names, as
	// they are now. nil: only the files of the configuration that New was given are read.
	Files func(now time.Time) error
	// Upgrades is where the agent asks for upgrades of its computer, and says how it does.
	Upgrades upgrade.Place
}

// loadingGC is the percentage by which the heap may grow between collections while the
// files are read.
const loadingGC = 20

// Agent is one agent. Make it with New and run it with Run, which also closes
// it.
type Agent struct {
	help     *help.Help
	log      *slog.Logger
	clock    clock.Source
	board    *status.Board
	journal  *journal.Journal
	recorder *recorder.Recorder
	shipper  *ship.Shipper
	station  *station.Station // nil without devices
	bridge   *bridge.Bridge   // nil without machines
	panel    *panel.Panel     // nil without displays
	locks    *locks
	commands *command.Commands
	retire   *retire.Retirement
	broker   mqtt.Broker       // of a gate whose journal is destroyed
	begun    atomic.Bool       // what the journal holds was taken over
	renewer  *enrol.Renewer    // nil without an identity
	keys     *keys             // by which people have pseudonyms
	county   *county           // rules that the county publishes
	alive    string            // file for upgrades; empty: none
	requests *upgrade.Requests // nil: the agent asks for no upgrades
	version  string
}

// New reads the files that the configuration names, opens the journal and makes
// the parts; it opens no port and no connection yet.
func New(cfg Config, opts Options) (*Agent, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	// A roster of 60,000 leaves several times its size in garbage: gate computers have
	// little memory.
	defer debug.FreeOSMemory()
	defer debug.SetGCPercent(debug.SetGCPercent(loadingGC))
	a := &Agent{log: opts.Log.With("agent", cfg.Agent), clock: opts.Clock, board: status.NewBoard(),
		alive: opts.Upgrades.Alive, requests: upgrade.NewRequests(opts.Upgrades), version: opts.Version}
	if over, err := a.openRetirement(cfg, opts.File); err != nil || over {
		return a, err
	}
	files, err := readFiles(cfg, opts.Clock.Now().Wall)
	if err != nil {
		return nil, err
	}
	j, report, err := journal.Open(journal.Options{Dir: cfg.Dir, HostID: opts.HostID, Version: opts.Version,
		Keep: cfg.keep(), Log: a.log}, opts.Clock.Now())
	if err != nil {
		return nil, fmt.Errorf("open the journal in %s: %w", cfg.Dir, err)
	}
	a.journal = j
	a.recorder = recorder.New(recorder.Options{Journal: j, Board: a.board, Overtake: a.overtake,
		Clock: opts.Clock, BootID: opts.BootID, Version: opts.Version, Log: a.log}, report)
	a.keepRules(cfg.Dir, files)
	a.keys = newKeys(cfg, files)
	a.locks = newLocks(cfg, files)
	a.warnLocked(opts.Clock.Now())
	if err := a.makeParts(cfg, opts, files); err != nil {
		a.recorder.RaiseAlarms(opts.Clock.Now())
		a.recorder.Close()
		return nil, errors.Join(err, j.Close())
	}
	return a, nil
}

// overtake sends an alarm record ahead of the backlog, once there is a shipper.
func (a *Agent) overtake(e wire.Entry, urgent bool) {
	if a.shipper != nil {
		a.shipper.Overtake(e, urgent)
	}
}

// makeParts makes the parts of the agent, which share its journal and board.
func (a *Agent) makeParts(cfg Config, opts Options, f files) (err error) {
	a.help = help.New(help.Options{County: cfg.County, Agent: cfg.Agent, Collector: f.collector,
		Contacts: f.contacts, File: filepath.Join(cfg.Dir, "desk.json"), Journal: a.recorder, Board: a.board,
		Clock: opts.Clock, Log: a.log})
	keys := ship.Keys{Collector: f.collector}
	said := a.makeCommands(cfg, opts, f)
	a.makeCounty(cfg, opts, f)
	if cfg.Identity.Key != "" {
		a.renewer = enrol.NewRenewer(cfg.Identity, cfg.County, cfg.Agent, f.collector, a.log)
		keys.Own = func() (crypto.Signer, error) { return identity.LoadKey(cfg.Identity.Key) }
	}
	a.shipper, err = ship.New(ship.Options{County: cfg.County, Agent: cfg.Agent, Version: opts.Version,
		Keys: keys, KeyID: a.keys.id, Broker: cfg.broker(), Desk: a.help.Hear, Witness: a.witness,
		Command: a.commands.Hear, Said: said, Retire: a.hearRetire, Rules: a.hearRules,
		Journal: a.journal, Board: a.board, Clock: opts.Clock, Log: a.log})
	if err != nil {
		return err
	}
	if len(cfg.Station.Devices) > 0 {
		if err := a.makeStation(cfg, opts, f); err != nil {
			return err
		}
	}
	if len(cfg.Bridge.Machines) > 0 {
		a.bridge, err = bridge.New(cfg.Bridge, bridge.Options{Ports: opts.Ports, Journal: a.recorder, Board: a.board,
			Clock: opts.Clock, BootID: opts.BootID, Last: filepath.Join(cfg.Dir, "machines.json"),
			Stamps: filepath.Join(cfg.Dir, "signed.json"), Log: a.log})
	}
	return err
}

// errNotBegun is why nothing is journalled of what comes before the journal was read.
var errNotBegun = errors.New("the agent has not begun yet")

// witness journals how far the county's audit goes.
func (a *Agent) witness(h wire.AuditHead) error {
	if !a.begun.Load() || a.ends() {
		return errNotBegun
	}
	_, err := a.recorder.TryAppend(a.clock.Now(), &wire.Audit{Actor: "county", Action: wire.ActionCountyHead, Head: &h})
	return err
}

// makeStation makes the station, and the panel that draws for its displays.
func (a *Agent) makeStation(cfg Config, opts Options, f files) (err error) {
	o := station.Options{Rules: f.rules, Zone: f.zone, Codes: a.keys.codes(f.names),
		Ports: opts.Ports, Journal: a.recorder, Board: a.board, Screen: opts.Screen, Asks: opts.Screen != nil,
		Ledger:    opts.Ledger,
		OnPassage: opts.OnPassage, Clock: opts.Clock, BootID: opts.BootID, Log: a.log}
	if places := placesOf(cfg.Station); len(places) > 0 {
		a.panel, err = panel.New(panel.Options{Places: places, Attended: opts.Screen != nil, Zone: f.zone,
			Clock: opts.Clock, Status: a.board.Snapshot})
		if err != nil {
			return err
		}
		o.Screen, o.Picture = screens{a.panel, opts.Screen}, a.panel.Picture
	}
	a.station, err = station.New(cfg.Station, o)
	return err
}

// Board is where the parts of the agent post their state.
func (a *Agent) Board() *status.Board { return a.board }

// Run restores what the journal holds and runs the parts until ctx ends. It
// returns when all of them have ended and the journal is safe on disk; the error wraps
// ErrReload or ErrRestart when the county has it end. Each part
// has a goroutine, in which it owns its state, and starts and waits for those
// that it needs besides; the journal and the board have locks of their own.
//
// However long the journal takes to read, the gate must not be deaf meanwhile:
// devices and links are opened at once, and what they yield is taken when the
// past has been taken over.
func (a *Agent) Run(ctx context.Context) error {
	if a.journal == nil {
		a.end(ctx)
		return nil
	}
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	err := a.runParts(within, cancel)
	a.recorder.Close()
	if err := errors.Join(err, a.journal.Close()); err != nil || a.retire.Stage() != retire.Destroying {
		return err
	}
	a.end(ctx)
	return nil
}

// runParts runs the parts until ctx ends, which cancel ends.
func (a *Agent) runParts(ctx context.Context, cancel func()) (err error) {
	var wg sync.WaitGroup
	restored := make(chan struct{})
	wg.Go(func() { a.shipper.Run(ctx) })
	wg.Go(func() { a.help.Run(ctx) })
	wg.Go(func() { a.watchLocked(ctx) })
	if a.alive != "" {
		wg.Go(func() { a.sayAlive(ctx, a.alive, a.version) })
	}
	if a.requests != nil {
		wg.Go(func() { a.sayUpgrades(ctx) })
	}
	if a.renewer != nil {
		wg.Go(func() { a.renewer.Run(ctx) })
	}
	var told error
	var service sync.WaitGroup // what serves people, and writes the journal, ends before the delivery does
	serving, stop := a.service(ctx)
	defer stop()
	service.Go(func() {
		if told = a.runCommands(serving, restored); told != nil {
			cancel()
		}
	})
	if a.station != nil {
		service.Go(func() { a.station.Run(serving, restored) })
		service.Go(func() { a.rollOver(serving, restored) })
	}
	service.Go(func() { a.runCounty(serving, restored) })
	if a.bridge != nil {
		service.Go(func() { a.bridge.Run(serving, restored) })
	}
	if err = a.begin(); err != nil {
		cancel()
	} else {
		a.begun.Store(true)
		close(restored)
		service.Go(func() { a.recorder.Run(serving) })
	}
	a.awaitOrder(ctx, stop)
	service.Wait()
	if a.ends() {
		a.deliverRest(ctx)
	}
	cancel()
	wg.Wait()
	return errors.Join(err, told)
}
