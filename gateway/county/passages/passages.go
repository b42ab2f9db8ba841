// Package passages counts what passed the county's gates by the hour, and keeps
// the last passages of each. It follows the store; its tables are in the desk's
// file.
package passages

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/rollup"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
)

const (
	recentFor   = 72 * time.Hour // passages that a gate's page lists
	recentCount = 200            // of each gate, at most
	feedLength  = 14             // passages on the county's page
)

// Passage is one verdict for the pages.
type Passage struct {
	Journal   string        `json:"journal"`
	Seq       uint64        `json:"seq"` // of its record in the journal
	At        time.Time     `json:"at"`
	Agent     string        `json:"agent"`
	Verdict   fact.Verdict  `json:"verdict"`
	Reasons   []fact.Reason `json:"reasons"`
	Screening *fact.Temp    `json:"screening_c,omitempty"`
	Ambient   *fact.Temp    `json:"ambient_c,omitempty"`
	Direction string        `json:"direction,omitempty"`
	Class     string        `json:"class,omitempty"`
}

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

// Passages is the county's count. Hours and Last may be called from any
// goroutine, the others from the one that follows the store.
type Passages struct {
	file *db.File
	hub  *live.Hub

	latest  map[string][]passage // by jid: the last ones, oldest first
	feed    []Passage            // the county's last, the newest first
	current current
}

// current is what passed in the newest hour of which something is known.
type current struct {
	hour     int64 // unix hours
	verdicts map[fact.Verdict]int
}

// New reads what the file has. It shows the last passages of the county on hub
// as feed.
func New(ctx context.Context, file *db.File, hub *live.Hub, now time.Time) (*Passages, error) {
	p := &Passages{file: file, hub: hub, latest: map[string][]passage{}, feed: []Passage{}}
	if err := p.loadLatest(ctx); err != nil {
		return nil, fmt.Errorf("read passages: %w", err)
	}
	hours, err := p.Hours(ctx, "", now)
	if err != nil {
		return nil, err
	}
	p.current = current{hour: unixHour(now), verdicts: map[fact.Verdict]int{}}
	if len(hours) > 0 {
		h := hours[0]
		p.current = current{hour: unixHour(h.At), verdicts: map[fact.Verdict]int{
			fact.VerdictPass: h.Pass, fact.VerdictRetest: h.Retest, fact.VerdictInvalid: h.Invalid,
			fact.VerdictRefuse: h.Refuse, fact.VerdictFever: h.Fever}}
	}
	return p, nil
}

func unixHour(t time.Time) int64 { return t.Unix() / 3600 }

// loadLatest reads the passages that a later one may amend.
func (p *Passages) loadLatest(ctx context.Context) error {
	type row struct {
		jid string
		passage
	}
	scan := func(r db.Row) (x row, err error) {
		var at int64
		var readings string
		if err := r.Scan(&x.jid, &x.seq, &x.agent, &at, &x.verdict, &x.screening, &readings); err != nil {
			return x, err
		}
		x.hour = unixHour(time.Unix(0, at))
		return x, x.parse(readings)
	}
	const query = `SELECT jid, seq, agent, at, verdict, screening, readings FROM
		(SELECT *, row_number() OVER (PARTITION BY jid ORDER BY seq DESC) n FROM passages)
		WHERE n <= ? ORDER BY jid, seq`
	for x, err := range db.Rows(ctx, p.file.Reader(), scan, query, rollup.Amendable) {
		if err != nil {
			return err
		}
		p.latest[x.jid] = append(p.latest[x.jid], x.passage)
	}
	return nil
}

// Show sends the last passages of the given agents to the pages, at the start.
func (p *Passages) Show(ctx context.Context, agents []string) error {
	p.feed = []Passage{}
	for _, a := range agents {
		list, err := p.Last(ctx, a, 2)
		if err != nil {
			return err
		}
		p.feed = append(p.feed, list...)
	}
	slices.SortFunc(p.feed, func(a, b Passage) int { return b.At.Compare(a.At) })
	p.feed = p.feed[:min(len(p.feed), feedLength)]
	return live.Set(p.hub, "feed", p.feed)
}

// ThisHour returns how many of each verdict there were since the hour of now
// began, and that hour (unix hours). A later hour is returned while the clocks of
// gates are ahead.
func (p *Passages) ThisHour(now time.Time) (hour int64, verdicts map[fact.Verdict]int) {
	if unixHour(now) > p.current.hour {
		return unixHour(now), map[fact.Verdict]int{}
	}
	return p.current.hour, p.current.verdicts
}

// Hours returns the hours from a time on, of a gate or of all ("").
func (p *Passages) Hours(ctx context.Context, agent string, from time.Time) ([]Hour, error) {
	query := `SELECT hour, sum(pass), sum(retest), sum(invalid), sum(refuse), sum(fever), sum(temps), sum(sum)
		FROM hours WHERE hour >= ? GROUP BY hour ORDER BY hour`
	args := []any{unixHour(from)}
	if agent != "" { // a statement of its own, so that the index of agents is used
		query = strings.Replace(query, "hour >= ?", "hour >= ? AND agent = ?", 1)
		args = append(args, agent)
	}
	out, err := db.All(ctx, p.file.Reader(), scanHour, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the hours: %w", err)
	}
	return out, nil
}

func scanHour(r db.Row) (h Hour, err error) {
	var hour, temps, sum int64
	err = r.Scan(&hour, &h.Pass, &h.Retest, &h.Invalid, &h.Refuse, &h.Fever, &temps, &sum)
	h.At = time.Unix(hour*3600, 0).UTC()
	if temps > 0 {
		h.Mean = new(fact.Temp((sum + temps/2) / temps))
	}
	return h, err
}

// Last returns the last passages of a gate, the newest first.
func (p *Passages) Last(ctx context.Context, agent string, limit int) ([]Passage, error) {
	scan := func(r db.Row) (x Passage, err error) {
		var at int64
		var reasons string
		err = r.Scan(&x.Journal, &x.Seq, &at, &x.Agent, &x.Verdict, &reasons, &x.Screening, &x.Ambient,
			&x.Direction, &x.Class)
		x.At, x.Reasons = time.Unix(0, at).UTC(), []fact.Reason{}
		for reason := range strings.FieldsSeq(reasons) {
			x.Reasons = append(x.Reasons, fact.Reason(reason))
		}
		return x, err
	}
	out, err := db.All(ctx, p.file.Reader(), scan, `SELECT jid, seq, at, agent, verdict, reasons, screening, ambient,
		direction, class FROM passages WHERE agent = ? ORDER BY at DESC LIMIT ?`, agent, limit)
	if err != nil {
		return nil, fmt.Errorf("read passages: %w", err)
	}
	return out, nil
}

// Prune deletes passages that no page lists.
func (p *Passages) Prune(ctx context.Context, now time.Time) error {
	return p.file.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM passages WHERE at < ? OR (jid, seq) IN (SELECT jid, seq FROM
			(SELECT jid, seq, row_number() OVER (PARTITION BY agent ORDER BY at DESC) n FROM passages) WHERE n > ?)`,
			now.Add(-recentFor).UnixNano(), recentCount)
		if err != nil {
			return fmt.Errorf("delete old passages: %w", err)
		}
		return nil
	})
}
