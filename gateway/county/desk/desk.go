// Package desk runs what the county works with: which gates need somebody, the
// alerts and who has acknowledged them, what passed, and the machines. It wires
// the followers of the store to it, to each other and to the screens, and does
// nothing else. It never holds the collector up.
package desk

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/checks"
	"gatehouse/gateway/county/command"
	"gatehouse/gateway/county/commits"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/county/health"
	"gatehouse/gateway/county/notices"
	"gatehouse/gateway/county/passages"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/county/refused"
	"gatehouse/gateway/county/rollup"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/county/speak"
	"gatehouse/gateway/county/versions"
	"gatehouse/gateway/live"
	"gatehouse/gateway/site"
	"gatehouse/gateway/wire"
)

// Options are those of Open.
type Options struct {
	Path    string // of its file
	Sites   *site.County
	Records follow.Source
	Removed Removed // nil: nothing is ever removed from Records
	Losses  refused.Losses
	Tracks  time.Duration // for how long tracks are kept; 0: fleet.TracksFor
	// BeginsAgain reports whether a journal may begin again; see follow.Options.
	BeginsAgain func(agent, jid string) bool
	Health      *health.Board    // nil: one of its own
	Store       string           // what stores the county's records, for the screen
	Keeps       func() string    // for how long it keeps them; empty: for ever. May be nil
	Commits     *commits.Commits // what the collector has committed, for the probe; may be nil
	Backup      func() time.Time // of the last good backup; zero: none is known. May be nil
	Voice       Voice
	Version     string
	Now         func() time.Time // nil: time.Now
	Log         *slog.Logger
}

// Removed has counts by the hour of the records that were removed from the store
// because they were old.
type Removed interface {
	Rollups(ctx context.Context, kind wire.Kind, from, to time.Time) iter.Seq2[rollup.Row, error]
}

// Desk is the county's desk. Make it with Open, run it with Run, then Close it.
// Its exported fields serve pages: they may be used from any goroutine.
type Desk struct {
	Hub      *live.Hub
	Alerts   *alerts.Alerts
	Passages *passages.Passages
	Runs     *fleet.Runs
	People   *people.People
	Consents *consent.Consents
	Notices  *notices.Notices
	Audit    *audit.Log
	Checks   *checks.Checks
	Commands *command.Commands
	Versions *versions.Versions

	opts      Options
	file      *db.File
	speaker   *speak.Speaker
	followers followers
	centre    centre
	rules     atomic.Pointer[rules.Publisher] // nil: nothing is published
}

// followers are what the goroutine of Run lets follow the store, and look.
type followers struct {
	cursor   *follow.Cursor
	loop     *follow.Loop
	fleet    *fleet.Fleet
	presence *presence.Presence
	refused  *refused.Refusals
}

const (
	lookEvery  = 500 * time.Millisecond // how often the desk looks who lives
	gather     = 200 * time.Millisecond // changes wait so long for each other on their way to the pages
	countEvery = 3 * time.Second        // how often what was not stored is counted
	pruneEvery = 10 * time.Minute
)

// Open opens the desk's file, and makes it when it is missing.
func Open(opts Options) (*Desk, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Backup == nil {
		opts.Backup = func() time.Time { return time.Time{} }
	}
	if opts.Keeps == nil {
		opts.Keeps = func() string { return "" }
	}
	if opts.Health == nil {
		opts.Health = health.NewBoard()
	}
	file, err := OpenFile(opts.Path)
	if err != nil {
		return nil, err
	}
	d := &Desk{opts: opts, file: file, Hub: live.New(gather)}
	if err := d.open(context.Background()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return d, nil
}

// open makes the followers, each as its tables have it.
func (d *Desk) open(ctx context.Context) (err error) {
	now, f := d.opts.Now(), &d.followers
	d.Runs = fleet.NewRuns(d.file, d.opts.Sites.Compounds())
	d.Alerts = alerts.New(d.file, d.Hub, d.Runs)
	d.People = people.New(d.file, d.opts.Now)
	d.Consents = consent.New(d.file, d.opts.Now)
	d.Notices = notices.New(d.file, d.opts.Sites)
	d.Audit = audit.New(d.file, d.opts.Now)
	d.Checks = checks.New(d.file)
	d.Commands = command.New(command.Options{File: d.file, Sites: d.opts.Sites, County: d.opts.Voice.County,
		Key: d.opts.Voice.Key, Now: d.opts.Now, Log: d.opts.Log})
	d.Versions, err = versions.Open(ctx, versions.Options{File: d.file, Commands: d.Commands,
		Gates: d.opts.Sites.Agents(), Now: d.opts.Now, Log: d.opts.Log})
	if err != nil {
		return err
	}
	AuditPeople(d.People, d.Audit, d.opts.Now)
	d.speaker, err = speak.Open(ctx, speak.Options{File: d.file, County: d.opts.Voice.County, Key: d.opts.Voice.Key,
		Log: d.opts.Log})
	if err != nil {
		return err
	}
	if d.opts.Removed != nil {
		removed := d.opts.Removed.Rollups(ctx, wire.KindPassage, time.Time{}, time.Time{})
		if err = passages.Seed(ctx, d.file, removed); err != nil {
			return err
		}
	}
	if d.Passages, err = passages.New(ctx, d.file, d.Hub, now); err != nil {
		return err
	}
	if f.fleet, err = fleet.New(ctx, d.file, d.Hub, d.Runs); err != nil {
		return err
	}
	gates := d.opts.Sites.Agents()
	if f.refused, err = refused.Open(ctx, d.Alerts, d.opts.Losses, gates, now); err != nil {
		return err
	}
	f.cursor, err = follow.NewCursor(ctx, follow.Options{File: d.file, Records: d.opts.Records,
		BeginsAgain: d.opts.BeginsAgain,
		Followers:   []follow.Follower{d.Passages, f.fleet, d.Alerts, d.Checks, d.Commands, totals{d}}})
	if err != nil {
		return err
	}
	f.loop = follow.NewLoop(f.cursor, d.opts.Records, d.opts.Now, d.opts.Log)
	f.presence, err = presence.Open(ctx, presence.Options{File: d.file, Hub: d.Hub, Gates: gates, Alerts: d.Alerts,
		Delivered: f.cursor, Bridges: f.fleet.Bridges, Log: d.opts.Log,
		Refused: func(agent, why string) { f.refused.Refused(agent, why, 1) }}, now)
	return err
}

// Close closes the desk's file.
func (d *Desk) Close() error {
	return errors.Join(d.Audit.Flush(context.Background(), d.opts.Now(), true), d.file.Close())
}

// Run keeps the desk up to date until ctx ends. Two goroutines do it: this one
// takes in what the store commits and looks who lives; the other notes that the
// process runs, so that its own sleep is no gate's silence.
func (d *Desk) Run(ctx context.Context) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var attending sync.WaitGroup
	defer attending.Wait()
	defer cancel()
	attending.Go(func() { d.Commands.Run(ctx) })
	attending.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			d.followers.presence.Attend(d.opts.Now())
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	d.followers.loop.Run(ctx, lookEvery, d.look)
	return nil
}

// start sends what is known at the start to the pages.
func (d *Desk) start(ctx context.Context) error {
	now := d.opts.Now()
	d.centre.pruned, d.centre.kept, d.centre.began = now, now, now
	return errors.Join(
		live.Set(d.Hub, "tree", d.opts.Sites.Tree()),
		d.Passages.Show(ctx, d.followers.cursor.Agents()),
		d.Alerts.Show(ctx),
		d.look(ctx, now),
	)
}

// look finds out which agents live and what the machines do, raises and clears alarms
// about it, and shows it.
func (d *Desk) look(ctx context.Context, now time.Time) error {
	defer d.opts.Health.Begin(part, now)()
	f := &d.followers
	agents, err := f.presence.Look(ctx, now)
	errs := []error{err, d.file.Check(), f.refused.Look(ctx, now), d.say(ctx, now), d.tidy(ctx, now),
		d.Audit.Flush(ctx, now, false)}
	errs = append(errs, d.upgrade(ctx, agents))
	d.told(now, agents)
	for _, a := range agents {
		f.fleet.Beat(a.Agent, a.Online(), a.Heard, a.Machines)
	}
	return errors.Join(append(errs, f.fleet.Show(now), d.showCentre(now, agents))...)
}

// tidy does what need not be done at each look.
func (d *Desk) tidy(ctx context.Context, now time.Time) error {
	var errs []error
	c, catching := &d.centre, d.followers.loop.State().Catching
	if now.Sub(c.counted) >= countEvery {
		c.counted = now
		errs = append(errs, d.followers.refused.Count(ctx, now))
	}
	if now.Sub(c.kept) >= people.KeepEvery {
		c.kept = now
		errs = append(errs, d.People.Keep(ctx, now))
	}
	if now.Sub(c.pruned) >= pruneEvery || c.catching && !catching {
		c.pruned = now
		errs = append(errs, d.Passages.Prune(ctx, now), d.Notices.Prune(ctx, now),
			d.Alerts.Tidy(ctx, now),
			d.followers.fleet.Prune(ctx, now.Add(-cmp.Or(d.opts.Tracks, fleet.TracksFor))))
	}
	c.catching = catching
	return errors.Join(errs...)
}
