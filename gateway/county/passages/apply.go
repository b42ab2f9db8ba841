package passages

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/county/rollup"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// passage is one that a later one may amend.
type passage struct {
	seq       uint64
	agent     string
	hour      int64 // unix hours
	verdict   fact.Verdict
	screening *fact.Temp
	readings  []uint64 // seqs
}

func (p *passage) parse(readings string) error { return json.Unmarshal([]byte(readings), &p.readings) }

// change is one transaction's work.
type change struct {
	p      *Passages
	ctx    context.Context
	tx     *sql.Tx
	now    time.Time
	latest map[string][]passage // by jid, of those that it changes
	hours  map[hourKey]*gain
	fresh  []Passage // for the feed
}

type hourKey struct {
	agent string
	hour  int64
}

// gain is what an hour of a gate gains.
type gain struct {
	verdicts   map[fact.Verdict]int
	temps, sum int
}

// Kinds implements follow.Follower.
func (*Passages) Kinds() []wire.Kind { return []wire.Kind{wire.KindPassage} }

// Apply implements follow.Follower.
func (p *Passages) Apply(
	ctx context.Context, tx *sql.Tx, now time.Time, entries []follow.Entry,
) (follow.Committed, error) {
	c := &change{p: p, ctx: ctx, tx: tx, now: now, latest: map[string][]passage{}, hours: map[hourKey]*gain{}}
	for _, e := range entries {
		if e.Record.Kind != wire.KindPassage || e.Ahead {
			continue
		}
		if err := c.passage(e); err != nil {
			return nil, err
		}
	}
	if err := c.writeHours(); err != nil {
		return nil, err
	}
	return func(context.Context) error { return p.committed(c) }, nil
}

// committed takes over what a change has changed, and shows it.
func (p *Passages) committed(c *change) error {
	for jid, list := range c.latest {
		p.latest[jid] = list
	}
	for k, g := range c.hours {
		if k.hour > p.current.hour {
			p.current = current{hour: k.hour, verdicts: map[fact.Verdict]int{}}
		}
		if k.hour == p.current.hour {
			for v, n := range g.verdicts {
				p.current.verdicts[v] += n
			}
		}
	}
	if len(c.fresh) == 0 {
		return nil
	}
	slices.Reverse(c.fresh)
	p.feed = append(c.fresh, p.feed...)
	p.feed = p.feed[:min(len(p.feed), feedLength)]
	return live.Set(p.hub, "feed", p.feed)
}

// Reset implements follow.Follower.
func (p *Passages) Reset(ctx context.Context, tx *sql.Tx, jid, former string) (follow.Committed, error) {
	if _, err := tx.ExecContext(ctx, "UPDATE passages SET jid = ? WHERE jid = ?", former, jid); err != nil {
		return nil, err
	}
	return func(context.Context) error { delete(p.latest, jid); return nil }, nil
}

// of returns the last passages of a journal with those of this change.
func (c *change) of(jid string) []passage {
	list, ok := c.latest[jid]
	if !ok {
		list = slices.Clone(c.p.latest[jid])
		c.latest[jid] = list
	}
	return list
}

func (c *change) passage(e follow.Entry) error {
	body, ok := follow.Body[*wire.Passage](e.Record)
	if !ok {
		return nil
	}
	at := e.Record.At.Time
	now := passage{seq: e.Record.Seq, agent: e.Agent, hour: unixHour(at), verdict: body.Verdict,
		readings: body.Readings}
	var ambient *fact.Temp
	now.screening = body.Screening()
	if body.Temperature != nil {
		ambient = &body.Temperature.Ambient
	}
	if body.Amends {
		if err := c.amend(e.JID, now); err != nil {
			return err
		}
	}
	c.count(now, 1)
	list := append(c.of(e.JID), now)
	c.latest[e.JID] = list[max(0, len(list)-rollup.Amendable):]
	if c.now.Sub(at) > recentFor {
		return nil
	}
	shown := Passage{Journal: e.JID, Seq: e.Record.Seq, At: at, Agent: e.Agent, Verdict: body.Verdict,
		Reasons: body.Reasons, Screening: now.screening,
		Ambient: ambient, Direction: string(body.Direction), Class: body.Class}
	if !e.Rebuilt {
		c.fresh = append(c.fresh, shown)
	}
	return c.insert(e, shown, body.Readings)
}

func (c *change) insert(e follow.Entry, p Passage, seqs []uint64) error {
	readings, err := json.Marshal(seqs)
	if err != nil {
		return err
	}
	reasons := make([]string, 0, len(p.Reasons))
	for _, r := range p.Reasons {
		reasons = append(reasons, string(r))
	}
	_, err = c.tx.ExecContext(c.ctx, `INSERT OR REPLACE INTO passages
		(jid, seq, agent, at, verdict, reasons, screening, ambient, direction, class, readings)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.JID, e.Record.Seq, p.Agent, p.At.UnixNano(), p.Verdict, strings.Join(reasons, " "),
		p.Screening, p.Ambient, p.Direction, p.Class, string(readings))
	if err != nil {
		return fmt.Errorf("keep a passage of %s: %w", p.Agent, err)
	}
	return nil
}

// amend takes away the passage that now replaces: the last one that used one of
// its readings.
func (c *change) amend(jid string, now passage) error {
	list := c.of(jid)
	for i, old := range slices.Backward(list) {
		if slices.ContainsFunc(old.readings, func(seq uint64) bool { return slices.Contains(now.readings, seq) }) {
			c.count(old, -1)
			c.latest[jid] = slices.Delete(list, i, i+1)
			_, err := c.tx.ExecContext(c.ctx, "DELETE FROM passages WHERE jid = ? AND seq = ?", jid, old.seq)
			if err != nil {
				return fmt.Errorf("amend a passage of %s: %w", now.agent, err)
			}
			return nil
		}
	}
	return nil
}

// count adds a passage to its hour, or takes it away. Temperatures count where
// they are believed: of those who passed, and of fevers.
func (c *change) count(p passage, by int) {
	g := c.gain(hourKey{p.agent, p.hour})
	g.verdicts[p.verdict] += by
	if p.screening != nil && believed(p.verdict) {
		g.temps += by
		g.sum += by * int(*p.screening)
	}
}

func (c *change) gain(k hourKey) *gain {
	g := c.hours[k]
	if g == nil {
		g = &gain{verdicts: map[fact.Verdict]int{}}
		c.hours[k] = g
	}
	return g
}

// believed reports whether the temperature counts of a passage with a verdict.
func believed(v fact.Verdict) bool { return v == fact.VerdictPass || v == fact.VerdictFever }

func (c *change) writeHours() error {
	for k, g := range c.hours {
		v := g.verdicts
		_, err := c.tx.ExecContext(c.ctx, `INSERT INTO hours
			(agent, hour, pass, retest, invalid, refuse, fever, temps, sum)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET pass = pass + excluded.pass,
			retest = retest + excluded.retest, invalid = invalid + excluded.invalid, refuse = refuse + excluded.refuse,
			fever = fever + excluded.fever, temps = temps + excluded.temps, sum = sum + excluded.sum`,
			k.agent, k.hour, v[fact.VerdictPass], v[fact.VerdictRetest], v[fact.VerdictInvalid],
			v[fact.VerdictRefuse], v[fact.VerdictFever], g.temps, g.sum)
		if err != nil {
			return fmt.Errorf("count the passages of %s: %w", k.agent, err)
		}
	}
	return nil
}
