package bridge

import (
	"maps"
	"slices"
	"strings"

	"gatehouse/devices/unheard"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
)

// notUnderstood holds, by source, what a machine's links say while bytes come on
// them of which nothing is understood.
type notUnderstood map[string]string

// text returns what all sources say.
func (n notUnderstood) text() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(n)) {
		all = append(all, n[name])
	}
	return strings.Join(all, "; ")
}

// misunderstood notes that a source understands nothing of a machine. The source
// says so again for as long as that lasts; the first of its texts stays, until it
// gives another advice.
func (b *Bridge) misunderstood(now clock.Moment, m *bridged, source string, err *unheard.Error) {
	if old, again := m.unheard[source]; again && strings.HasSuffix(old, err.Try) {
		return
	}
	m.unheard[source] = err.Error()
	b.opts.Log.Warn("a machine is not understood", "machine", m.Machine(), "source", source, "err", err)
	if m.state != fact.DeviceOK {
		b.setState(now, m, fact.DeviceGone, m.unheard.text())
	}
}

// understood notes that a source has read values of a machine.
func (b *Bridge) understood(m *bridged, source string) {
	if _, was := m.unheard[source]; was {
		delete(m.unheard, source)
		b.opts.Log.Info("a machine is understood again", "machine", m.Machine(), "source", source)
	}
}

// whyGone returns what is known of the reason that nothing comes of a machine.
func (m *bridged) whyGone() string {
	if text := m.unheard.text(); text != "" {
		return text
	}
	return m.lastBad
}
