package versions

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/command"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Schema creates the table of rollouts. It is a step of the desk's file.
const Schema = `
CREATE TABLE rollouts (
	id    TEXT PRIMARY KEY,
	began INTEGER NOT NULL,          -- unix nanoseconds
	state TEXT NOT NULL,
	doc   TEXT NOT NULL              -- Rollout, as JSON
) WITHOUT ROWID;`

// kept is how many rollouts are kept, the newest.
const kept = 200

// Errors that a person at the desk can act on.
var (
	ErrOpen    = errors.New("gates are being upgraded already: let that end, or end it")
	ErrNone    = errors.New("no gates are being upgraded, or others than this page shows: load it again")
	ErrWaves   = errors.New("the waves name no gate, one that the site file does not have, or one twice")
	ErrVersion = errors.New("the county does not offer this version: gatehouse packages add")
	ErrReason  = errors.New("the reason is missing, or is no single line of 100 characters at most")
)

// Commands command gates.
type Commands interface {
	Ask(ctx context.Context, by audit.By, r command.Request) (id string, err error)
	// StateOf returns how far a command has come at now; the state is empty when it is not known.
	StateOf(ctx context.Context, now time.Time, id string) (command.Row, error)
}

// Options of Versions.
type Options struct {
	File     *db.File // with the table of Schema
	Commands Commands
	Gates    []string // of the site file
	Now      func() time.Time
	Log      *slog.Logger
}

// Versions are the rollouts of a county. Turn is for one goroutine, the other methods for any.
type Versions struct {
	opts  Options
	known map[string]bool

	mu     sync.Mutex
	open   *Rollout // nil: none
	turned time.Time
	paused bool
}

// Open reads the rollout that was not finished.
func Open(ctx context.Context, opts Options) (*Versions, error) {
	v := &Versions{opts: opts, known: map[string]bool{}}
	for _, g := range opts.Gates {
		v.known[g] = true
	}
	list, err := v.Last(ctx, 1)
	if err != nil {
		return nil, err
	}
	if len(list) > 0 && list[0].State.Open() {
		v.open = &list[0]
	}
	return v, nil
}

// Last returns the last rollouts, the newest first.
func (v *Versions) Last(ctx context.Context, most int) ([]Rollout, error) {
	list, err := db.All(ctx, v.opts.File.Reader(), func(r db.Row) (x Rollout, err error) {
		var doc string
		if err = r.Scan(&doc); err == nil {
			err = json.Unmarshal([]byte(doc), &x)
		}
		return x, err
	}, "SELECT doc FROM rollouts ORDER BY began DESC LIMIT ?", most)
	if err != nil {
		return nil, fmt.Errorf("read how gates were upgraded: %w", err)
	}
	return list, nil
}

// Now returns the rollout that is on or was stopped; nil: none.
func (v *Versions) Now() *Rollout {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open == nil {
		return nil
	}
	r := v.open.clone()
	return &r
}

// Silence has nothing more asked for: another collector has taken over.
func (v *Versions) Silence() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.paused = true
}

// Plan is what somebody asks for.
type Plan struct {
	Version string     `json:"version"`
	Reason  string     `json:"reason"`
	Waves   [][]string `json:"waves"` // ids of gates
}

// Begin begins a rollout of a version that the county offers.
func (v *Versions) Begin(ctx context.Context, by audit.By, p Plan) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.opts.Now()
	p.Reason = strings.Join(strings.Fields(p.Reason), " ")
	if p.Reason == "" || wire.CheckReason(p.Reason) != nil {
		return ErrReason
	}
	if v.open != nil {
		return ErrOpen
	}
	r := Rollout{ID: strings.ToLower(rand.Text()), Version: p.Version, By: by.Actor, Reason: p.Reason, Began: now,
		Changed: now, State: Running}
	for _, gates := range p.Waves {
		var err error
		if r, err = v.wave(r, gates, now); err != nil {
			return err
		}
	}
	if len(r.Waves) == 0 {
		return ErrWaves
	}
	return v.keep(ctx, now, r, &by, fmt.Sprintf("begin, %d waves, %d gates", len(r.Waves), r.count()))
}

// wave adds a wave to a rollout.
func (v *Versions) wave(r Rollout, gates []string, now time.Time) (Rollout, error) {
	r = r.clone()
	there := map[string]bool{}
	for _, w := range r.Waves {
		for _, g := range w.Gates {
			there[g.Agent] = true
		}
	}
	var w Wave
	for _, agent := range gates {
		if !v.known[agent] || there[agent] || len(there) >= mostGates {
			return r, ErrWaves
		}
		there[agent] = true
		w.Gates = append(w.Gates, Gate{Agent: agent, State: Waits, Since: now})
	}
	if len(w.Gates) == 0 || len(r.Waves) >= mostWaves {
		return r, ErrWaves
	}
	r.Waves = append(r.Waves, w)
	return r, nil
}

// count returns how many gates a rollout has.
func (r Rollout) count() (n int) {
	for _, w := range r.Waves {
		n += len(w.Gates)
	}
	return n
}

// Do is what somebody does with the rollout that is on.
type Do string

// What can be done.
const (
	DoStop  Do = "stop"
	DoGoOn  Do = "go-on"
	DoLeave Do = "leave" // leaves out the gates of the wave that are away
	DoEnd   Do = "end"
	DoWave  Do = "wave" // adds a wave
)

// Act does something with the rollout of an id. gates are those of a wave that is added.
func (v *Versions) Act(ctx context.Context, by audit.By, id string, do Do, gates []string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.opts.Now()
	if v.open == nil || v.open.ID != id {
		return ErrNone
	}
	r, detail := *v.open, string(do)
	switch do {
	case DoStop:
		r = r.Stop(now)
	case DoGoOn:
		r = r.GoOn(now)
	case DoLeave:
		r = r.LeaveOut(now)
	case DoEnd:
		r = r.End(now)
	case DoWave:
		var err error
		if r, err = v.wave(r, gates, now); err != nil {
			return err
		}
		detail += fmt.Sprintf(", %d gates", len(gates))
	default:
		return ErrNone
	}
	return v.keep(ctx, now, r, &by, detail)
}

// keep writes a rollout, and who did what with it; mu is held.
func (v *Versions) keep(ctx context.Context, now time.Time, r Rollout, by *audit.By, detail string) error {
	doc, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep how gates are upgraded: %w", err)
	}
	err = v.opts.File.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO rollouts (id, began, state, doc) VALUES (?, ?, ?, ?)",
			r.ID, r.Began.UnixNano(), r.State, string(doc))
		if err != nil || by == nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM rollouts WHERE began <
			(SELECT began FROM rollouts ORDER BY began DESC LIMIT 1 OFFSET ?)`, kept)
		act := audit.Act{Action: audit.UpgradeGates, Object: "version " + r.Version, Detail: detail + ", id " + r.ID}
		return errors.Join(err, audit.Append(ctx, tx, now, *by, act))
	})
	if err != nil {
		return fmt.Errorf("keep how gates are upgraded: %w", err)
	}
	v.open = nil
	if r.State.Open() {
		v.open = &r
	}
	return nil
}

// turnEvery is how often a rollout is looked at.
const turnEvery = time.Second

// Turn goes on with the rollout by what is seen of the gates. since is since when they can be
// heard without a break.
func (v *Versions) Turn(ctx context.Context, since time.Time, see func(agent string) Seen) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.opts.Now()
	if v.open == nil || now.Sub(v.turned).Abs() < turnEvery {
		return nil
	}
	v.turned = now
	var failed error
	was := *v.open
	r, asks := Step(was, World{Now: now, Since: since, Gate: see, Paused: v.paused, Sent: func(id string) Sent {
		row, err := v.opts.Commands.StateOf(ctx, now, id)
		failed = errors.Join(failed, err)
		return Sent{row.State, row.Why, row.Detail}
	}})
	if failed != nil {
		return failed // nothing is known: nothing is concluded
	}
	ids := map[string]string{}
	for _, agent := range asks {
		id, err := v.opts.Commands.Ask(ctx, audit.By{Actor: r.By}, command.Request{Agent: agent,
			Action: fact.CommandUpgrade, Version: r.Version, Reason: r.Reason})
		if err != nil {
			v.opts.Log.Warn("a gate could not be asked for an upgrade, and is asked again", "agent", agent, "err", err)
			continue
		}
		ids[agent] = id
	}
	if len(ids) > 0 {
		r = r.Commanded(now, ids)
	}
	if reflect.DeepEqual(r, was) {
		return nil
	}
	if r.State != was.State {
		v.opts.Log.Info("upgrade of gates", "version", r.Version, "state", r.State, "why", r.Why, "gate", r.Gate)
	}
	return v.keep(ctx, now, r, nil, "")
}
