package fleet

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// change is one transaction's work.
type change struct {
	ctx      context.Context
	tx       *sql.Tx
	machines map[string]bool // of which something was received
	runs     bool            // one has changed
}

// Kinds implements follow.Follower.
func (*Fleet) Kinds() []wire.Kind { return []wire.Kind{wire.KindTrack, wire.KindRun} }

// Apply implements follow.Follower.
func (f *Fleet) Apply(
	ctx context.Context, tx *sql.Tx, _ time.Time, entries []follow.Entry,
) (follow.Committed, error) {
	c := &change{ctx: ctx, tx: tx, machines: map[string]bool{}}
	for _, e := range entries {
		var err error
		switch {
		case e.Ahead:
		case e.Record.Kind == wire.KindTrack:
			err = c.track(e)
		case e.Record.Kind == wire.KindRun:
			err = c.run(e)
		}
		if err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) error { return f.committed(ctx, c) }, nil
}

// committed reads the machines that have changed, and tells the pages when runs
// have.
func (f *Fleet) committed(ctx context.Context, c *change) error {
	var errs []error
	for id := range c.machines {
		errs = append(errs, f.read(ctx, id))
	}
	if c.runs {
		f.version++
		errs = append(errs, live.Set(f.hub, "runs", struct {
			Version int `json:"version"`
		}{f.version}))
	}
	return errors.Join(errs...)
}

// Reset implements follow.Follower.
func (f *Fleet) Reset(ctx context.Context, tx *sql.Tx, jid, former string) (follow.Committed, error) {
	for _, statement := range []string{
		"UPDATE runs SET jid = ? WHERE jid = ?",
		"UPDATE tracks SET jid = ? WHERE jid = ?",
	} {
		if _, err := tx.ExecContext(ctx, statement, former, jid); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// track takes in where a machine was and what it did.
func (c *change) track(e follow.Entry) error {
	t, ok := follow.Body[*wire.Track](e.Record)
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
	_, err = c.tx.ExecContext(c.ctx, `INSERT INTO tracks (machine, at, jid, seq, file, points)
		VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		t.Machine, t.At.UnixNano(), e.JID, e.Record.Seq, file, points)
	if err != nil {
		return fmt.Errorf("keep a track of %s: %w", t.Machine, err)
	}
	if file != "" {
		return c.heard(t.Machine, e.Agent, e.Record.At.Time, nil)
	}
	last := t.Points[len(t.Points)-1]
	return c.heard(t.Machine, e.Agent, t.At.Add(time.Duration(last.TMS)*time.Millisecond), &last)
}

// heard notes when something of a machine was last received, and its last
// point; nil: it is not of now.
func (c *change) heard(machine, agent string, at time.Time, last *wire.TrackPoint) error {
	c.machines[machine] = true
	point := []byte("{}")
	if last != nil {
		var err error
		if point, err = json.Marshal(last); err != nil {
			return err
		}
	}
	_, err := c.tx.ExecContext(c.ctx, `INSERT INTO machines (machine, agent, heard, point) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET agent = excluded.agent, heard = excluded.heard,
		point = CASE WHEN excluded.point = '{}' THEN point ELSE excluded.point END WHERE excluded.heard >= heard`,
		machine, agent, at.UnixNano(), string(point))
	if err != nil {
		return fmt.Errorf("keep the machine %s: %w", machine, err)
	}
	return nil
}

// run takes in a run; the record with the higher seq holds.
func (c *change) run(e follow.Entry) error {
	run, ok := follow.Body[*wire.Run](e.Record)
	if !ok {
		return nil
	}
	c.runs, c.machines[run.Machine] = true, true
	_, err := c.tx.ExecContext(c.ctx, `INSERT INTO runs (machine, run, jid, seq, state, start, finish, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET jid = excluded.jid, seq = excluded.seq,
		state = excluded.state, start = excluded.start, finish = excluded.finish, body = excluded.body
		WHERE jid <> excluded.jid OR seq < excluded.seq`,
		run.Machine, run.ID, e.JID, e.Record.Seq, run.State,
		run.Start.UnixNano(), run.End.UnixNano(), []byte(e.Record.Body))
	if err == nil {
		_, err = c.tx.ExecContext(c.ctx, `INSERT INTO machines (machine, agent, name, type, heard)
			VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET name = excluded.name, type = excluded.type`,
			run.Machine, e.Agent, run.Name, run.Type, run.End.UnixNano())
	}
	if err != nil {
		return fmt.Errorf("keep a run of %s: %w", run.Machine, err)
	}
	return nil
}
