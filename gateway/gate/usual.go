package gate

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/gateway/baseline"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

const (
	// recordEvery is after how many readings what is usual is recorded again.
	recordEvery = 50
	// recordAfter keeps it among the records that a journal keeps, for a restart.
	recordAfter = 24 * time.Hour
	// highMost is how many people who are to measure again are remembered.
	highMost = 32
)

// meters is what the gate knows of its thermometers.
type meters struct {
	by       map[string]*meter
	recorded time.Duration // when all that is usual was recorded last
	highs    []high        // people who are to measure again, the oldest first
}

// meter is what the gate knows of one thermometer.
type meter struct {
	usual   baseline.Memory
	doubted bool // its readings do not count, but for a fever
	checked bool // it is being compared with a contact thermometer: it passes nobody
}

func (m *meters) of(device string) *meter {
	x := m.by[device]
	if x == nil {
		x = &meter{}
		m.by[device] = x
	}
	return x
}

// high is somebody who was told to measure again because the value was high for the gate.
type high struct {
	lane, credential string
	at               time.Duration // boot clock
	alone            bool          // nobody else was in the lane since then
}

// high compares a value that is normal otherwise with what is usual, and returns what it
// was compared with; nil: that is not known, or the policy does not ask for it.
func (g *Gate) high(device string, t *wire.Temperature) (u *wire.Usual, high bool) {
	if g.cfg.Rules.Baseline == nil {
		return nil, false
	}
	x, known := g.meters.of(device).usual.Usual(*g.cfg.Rules.Baseline, t.Ambient)
	if !known {
		return nil, false
	}
	return &wire.Usual{Ambient: x.Ambient, Readings: x.Readings, Median: x.Median + t.Offset, Spread: x.Spread,
		High: x.High + t.Offset}, t.Object >= x.High
}

// learn takes a measurement into what is usual, after it was judged. A later value of the
// same person is none.
func (g *Gate) learn(device string, t *temp) {
	judged := t.verdict == fact.VerdictPass || slices.Contains(t.reasons, fact.ReasonHighForGate)
	if g.cfg.Rules.Baseline != nil && judged && !t.value.Supersedes {
		g.meters.of(device).usual.Add(t.value.Ambient, t.value.Object)
	}
}

// RememberReading takes over a measurement of before a restart, in the order of the
// journal, that Observe does not take.
func (g *Gate) RememberReading(r *wire.Reading) {
	if r.Temperature == nil || g.by[r.Device] == nil {
		return
	}
	g.learn(r.Device, g.judge(r.Device, r.Temperature))
}

// RememberBaseline takes over a record of what is usual, in the order of the journal.
func (g *Gate) RememberBaseline(b *wire.Baseline) {
	g.meters.of(b.Device).usual.Restore(baseline.Range{Ambient: b.Ambient, Values: b.Values})
}

// Baselines returns what is usual where it is to be recorded. The agent calls it every
// second.
func (g *Gate) Baselines(now clock.Moment) (out []*wire.Baseline) {
	if g.cfg.Rules.Baseline == nil {
		return nil
	}
	fresh := recordEvery
	if now.Boot-g.meters.recorded >= recordAfter {
		fresh, g.meters.recorded = 0, now.Boot
	}
	for _, l := range g.lanes {
		for _, device := range l.Thermometers {
			for _, r := range g.meters.of(device).usual.Due(fresh) {
				out = append(out, &wire.Baseline{Device: device, Ambient: r.Ambient, Values: r.Values})
			}
		}
	}
	return out
}

// again reports whether a passage is the second in a row in which the value of the same
// person is high for the gate: then measuring once more helps nobody. now is by the boot
// clock. A value that has risen while the person stood there is the same measurement.
func (m *meters) again(now time.Duration, p *wire.Passage) bool {
	m.highs = slices.DeleteFunc(m.highs, func(h high) bool { return now-h.at > policy.RetestWithin })
	mixed := slices.Contains(p.Reasons, fact.ReasonOneAtATime)
	if !slices.Contains(p.Reasons, fact.ReasonHighForGate) || p.Verdict != fact.VerdictRetest || mixed {
		m.others(p)
		return false
	}
	i := slices.IndexFunc(m.highs, func(h high) bool {
		return p.Credential != "" && h.credential == p.Credential ||
			h.lane == p.Lane && h.alone && (h.credential == "" || p.Credential == "")
	})
	is := high{lane: p.Lane, credential: p.Credential, at: now, alone: true}
	if i >= 0 {
		is.credential = cmp.Or(p.Credential, m.highs[i].credential)
		m.highs = slices.Delete(m.highs, i, i+1)
	}
	m.highs = append(m.highs, is)
	m.highs = m.highs[max(0, len(m.highs)-highMost):]
	return i >= 0 && !p.Temperature.Supersedes
}

// others notes a passage in which nothing is high. Who has passed, has a fever, or was
// measured by hand need not measure again.
func (m *meters) others(p *wire.Passage) {
	done := p.Verdict == fact.VerdictPass || p.Verdict == fact.VerdictFever || p.Entered != nil
	m.highs = slices.DeleteFunc(m.highs, func(h high) bool {
		return done && (p.Credential != "" && h.credential == p.Credential || h.credential == "" && h.lane == p.Lane)
	})
	for i := range m.highs {
		if m.highs[i].lane == p.Lane && m.highs[i].credential != p.Credential {
			m.highs[i].alone = false
		}
	}
}
