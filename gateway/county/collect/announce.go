package collect

import (
	"slices"
	"sync/atomic"
	"time"

	"gatehouse/gateway/county/health"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// announcer publishes the collector's retained status: who collects, at which
// term, and why nothing is committed. It is the committer's own, except offline
// and bye, which the connection calls.
type announcer struct {
	cfg    Config
	client *mqtt.Client
	start  string      // random, names this run
	silent atomic.Bool // another collector has taken over: nothing more is published

	current  wire.CollectorStatus // the last one; V is 0 before the first
	fault    string               // why nothing is being committed
	repeated time.Time            // when it was last published again
	again    <-chan time.Time     // when it is due again, or nil
	told     time.Time            // when the troubles were last published
	due      <-chan time.Time     // when they are due again, or nil
	headed   time.Time            // when the head of the audit was last published
}

// tellEvery is the shortest time between two statuses that only say other
// troubles: every agent receives them.
const tellEvery = 10 * time.Second

// troubled publishes the last status with the troubles of now, once in a while.
func (a *announcer) troubled() {
	if a.current.V == 0 || a.due != nil {
		return
	}
	if wait := tellEvery - a.cfg.Now().Sub(a.told); wait > 0 {
		a.due = time.After(wait)
		return
	}
	a.sign()
}

// offline returns the last will. It is unsigned, and so has no effect on agents.
func (a *announcer) offline() *mqtt.Message {
	return a.message(wire.CollectorStatus{V: 1, State: fact.Offline, At: wire.At(a.cfg.Now()),
		Start: a.start, Version: a.cfg.Version})
}

// bye returns what is published before a wanted disconnect: nothing after
// another collector has taken over, whose status must stay.
func (a *announcer) bye() *mqtt.Message {
	if a.silent.Load() {
		return nil
	}
	return a.offline()
}

// announce publishes a new status, which every agent answers with a hello: after
// a connect, and when the store or its term has changed.
func (a *announcer) announce(storeID string, term uint64) {
	a.current = wire.CollectorStatus{V: 1, State: fact.Online, At: wire.At(a.cfg.Now()),
		Start: a.start, Store: storeID, Term: term, Version: a.cfg.Version, Audit: a.current.Audit}
	a.sign()
}

// setFault publishes the last status with another fault; "" means none. Agents
// tell a new announcement by start and at, and so do not answer this.
func (a *announcer) setFault(text string) {
	if text = wire.OneLine(text); text == a.fault {
		return
	}
	a.fault = text
	if text == "" {
		a.cfg.Health.Clear(Part, fact.TroubleStoreRefuses)
	} else {
		a.cfg.Health.Set(Part, health.Problem(fact.TroubleStoreRefuses, a.cfg.Now(), text).Advise(
			"store-refuses.county", "why", text))
	}
	if a.current.V != 0 {
		a.sign()
	}
}

// look publishes the last status with the troubles of now if they are others: some
// begin or end by time alone.
func (a *announcer) look() {
	now := a.cfg.Now()
	if a.current.V == 0 || a.due != nil || now.Sub(a.told) < tellEvery {
		return
	}
	if now.Sub(a.headed) >= headEvery && a.head() != nil {
		a.sign()
		return
	}
	same := func(a, b wire.Trouble) bool { return a.Kind == b.Kind && a.Problem == b.Problem && a.Text == b.Text }
	if !slices.EqualFunc(wire.Bounded(a.cfg.Health.Troubles(now)), a.current.Troubles, same) {
		a.sign()
	}
}

func (a *announcer) sign() {
	a.current.Fault, a.current.Troubles = a.fault, wire.Bounded(a.cfg.Health.Troubles(a.cfg.Now()))
	a.told, a.due = a.cfg.Now(), nil
	if h := a.head(); h != nil {
		a.current.Audit, a.headed = h, a.told
	}
	a.current = wire.SignCollectorStatus(a.current, a.cfg.County, a.cfg.Key)
	a.publish()
}

// repeat publishes the last status as it was, once a second at most, because
// another message has replaced it at the broker. Agents that know it do nothing.
func (a *announcer) repeat() {
	if a.current.V == 0 || a.again != nil {
		return
	}
	now := a.cfg.Now()
	if wait := time.Second - now.Sub(a.repeated); wait > 0 {
		a.again = time.After(wait)
		return
	}
	a.repeated = now
	a.publish()
}

func (a *announcer) publish() {
	if a.silent.Load() {
		return
	}
	m := a.message(a.current)
	if m == nil {
		return
	}
	if err := a.client.Publish(*m); err != nil {
		a.cfg.Log.Warn("publish the collector's status", "err", err)
	}
}

// message returns nil, and logs why, for a status that can't be encoded.
func (a *announcer) message(st wire.CollectorStatus) *mqtt.Message {
	payload, err := wire.Encode(st)
	if err != nil {
		a.cfg.Log.Error("encode the collector's status", "err", err)
		return nil
	}
	return &mqtt.Message{Topic: wire.Topic(a.cfg.County, wire.CollectorID, wire.LeafStatus), Payload: payload,
		QoS: 1, Retained: true}
}

// acknowledge publishes to an agent how far its journal is committed.
func (a *announcer) acknowledge(agent string, ack wire.Ack) {
	payload, err := wire.Encode(wire.SignAck(ack, a.cfg.County, agent, a.cfg.Key))
	if err == nil {
		err = a.client.Publish(mqtt.Message{Topic: wire.Topic(a.cfg.County, agent, wire.LeafAck), Payload: payload})
	}
	if err != nil {
		// The agent sends again and is answered then.
		a.cfg.Log.Debug("acknowledgement not sent", "agent", agent, "err", err)
	}
}
