package bridge

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/devices/unheard"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
)

// adviceFor is how long an advice holds after it was last given.
const adviceFor = 90 * time.Second

// trouble is what keeps a machine from being understood.
type trouble struct {
	text string
	last time.Duration // boot clock: when it was last said
	all  bool          // nothing of the machine is understood on the link
}

// troubles holds, by source and advice, what the links of a machine say.
type troubles map[string]trouble

// text returns what all sources say.
func (t troubles) text() string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(t)) {
		all = append(all, t[key].text)
	}
	return strings.Join(all, "; ")
}

// misunderstood takes an error of a source that says that nothing of a machine, or a
// part of it, is understood, and reports whether it is such a one. The source says so
// again for as long as that lasts; the log has what is new, and counts.
func (b *Bridge) misunderstood(now clock.Moment, m *bridged, source string, err error) bool {
	var none *unheard.Error
	var part *unheard.Advice
	key, text := source, ""
	switch {
	case errors.As(err, &none):
		if old, again := m.unheard[key]; again && strings.HasSuffix(old.text, none.Try) {
			old.last = now.Boot
			m.unheard[key] = old
			return true
		}
		text = none.Error()
	case errors.As(err, &part):
		text = part.Text
		key += " " + text
	default:
		return false
	}
	again := m.unheard[key].text == text
	m.unheard[key] = trouble{text: text, last: now.Boot, all: none != nil}
	if !again || part != nil && part.Frames > 0 {
		b.opts.Log.Warn("a machine is not understood", "machine", m.Machine(), "source", source, "err", err)
	}
	if !again && m.state != fact.DeviceOK {
		b.setState(now, m, fact.DeviceGone, m.unheard.text())
	}
	return true
}

// understood notes that a source has read values of a machine.
func (b *Bridge) understood(m *bridged, source string) {
	if t, was := m.unheard[source]; was && t.all {
		delete(m.unheard, source)
		b.opts.Log.Info("a machine is understood again", "machine", m.Machine(), "source", source)
	}
}

// forget ends the advices that were not given again.
func (b *Bridge) forget(now clock.Moment, m *bridged) {
	for key, t := range m.unheard {
		if !t.all && now.Boot-t.last > adviceFor {
			delete(m.unheard, key)
			b.opts.Log.Info("what was advised is not any more", "machine", m.Machine(), "advice", t.text)
		}
	}
}

// whyGone returns what is known of the reason that nothing comes of a machine.
func (m *bridged) whyGone() string {
	if text := m.unheard.text(); text != "" {
		return text
	}
	return m.lastBad
}
