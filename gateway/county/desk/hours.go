package desk

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/fact"
)

// Hour is what passed in one hour.
type Hour struct {
	At      time.Time `json:"at"` // its beginning
	Pass    int       `json:"pass"`
	Retest  int       `json:"retest"`
	Invalid int       `json:"invalid"`
	Refuse  int       `json:"refuse"`
	Fever   int       `json:"fever"`
	// Mean is the mean screening temperature of those who passed or had fever,
	// °C; null when there was none.
	Mean *fact.Temp `json:"mean_c"`
}

// Hours gives the hours from a time on, of a gate or of all ("").
func (d *Desk) Hours(ctx context.Context, agent string, from time.Time) ([]Hour, error) {
	where := "hour >= ?"
	args := []any{from.Unix() / 3600}
	if agent != "" {
		where += " AND agent = ?"
		args = append(args, agent)
	}
	//nolint:gosec // where is made of constants
	rows, err := d.r.QueryContext(ctx, "SELECT hour, sum(pass), sum(retest), sum(invalid), sum(refuse), sum(fever), sum(temps), sum(sum) FROM hours WHERE "+
		where+" GROUP BY hour ORDER BY hour", args...)
	if err != nil {
		return nil, fmt.Errorf("read the hours: %w", err)
	}
	defer rows.Close()
	out := []Hour{}
	for rows.Next() {
		var h Hour
		var at, temps, sum int64
		if err := rows.Scan(&at, &h.Pass, &h.Retest, &h.Invalid, &h.Refuse, &h.Fever, &temps, &sum); err != nil {
			return nil, fmt.Errorf("read the hours: %w", err)
		}
		h.At = time.Unix(at*3600, 0).UTC()
		if temps > 0 {
			mean := fact.Temp((sum + temps/2) / temps)
			h.Mean = &mean
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

// Passages gives the last passages of a gate, the newest first.
func (d *Desk) Passages(ctx context.Context, agent string, limit int) ([]Passage, error) {
	rows, err := d.r.QueryContext(ctx, `SELECT at, agent, verdict, reasons, screening, ambient, direction, class FROM passages
		WHERE agent = ? ORDER BY at DESC LIMIT ?`, agent, limit)
	if err != nil {
		return nil, fmt.Errorf("read passages: %w", err)
	}
	defer rows.Close()
	out := []Passage{}
	for rows.Next() {
		var p Passage
		var at int64
		var screening, ambient *int64
		var reasons string
		if err := rows.Scan(&at, &p.Agent, &p.Verdict, &reasons, &screening, &ambient, &p.Direction, &p.Class); err != nil {
			return nil, fmt.Errorf("read passages: %w", err)
		}
		p.At, p.Reasons, p.Screening, p.Ambient = instant(at), fact.SplitReasons(reasons), temp(screening), temp(ambient)
		out = append(out, p)
	}
	return out, rows.Err()
}

// loadLatest reads the passages that a later one may amend, and this hour.
func (d *Desk) loadLatest(ctx context.Context) error {
	rows, err := d.r.QueryContext(ctx, `SELECT jid, seq, agent, at, verdict, screening, readings FROM
		(SELECT *, row_number() OVER (PARTITION BY jid ORDER BY seq DESC) n FROM passages) WHERE n <= ? ORDER BY jid, seq`, pairs)
	if err != nil {
		return fmt.Errorf("read passages: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var jid, readings string
		var p past
		var at int64
		var screening *int64
		if err := rows.Scan(&jid, &p.seq, &p.agent, &at, &p.verdict, &screening, &readings); err != nil {
			return fmt.Errorf("read passages: %w", err)
		}
		if err := json.Unmarshal([]byte(readings), &p.readings); err != nil {
			return fmt.Errorf("read passages: %w", err)
		}
		p.hour, p.screening = at/int64(time.Hour), temp(screening)
		d.latest[jid] = append(d.latest[jid], p)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return d.loadHour(ctx)
}

func (d *Desk) loadHour(ctx context.Context) error {
	now := time.Now()
	hours, err := d.Hours(ctx, "", now)
	d.today = day{hour: now.Unix() / 3600, verdicts: map[fact.Verdict]int{}}
	if len(hours) > 0 {
		h := hours[0]
		d.today.verdicts = map[fact.Verdict]int{fact.VerdictPass: h.Pass, fact.VerdictRetest: h.Retest, fact.VerdictInvalid: h.Invalid,
			fact.VerdictRefuse: h.Refuse, fact.VerdictFever: h.Fever}
	}
	return err
}

// feedAgain reads the county's last passages for the pages.
func (d *Desk) feedAgain(ctx context.Context) error {
	rows, err := d.r.QueryContext(ctx, "SELECT DISTINCT agent FROM progress")
	if err != nil {
		return fmt.Errorf("read the desk: %w", err)
	}
	agents, err := names(rows)
	if err != nil {
		return err
	}
	for _, a := range agents {
		list, err := d.Passages(ctx, a, 2)
		if err != nil {
			return err
		}
		d.feed = append(d.feed, list...)
	}
	slices.SortFunc(d.feed, func(a, b Passage) int { return b.At.Compare(a.At) })
	d.feed = d.feed[:min(len(d.feed), feedLength)]
	return nil
}

func names(rows *sql.Rows) (out []string, err error) {
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
