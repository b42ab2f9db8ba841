package ship

import (
	"fmt"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// acked is called with each message on the agent's ack topic.
func (d *delivery) acked(now clock.Moment, payload []byte) {
	a, err := wire.Decode[wire.Ack](payload)
	if err == nil {
		err = wire.VerifyAck(a, d.county, d.agent, d.collectorKey)
	}
	if err != nil {
		d.log.Warn("acknowledgement refused", "err", err)
		d.distrust(fact.AlarmCollectorForeign, "an acknowledgement is not signed by the key in collector_key")
		return
	}
	answer := d.greeting.nonce != "" && a.Nonce == d.greeting.nonce
	if !d.accepts(now, a, answer) {
		return
	}
	d.distrusted = false
	d.report(fact.AlarmStoreChanged, "")
	d.report(fact.AlarmCollectorForeign, "")
	d.standing.heard = now.Boot
	if a.Ahead != 0 {
		d.ahead.confirm(func(seq uint64) bool { return seq == a.Ahead })
	}
	if answer {
		d.answered(now, a)
	} else if d.greeting.answered {
		d.inOrder(now, a)
	}
	d.pumpAhead(now)
	d.pump(now)
}

// distrust reports why what claims to be the collector is not trusted.
func (d *delivery) distrust(t fact.AlarmType, detail string) {
	d.distrusted = true
	d.report(t, detail)
}

// accepts reports whether an acknowledgement that the collector signed counts
// for this journal; answer says that it answers the hello.
func (d *delivery) accepts(now clock.Moment, a wire.Ack, answer bool) bool {
	state := d.journal.State()
	switch {
	case a.JID != d.journal.JID(), a.Nonce != "" && !answer:
		return false // of an earlier journal or hello
	case state.Store != "" && a.Store != state.Store:
		d.distrust(fact.AlarmStoreChanged, fmt.Sprintf(
			"the collector's store is %s, this journal trusts %s; if that is wanted run: gatehouse journal trust %s",
			a.Store, state.Store, a.Store))
		return false
	case state.Store == "" && !answer:
		return false // a store is pinned by the answer to a hello only
	case a.Term < state.Term:
		d.log.Warn("acknowledgement of an older term refused", "term", a.Term, "known", state.Term)
		if answer {
			d.distrust(fact.AlarmStoreChanged, fmt.Sprintf(
				"the collector answers at term %d, this journal knows term %d of store %s, "+
					"and sends nothing until it answers at that; "+
					"if the store was restored from a backup run: gatehouse journal trust %s",
				a.Term, state.Term, a.Store, a.Store))
		}
		return false
	case a.Term > state.Term && !answer:
		d.hello(now, helloEvery) // the store was reset: only an answer may say how much it has
		return false
	}
	return true
}

// answered takes the answer to a hello: the only thing that may send the agent
// back to earlier records.
func (d *delivery) answered(now clock.Moment, a wire.Ack) {
	if a.Through > d.journal.Durable() {
		reason := fmt.Sprintf("the store has %d records, the journal only %d", a.Through, d.journal.Durable())
		if err := d.journal.Renew(reason); err != nil {
			d.log.Error("start a new journal", "err", err)
			return
		}
		d.ahead.sent = 0 // waiting alarms go ahead under the new jid: they are beyond the store's watermark
		d.hello(now, helloEvery)
		return
	}
	d.standing.compare(now, d.greeting.at, a.At)
	again := d.greeting.answered // it was asked again on a connection that was answered
	d.greeting.nonce, d.greeting.answered = "", true
	d.confirm(now, a.Through)
	switch w := &d.window; {
	case !again || a.Through < d.journal.State().Through || a.Through >= w.next:
		w.restart(a.Through + 1)
	case len(w.sent) > 0 && w.sent[0].at <= d.greeting.at-d.patience():
		d.missed(now)
		w.restart(a.Through + 1)
	}
	d.remember(now, a)
}

// inOrder takes an acknowledgement of batches that were sent in order.
func (d *delivery) inOrder(now clock.Moment, a wire.Ack) {
	if a.Through >= d.window.next {
		// Of a batch that an earlier connection sent: what this one sends will
		// be acknowledged again.
		d.log.Info("acknowledgement beyond what was sent refused", "through", a.Through, "sent", d.window.next-1)
		return
	}
	d.confirm(now, a.Through)
	if a.Through > d.journal.State().Through {
		d.remember(now, a)
	}
}

// remember has the journal keep what is acknowledged.
func (d *delivery) remember(now clock.Moment, a wire.Ack) {
	if a.Through > d.journal.State().Through {
		d.standing.moved(now)
	}
	state := journal.State{Through: a.Through, Store: a.Store, Term: a.Term, Proof: d.journal.State().Proof}
	if a.Term > d.journal.State().Term || state.Proof == "" {
		proof, err := wire.Encode(a)
		if err != nil {
			d.log.Error("encode what proves the term", "err", err)
		}
		state.Proof = string(proof)
	}
	if err := d.journal.Acknowledge(now, state); err != nil {
		d.log.Warn("keep the acknowledgement in the journal", "through", a.Through, "err", err)
	}
	d.ahead.confirm(func(seq uint64) bool { return seq <= a.Through })
}
