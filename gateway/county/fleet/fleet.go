// Package fleet knows the county's drones and fogging machines: how each
// stands, its disinfection runs, and where it was. It follows the store; its
// tables are in the desk's file.
package fleet

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// Machine is a tile: the state of one drone or fogging machine.
type Machine struct {
	Machine string            `json:"machine"`
	Name    string            `json:"name"`
	Type    string            `json:"type"`
	State   fact.MachineState `json:"state"`
	Agent   string            `json:"agent"`
	Heard   *time.Time        `json:"heard,omitempty"` // when it last sent something
	Battery *float64          `json:"battery_pct,omitempty"`
	Tank    *float64          `json:"tank_pct,omitempty"`
	Lat     *float64          `json:"lat,omitempty"`
	Lon     *float64          `json:"lon,omitempty"`
	Run     string            `json:"run,omitempty"` // the open one
	Fault   string            `json:"fault,omitempty"`
	Last    *RunSummary       `json:"last,omitempty"`

	beat time.Time // the last heartbeat of its bridge; zero: it reports by itself
}

const (
	// TracksFor is for how long tracks are kept here, unless the county says it.
	TracksFor   = 400 * 24 * time.Hour
	reportAfter = time.Minute // a machine that reports by itself is gone after so long
)

// Fleet is the county's machines. It is for the goroutine that follows the
// store.
type Fleet struct {
	file *db.File
	hub  *live.Hub
	runs *Runs

	machines map[string]*Machine
	bridges  map[string]bool // agents that bridge machines
	version  int             // rises when runs change: pages read them again
}

// New reads what the file has. It shows each machine on hub as m:<machine>, and
// there as runs when runs have changed.
func New(ctx context.Context, file *db.File, hub *live.Hub, runs *Runs) (*Fleet, error) {
	f := &Fleet{file: file, hub: hub, runs: runs, machines: map[string]*Machine{}, bridges: map[string]bool{}}
	ids, err := db.All(ctx, file.Reader(), db.Value[string], "SELECT machine FROM machines")
	for _, id := range ids {
		err = errors.Join(err, f.read(ctx, id))
	}
	if err != nil {
		return nil, fmt.Errorf("read the machines: %w", err)
	}
	return f, nil
}

// Bridges reports whether an agent bridges machines.
func (f *Fleet) Bridges(agent string) bool { return f.bridges[agent] }

// machine returns a machine's tile, a new one if it is not known.
func (f *Fleet) machine(id string) *Machine {
	m := f.machines[id]
	if m == nil {
		m = &Machine{Machine: id, Name: id, State: fact.MachineNever}
		f.machines[id] = m
	}
	return m
}

// read reads what the records say of a machine.
func (f *Fleet) read(ctx context.Context, id string) error {
	m := f.machine(id)
	var name, kind, point string
	var heard int64
	scan := func(r db.Row) (agent string, err error) {
		err = r.Scan(&agent, &name, &kind, &heard, &point)
		return agent, err
	}
	agent, found, err := db.One(ctx, f.file.Reader(), scan,
		"SELECT agent, name, type, heard, point FROM machines WHERE machine = ?", id)
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	if err != nil {
		return fmt.Errorf("read the machine %s: %w", id, err)
	}
	m.Agent = agent
	f.bridges[agent] = true
	if name != "" {
		m.Name, m.Type = name, kind
	}
	var p wire.TrackPoint
	if err := json.Unmarshal([]byte(point), &p); err != nil {
		return fmt.Errorf("read the machine %s: %w", id, err)
	}
	if m.beat.IsZero() {
		m.Battery, m.Tank, m.Lat, m.Lon, m.Fault = p.Battery, p.Tank, p.Lat, p.Lon, p.Fault
	}
	if at := time.Unix(0, heard).UTC(); m.Heard == nil || at.After(*m.Heard) {
		m.Heard = &at
	}
	last, err := f.runs.Last(ctx, id, 1)
	if err != nil || len(last) == 0 {
		return err
	}
	m.Last = &last[0]
	m.Run = ""
	if last[0].State == fact.RunOpen {
		m.Run = last[0].ID
	}
	return nil
}

// Beat takes what an agent's last heartbeat, received at heard, says of the
// machines that it bridges. online is false when no later one comes.
func (f *Fleet) Beat(agent string, online bool, heard time.Time, machines []wire.BeatMachine) {
	for _, b := range machines {
		m := f.machine(b.Machine)
		if !heard.After(m.beat) {
			if !online {
				m.State = fact.MachineSilent
			}
			continue
		}
		m.beat, m.Agent, m.Name, m.Type, m.State = heard, agent, b.Name, b.Type, b.State
		m.Battery, m.Tank, m.Lat, m.Lon, m.Run, m.Fault = b.Battery, b.Tank, b.Lat, b.Lon, b.Run, b.Fault
		f.bridges[agent] = true
		if b.State != fact.MachineGone || b.IdleS > 0 {
			m.Heard = new(heard.Add(-time.Duration(b.IdleS) * time.Second).UTC().Truncate(time.Second))
		}
	}
}

// Show sends the state of the machines at now to the pages.
func (f *Fleet) Show(now time.Time) error {
	var errs []error
	for id, m := range f.machines {
		if m.beat.IsZero() && m.Heard != nil {
			m.State = m.reported(now)
		}
		errs = append(errs, live.Set(f.hub, "m:"+id, m))
	}
	return errors.Join(errs...)
}

// All returns the machines as Show has found them, in order of their ids.
func (f *Fleet) All() []Machine {
	out := make([]Machine, 0, len(f.machines))
	for _, id := range slices.Sorted(maps.Keys(f.machines)) {
		out = append(out, *f.machines[id])
	}
	return out
}

// States returns how many machines are in each state, as Show has found it.
func (f *Fleet) States() map[fact.MachineState]int {
	out := map[fact.MachineState]int{}
	for _, m := range f.machines {
		out[m.State]++
	}
	return out
}

// reported returns the state of a machine that reports by itself. Whether it works
// is what the record of its run says: its last report may be of something else.
func (m *Machine) reported(now time.Time) fact.MachineState {
	switch {
	case now.Sub(*m.Heard) > reportAfter:
		return fact.MachineGone
	case m.Fault != "":
		return fact.MachineFault
	case m.Run != "" && m.Last.Working:
		return fact.MachineWorking
	case m.Run != "":
		return fact.MachinePaused
	}
	return fact.MachineIdle
}

// prunedAtOnce is how many tracks of a machine one Prune deletes at most: it must not
// keep others from the file for long.
const prunedAtOnce = 200

// Prune deletes tracks that were made before a time, some at a time; those of imported
// files stay.
func (f *Fleet) Prune(ctx context.Context, before time.Time) error {
	for machine := range f.machines {
		_, err := f.file.Exec(ctx, `DELETE FROM tracks WHERE machine = ?1 AND (at, jid, seq) IN
			(SELECT at, jid, seq FROM tracks WHERE machine = ?1 AND at < ?2 AND file = '' ORDER BY at LIMIT ?3)`,
			machine, before.UnixNano(), prunedAtOnce)
		if err != nil {
			return fmt.Errorf("delete old tracks: %w", err)
		}
	}
	return nil
}
