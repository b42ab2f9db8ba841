package alerts

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Settled is what a second measurement has said of somebody with a fever.
type Settled struct {
	Step      fact.EpisodeStep `json:"step"` // cleared: no fever; confirmed: a fever again
	At        time.Time        `json:"at"`
	Screening *fact.Temp       `json:"screening_c,omitempty"`
	With      fact.HandHeld    `json:"with,omitempty"` // empty: a thermometer of the gate
}

const (
	// feversKept is how long it is known which episode a passage was of: longer than an
	// episode may last.
	feversKept = 3 * 24 * time.Hour
	// clearedShown is how long a fever that a second measurement has cleared stays on the
	// list while nobody acknowledges it.
	clearedShown = 30 * time.Minute
)

// passage takes in a passage of a fever episode. The alert of the first measurement names
// its passage, and the second measurement names the episode: the table fevers has both.
func (c *change) passage(e follow.Entry) error {
	p, ok := follow.Body[*wire.Passage](e.Record)
	if !ok || e.Ahead || p.Episode == nil {
		return nil
	}
	if err := c.keepFever(e, p); err != nil {
		return err
	}
	s := Settled{Step: p.Episode.Step, At: e.Record.At.UTC(), Screening: p.Screening()}
	if p.Entered != nil {
		s.With = p.Entered.With
	}
	var cleared *int64
	switch s.Step {
	case fact.EpisodeCleared:
		cleared = new(s.At.UnixNano())
	case fact.EpisodeConfirmed:
	default:
		return nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	// A fever that is confirmed stays confirmed, whoever else measures it, unless it is cleared.
	err = c.exec(`UPDATE fevers SET settled = ?, cleared = ? WHERE jid = ? AND episode = ?
		AND (settled = '' OR ? IS NOT NULL)`, string(text), cleared, e.JID, p.Episode.ID, cleared)
	if err != nil {
		return err
	}
	return c.settleFevers("f.jid = ? AND f.episode = ?", e.JID, p.Episode.ID)
}

// keepFever notes which episode a passage is of. When it turns out whose card belongs to a
// measurement, the episode that it has opened may be another one.
func (c *change) keepFever(e follow.Entry, p *wire.Passage) error {
	for _, reading := range p.Readings {
		if id := wire.EpisodeID(reading); id != p.Episode.ID && p.Amends {
			err := c.exec("UPDATE fevers SET episode = ? WHERE jid = ? AND episode = ?", p.Episode.ID, e.JID, id)
			if err != nil {
				return err
			}
		}
	}
	if err := c.exec("DELETE FROM fevers WHERE at < ?", c.now.Add(-feversKept).UnixNano()); err != nil {
		return err
	}
	return c.exec("INSERT INTO fevers (jid, passage, episode, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		e.JID, e.Record.Seq, p.Episode.ID, c.now.UnixNano())
}

// settleFevers notes on alerts what second measurements have said, of the rows f of fevers
// that are meant. A fever that is cleared ends; one that is confirmed goes on.
func (c *change) settleFevers(which string, args ...any) error {
	return c.update(`UPDATE alerts SET settled = f.settled, cleared = coalesce(alerts.cleared, f.cleared)
		FROM fevers f WHERE f.jid = alerts.jid AND f.passage = alerts.passage AND f.settled <> ''
		AND f.settled <> alerts.settled AND (alerts.type = '`+string(fact.AlarmFever)+`'
		OR alerts.type = '`+string(fact.AlarmFeverConfirmed)+`' AND f.cleared IS NOT NULL)
		AND `+which+` RETURNING id`, args...)
}

func (c *change) exec(statement string, args ...any) error {
	_, err := c.tx.ExecContext(c.ctx, statement, args...)
	return err
}

// Tidy takes fevers off the list that a second measurement has cleared a while ago: they
// need nobody any more. A confirmed fever stays until somebody acknowledges it.
func (a *Alerts) Tidy(ctx context.Context, now time.Time) error {
	ids, err := db.All(ctx, a.file.Reader(), db.Value[int64], "SELECT id FROM alerts WHERE type = '"+
		string(fact.AlarmFever)+"' AND acked IS NULL AND cleared < ?", now.Add(-clearedShown).UnixNano())
	if err != nil {
		return err
	}
	for _, id := range ids {
		_, err := a.file.Exec(ctx, "UPDATE alerts SET acked = ? WHERE id = ? AND acked IS NULL", now.UnixNano(), id)
		if err != nil {
			return err
		}
		if err := a.show(ctx, id); err != nil {
			return err
		}
	}
	return nil
}
