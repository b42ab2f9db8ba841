package desk

import (
	"gatehouse/gateway/county/health"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Committed implements collect.Observer.
func (d *Desk) Committed(batches []store.Batch) { d.followers.loop.Committed(batches) }

// Arrived implements collect.Observer.
func (d *Desk) Arrived(b store.Batch) { d.followers.loop.Arrived(b) }

// Refused implements collect.Observer.
func (d *Desk) Refused(agent, why string, count uint64) {
	d.followers.refused.Refused(agent, why, count)
}

// Fenced implements collect.Observer.
func (d *Desk) Fenced(reason string) {
	d.speaker.Silence()
	d.Commands.Silence()
	d.Versions.Silence()
	if p := d.rules.Load(); p != nil {
		p.Silence()
	}
	d.opts.Health.Set(part, health.Problem(fact.TroubleFenced, d.opts.Now(), reason).Advise(
		"fenced", "why", reason))
}

// Hear takes a status or heartbeat as it passes the broker, or what was published in
// place of what the desk says, or the nonce of a gate. It may be called from any goroutine.
func (d *Desk) Hear(topic string, payload []byte) {
	switch _, agent, leaf, _ := wire.ParseTopic(topic); leaf {
	case wire.LeafDesk:
		d.speaker.Heard(agent, payload)
		return
	case wire.LeafNonce:
		d.Commands.Heard(agent, payload)
		return
	}
	d.followers.presence.Receive(d.opts.Now(), topic, payload)
}

// Linked says whether statuses and heartbeats can reach the desk: while they
// can't, no gate is blamed for its silence. It is called at each change of the
// connection to the broker, from any goroutine.
func (d *Desk) Linked(up bool) {
	d.followers.presence.Linked(d.opts.Now(), up)
	if up {
		d.speaker.Up()
	}
}
