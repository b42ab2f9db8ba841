package ship

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// greeting is the state of the hello, the question to the store what it has.
type greeting struct {
	announced string        // the collector's last announcement
	nonce     string        // of the hello without an answer, or ""
	at        time.Duration // boot clock: when it was sent
	again     time.Duration // how long after that it is repeated
	answered  bool          // a hello of this connection has been answered, and the last one, or it is not due
}

// hello asks what the store has; nothing is sent in order before the answer.
func (d *delivery) hello(now clock.Moment, again time.Duration) {
	d.greeting.answered = false
	d.ask(now, again)
}

// ask is hello, but what is sent in order goes on until the answer is overdue.
func (d *delivery) ask(now clock.Moment, again time.Duration) {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	g := &d.greeting
	g.nonce, g.at, g.again = hex.EncodeToString(b[:]), now.Boot, again
	state := d.journal.State()
	payload, err := d.greet(now.Boot, wire.Hello{
		V:       1,
		JID:     d.journal.JID(),
		First:   d.journal.First(),
		Last:    d.journal.Durable(),
		Term:    state.Term,
		Nonce:   g.nonce,
		KeyID:   d.keyID(),
		Version: d.version,
		Proof:   d.proof(state),
	})
	if err == nil {
		err = d.send(wire.LeafHello, payload, 0)
	}
	if err != nil {
		d.log.Debug("hello not sent", "err", err)
	}
}

// proof returns the acknowledgement that set the journal's term, or nil when
// the journal holds none.
func (d *delivery) proof(state journal.State) *wire.Ack {
	if state.Proof == "" {
		return nil
	}
	a, err := wire.Decode[wire.Ack]([]byte(state.Proof))
	if err != nil {
		d.log.Warn("the acknowledgement in the journal's state can't be read; the next one replaces it", "err", err)
		return nil
	}
	return &a
}

// collector is called with the collector's retained status.
func (d *delivery) collector(now clock.Moment, payload []byte) {
	st, err := wire.Decode[wire.CollectorStatus](payload)
	if err != nil {
		return
	}
	if st.State != fact.Online {
		d.standing.county.gone = true // the last will is not signed and changes nothing else
		return
	}
	if err := wire.VerifyCollectorStatus(st, d.county, d.collectorKey); err != nil {
		d.distrust(fact.AlarmCollectorForeign,
			"a status on the collector's topic is not signed by the key in collector_key")
		return
	}
	d.standing.county = countySide{known: true, fault: st.Fault}
	// A collector announces itself when it starts, when it is back at the
	// broker, and when its store was reset: a hello sent before may not have
	// reached it.
	if announced := st.Start + st.At.String(); announced != d.greeting.announced {
		d.greeting.announced = announced
		d.witness.anew = true
		if d.standing.online {
			d.hello(now, helloEvery)
		}
	}
	d.head(now, st.Audit)
}
