package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// Machine is a tile: how one drone or fogging machine stands.
type Machine struct {
	Machine string            `json:"machine"`
	Name    string            `json:"name"`
	Type    string            `json:"type"`
	State   fact.MachineState `json:"state"` // idle, working, paused, fault, gone, silent, never
	Agent   string            `json:"agent"`
	Heard   *time.Time        `json:"heard,omitempty"` // its last word
	Battery *float64          `json:"battery_pct,omitempty"`
	Tank    *float64          `json:"tank_pct,omitempty"`
	Lat     *float64          `json:"lat,omitempty"`
	Lon     *float64          `json:"lon,omitempty"`
	Run     string            `json:"run,omitempty"` // that is open
	Fault   string            `json:"fault,omitempty"`
	Last    *RunSummary       `json:"last,omitempty"`

	beat time.Time // of the bridge; zero: it reports by itself
}

const (
	tracksFor   = 400 * 24 * time.Hour // tracks of runs stay for so long; the store has them longer
	reportAfter = time.Minute          // a machine that reports by itself is gone after so long
)

// machine finds a machine's tile.
func (d *Desk) machine(id string) *Machine {
	m := d.machines[id]
	if m == nil {
		m = &Machine{Machine: id, Name: id, State: "never"}
		d.machines[id] = m
	}
	return m
}

// track takes in what a machine said while it worked.
func (in *intake) track(agent, jid string, r wire.Record) error {
	t, ok := bodyOf[*wire.Track](r)
	if !ok {
		return nil
	}
	points, err := json.Marshal(t.Points)
	if err != nil {
		return err
	}
	file := ""
	if t.Import != nil {
		file = t.Import.ID
	}
	_, err = in.tx.ExecContext(in.ctx, "INSERT INTO tracks VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", t.Machine, t.At.UnixNano(), jid, r.Seq, file, points)
	if err != nil {
		return fmt.Errorf("note a track of %s: %w", t.Machine, err)
	}
	if file != "" {
		return in.machine(t.Machine, agent, r.At.Time, nil)
	}
	last := t.Points[len(t.Points)-1]
	return in.machine(t.Machine, agent, t.At.Add(time.Duration(last.TMS)*time.Millisecond), &last)
}

// machine notes that a machine was heard of.
func (in *intake) machine(machine, agent string, heard time.Time, last *wire.TrackPoint) error {
	in.machines[machine] = true
	point := []byte("{}")
	if last != nil {
		var err error
		if point, err = json.Marshal(last); err != nil {
			return err
		}
	}
	_, err := in.tx.ExecContext(in.ctx, `INSERT INTO machines (machine, agent, heard, point) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET agent = excluded.agent, heard = excluded.heard,
		point = CASE WHEN excluded.point = '{}' THEN point ELSE excluded.point END WHERE excluded.heard >= heard`,
		machine, agent, heard.UnixNano(), string(point))
	if err != nil {
		return fmt.Errorf("note the machine %s: %w", machine, err)
	}
	return nil
}

// run takes in a run; the record with the higher seq holds.
func (in *intake) run(agent, jid string, r wire.Record) error {
	run, ok := bodyOf[*wire.Run](r)
	if !ok {
		return nil
	}
	in.runs, in.machines[run.Machine] = true, true
	_, err := in.tx.ExecContext(in.ctx, `INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET jid = excluded.jid,
		seq = excluded.seq, state = excluded.state, start = excluded.start, finish = excluded.finish, body = excluded.body
		WHERE jid <> excluded.jid OR seq < excluded.seq`,
		run.Machine, run.ID, jid, r.Seq, string(run.State), run.Start.UnixNano(), run.End.UnixNano(), []byte(r.Body))
	if err == nil {
		_, err = in.tx.ExecContext(in.ctx, `INSERT INTO machines (machine, agent, name, type, heard) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET name = excluded.name, type = excluded.type`, run.Machine, agent, run.Name, run.Type, run.End.UnixNano())
	}
	if err != nil {
		return fmt.Errorf("note a run of %s: %w", run.Machine, err)
	}
	return nil
}

// loadMachines reads all machines.
func (d *Desk) loadMachines(ctx context.Context) error {
	rows, err := d.r.QueryContext(ctx, "SELECT machine FROM machines")
	if err != nil {
		return fmt.Errorf("read the machines: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return fmt.Errorf("read the machines: %w", err)
		}
		if err := d.readMachine(ctx, id); err != nil {
			return err
		}
	}
	return rows.Err()
}

// readMachine reads what the records say of a machine.
func (d *Desk) readMachine(ctx context.Context, id string) error {
	m := d.machine(id)
	var name, kind, point string
	var heard int64
	err := d.r.QueryRowContext(ctx, "SELECT agent, name, type, heard, point FROM machines WHERE machine = ?", id).Scan(&m.Agent, &name, &kind, &heard, &point)
	if err != nil {
		return fmt.Errorf("read the machine %s: %w", id, err)
	}
	d.bridges[m.Agent] = true
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
	if at := instant(heard); m.Heard == nil || at.After(*m.Heard) {
		m.Heard = &at
	}
	last, err := d.Runs(ctx, id, 1)
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

// publishMachines tells the pages which machines and runs have changed.
func (d *Desk) publishMachines(ctx context.Context, in *intake) error {
	var errs []error
	for id := range in.machines {
		errs = append(errs, d.readMachine(ctx, id))
	}
	if in.runs {
		d.runsChanged++
		errs = append(errs, live.Set(d.Hub, "runs", struct {
			Version int `json:"version"`
		}{d.runsChanged}))
	}
	return errors.Join(errs...)
}

// beats takes what a bridge's heartbeat says of its machines.
func (d *Desk) beats(l presence.Agent) {
	for _, b := range l.Machines {
		m := d.machine(b.Machine)
		if !l.Heard.After(m.beat) {
			if l.State != fact.Online {
				m.State = fact.MachineSilent
			}
			continue
		}
		m.beat, m.Agent, m.Name, m.Type, m.State = l.Heard, l.Agent, b.Name, b.Type, b.State
		m.Battery, m.Tank, m.Lat, m.Lon, m.Run, m.Fault = b.Battery, b.Tank, b.Lat, b.Lon, b.Run, b.Fault
		d.bridges[l.Agent] = true
		if b.State != fact.MachineGone || b.IdleS > 0 {
			at := l.Heard.Add(-time.Duration(b.IdleS) * time.Second).UTC().Truncate(time.Second)
			m.Heard = &at
		}
	}
}

// lookMachines tells the pages how the machines stand.
func (d *Desk) lookMachines(now time.Time) error {
	var errs []error
	for id, m := range d.machines {
		if m.beat.IsZero() && m.Heard != nil {
			switch {
			case now.Sub(*m.Heard) > reportAfter:
				m.State = fact.MachineGone
			case m.Fault != "":
				m.State = fact.MachineFault
			case m.Run != "" && m.Last.Working:
				m.State = fact.MachineWorking
			case m.Run != "":
				m.State = fact.MachinePaused
			default:
				m.State = fact.MachineIdle
			}
		}
		errs = append(errs, live.Set(d.Hub, "m:"+id, m))
	}
	return errors.Join(errs...)
}
