package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/reckon"
	"gatehouse/gateway/wire"
)

// hashOf identifies a report by its bytes and what was read from them, because
// topics differ in that, and a part of a file by its number.
func hashOf(t *wire.Track) []byte {
	if t.Import != nil {
		return hashText(fmt.Sprintf("%s %d", t.Import.ID, t.Import.Part))
	}
	text := t.Raw
	for _, p := range t.Points {
		values, _ := json.Marshal(p.Values) // numbers and texts: it can't fail
		text += string(values)
	}
	return hashText(text)
}

func hashText(text string) []byte {
	sum := wire.Hash([]byte(text))
	return sum[:16]
}

// seen returns when a report with the same content arrived last; found is false when
// none is indexed.
func (x *index) seen(ctx context.Context, t *wire.Track) (arrived time.Time, found bool, err error) {
	// Earlier versions took the bytes alone.
	at, found, err := db.One(ctx, x.file.Reader(), db.Value[int64],
		"SELECT arrived FROM reports WHERE machine = ? AND hash IN (?, ?) ORDER BY +arrived DESC LIMIT 1",
		t.Machine, hashOf(t), hashText(t.Raw))
	if err != nil {
		return arrived, false, fmt.Errorf("look for a report of %s: %w", t.Machine, err)
	}
	return time.Unix(0, at).UTC(), found, nil
}

// tracks returns the reports that a machine made from a time to another, in the order
// of their arrival, without parts of files.
func (x *index) tracks(ctx context.Context, machine string, from, to time.Time) ([]kept, error) {
	scan := func(r db.Row) (k kept, err error) {
		var at int64
		var raw []byte
		if err := r.Scan(&at, &raw); err != nil {
			return k, err
		}
		k.at, k.Track = time.Unix(0, at).UTC(), new(wire.Track)
		return k, json.Unmarshal(raw, k.Track)
	}
	out, err := db.All(ctx, x.file.Reader(), scan, `SELECT at, track FROM reports
		WHERE machine = ? AND at BETWEEN ? AND ? AND import = '' ORDER BY arrived, id`,
		machine, from.UnixNano(), to.UnixNano())
	if err != nil {
		return nil, fmt.Errorf("read the reports of %s: %w", machine, err)
	}
	return out, nil
}

// newest returns the time of a machine's newest report; ok is false when it has none.
func (x *index) newest(ctx context.Context, machine string) (at time.Time, ok bool, err error) {
	ns, ok, err := db.One(ctx, x.file.Reader(), db.Value[int64],
		"SELECT at FROM reports WHERE machine = ? AND import = '' ORDER BY at DESC LIMIT 1", machine)
	if err != nil {
		return at, false, fmt.Errorf("read the reports of %s: %w", machine, err)
	}
	return time.Unix(0, ns).UTC(), ok, nil
}

// extent returns the first and the last time of the reports that arrived at since or
// later; ok is false when there are none.
func (x *index) extent(ctx context.Context, machine string, since time.Time) (s span, ok bool, err error) {
	scan := func(r db.Row) (s span, err error) {
		var from, to sql.NullInt64
		if err := r.Scan(&from, &to); err != nil || !from.Valid {
			return s, err
		}
		return span{time.Unix(0, from.Int64).UTC(), time.Unix(0, to.Int64).UTC()}, nil
	}
	s, _, err = db.One(ctx, x.file.Reader(), scan, `SELECT min(at), max(at) FROM reports
		WHERE machine = ? AND arrived >= ? AND import = ''`, machine, since.UnixNano())
	if err != nil {
		return s, false, fmt.Errorf("read the reports of %s: %w", machine, err)
	}
	return s, !s.From.IsZero(), nil
}

// shift judges anew the reports that arrived at since or later: they lie at the time
// of the machine's clock plus offset, except those that would lie in the future, or
// longer ago than any delay.
func (x *index) shift(ctx context.Context, machine string, since time.Time, offset time.Duration) error {
	_, err := x.file.Exec(ctx, `UPDATE reports SET at = own + ?
		WHERE machine = ? AND arrived >= ? AND import = '' AND own + ? BETWEEN arrived - ? AND arrived + ?`,
		int64(offset), machine, since.UnixNano(), int64(offset), int64(reckon.TooLate), int64(reckon.Slack))
	if err != nil {
		return fmt.Errorf("shift the reports of %s: %w", machine, err)
	}
	return nil
}

// state returns what is kept of a machine's stream; the zero value when nothing is.
func (x *index) state(ctx context.Context, machine string) (s state, err error) {
	raw, found, err := db.One(ctx, x.file.Reader(), db.Value[[]byte],
		"SELECT state FROM streams WHERE machine = ?", machine)
	if err == nil && found {
		err = json.Unmarshal(raw, &s)
	}
	if err != nil {
		return s, fmt.Errorf("read the stream of %s: %w", machine, err)
	}
	return s, nil
}

// keep keeps the state of a machine's stream.
func (x *index) keep(ctx context.Context, machine string, s state) error {
	raw, err := json.Marshal(s)
	if err == nil {
		_, err = x.file.Exec(ctx, `INSERT INTO streams VALUES (?, ?)
			ON CONFLICT DO UPDATE SET state = excluded.state`, machine, raw)
	}
	if err != nil {
		return fmt.Errorf("keep the stream of %s: %w", machine, err)
	}
	return nil
}

// countParts returns how many parts of an imported file have come.
func (x *index) countParts(ctx context.Context, machine, file string) (int, error) {
	n, _, err := db.One(ctx, x.file.Reader(), db.Value[int],
		"SELECT count(*) FROM reports WHERE machine = ? AND import = ? AND import <> ''", machine, file)
	if err != nil {
		return 0, fmt.Errorf("count the parts of a file: %w", err)
	}
	return n, nil
}

// parts returns the parts of an imported file that have come.
func (x *index) parts(ctx context.Context, machine, file string) ([]*wire.Track, error) {
	return bodies[wire.Track](ctx, x, "SELECT track FROM reports WHERE machine = ? AND import = ? ORDER BY at",
		machine, file)
}

// runs returns a machine's runs that overlap a span of time and were not
// withdrawn, in the order of their begin.
func (x *index) runs(ctx context.Context, machine string, from, to time.Time) ([]*wire.Run, error) {
	return bodies[wire.Run](ctx, x, `SELECT body FROM runs
		WHERE machine = ? AND start <= ? AND finish >= ? AND state <> 'withdrawn' ORDER BY start`,
		machine, to.UnixNano(), from.UnixNano())
}

// open returns the run of a machine that is open; nil when none is.
func (x *index) open(ctx context.Context, machine string) (*wire.Run, error) {
	found, err := bodies[wire.Run](ctx, x, `SELECT body FROM runs
		WHERE machine = ? AND state = 'open' ORDER BY start DESC LIMIT 1`, machine)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// bodies decodes the records' bodies that a query returns.
func bodies[B any](ctx context.Context, x *index, query string, args ...any) ([]*B, error) {
	scan := func(r db.Row) (*B, error) {
		raw, err := db.Value[[]byte](r)
		if err != nil {
			return nil, err
		}
		body := new(B)
		return body, json.Unmarshal(raw, body)
	}
	out, err := db.All(ctx, x.file.Reader(), scan, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read reports and runs: %w", err)
	}
	return out, nil
}

// machines returns the machines that ever reported.
func (x *index) machines(ctx context.Context) ([]string, error) {
	out, err := db.All(ctx, x.file.Reader(), db.Value[string], "SELECT DISTINCT machine FROM reports")
	if err != nil {
		return nil, fmt.Errorf("read the machines that reported: %w", err)
	}
	return out, nil
}
