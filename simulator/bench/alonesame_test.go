package bench

import (
	"encoding/json"
	"fmt"
	"strings"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// decisions returns the records of verdicts, their alarms and the guard's answers as the
// journal has them: number, kind and body. Seqs are counted without what a busy computer
// adds: that a disk or a port was slow. What depends on when bytes arrived on real ports
// is left out or rounded: latency_us and duration_ms are measured durations, and the
// instants at which readings came are rounded up to those to which the test set the clock.
func (a *alone) decisions() (out []string) {
	a.t.Helper()
	a.stop()
	v, err := journal.Look(a.cfg.Dir)
	a.must(err)
	defer v.Close()
	c, err := v.Read(1, 10000, 1<<22)
	a.must(err)
	n := numbers{}
	for _, e := range c.Entries {
		body, err := e.Record.DecodeBody()
		a.must(err)
		switch b := body.(type) {
		case *wire.Reading:
			n[e.Record.Seq] = uint64(len(n) + 1)
			continue
		case *wire.Passage:
			n[e.Record.Seq] = uint64(len(n) + 1)
			n.passage(b)
			untime(b)
		case *wire.Alarm:
			if b.Type != fact.AlarmFever && b.Type != fact.AlarmFeverConfirmed && b.Type != fact.AlarmSealedLeaving {
				continue
			}
			n.alarm(b)
		case *wire.Audit:
			if b.Head != nil {
				continue // of the county's own audit, which only a county has
			}
			b.Passage = n[b.Passage]
		default:
			continue
		}
		b, err := json.Marshal(body)
		a.must(err)
		out = append(out, fmt.Sprintf("%d %s %s", n[e.Record.Seq], body.Kind(), b))
	}
	return out
}

// numbers counts readings and passages, by their seqs.
type numbers map[uint64]uint64

func (n numbers) passage(p *wire.Passage) {
	for i, seq := range p.Readings {
		p.Readings[i] = n[seq]
	}
	if p.Entered != nil {
		for i, seq := range p.Entered.Of {
			p.Entered.Of[i] = n[seq]
		}
	}
	if p.Episode != nil {
		p.Episode.ID = wire.EpisodeID(n[wire.EpisodeReading(p.Episode.ID)])
	}
}

// alarm numbers an alarm, whose id ends with a seq: fever:23, fever-confirmed:e47.
func (n numbers) alarm(al *wire.Alarm) {
	al.Passage = n[al.Passage]
	kind, rest, _ := strings.Cut(al.ID, ":")
	if seq := wire.EpisodeReading(rest); seq != 0 {
		al.ID = kind + ":" + wire.EpisodeID(n[seq])
		return
	}
	al.ID = fmt.Sprint(kind, ":", al.Passage)
}

// untime leaves out of a passage what depends on how busy the computer was.
func untime(p *wire.Passage) {
	p.LatencyUS = 0
	if p.Temperature != nil {
		p.Temperature.DurationMS = 0
	}
	var instants []*wire.Time
	if p.Basis != nil {
		instants = append(instants, p.Basis.At, p.Basis.Last)
	}
	if p.Episode != nil {
		instants = append(instants, &p.Episode.Since, &p.Episode.Ready, &p.Episode.Until)
	}
	for _, at := range instants {
		if at != nil {
			at.Time = at.Add(pace - 1).Truncate(pace)
		}
	}
}

// count returns how many of the records are verdicts.
func count(records []string) (n int) {
	for _, r := range records {
		if strings.Contains(r, " passage ") {
			n++
		}
	}
	return n
}
