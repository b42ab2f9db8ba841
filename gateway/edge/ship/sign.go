package ship

import (
	"crypto"
	"log/slog"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// signing signs what is sent by the agent's own key, if it has one.
type signing struct {
	load    func() (crypto.Signer, error) // nil: it has none
	key     crypto.Signer                 // nil: it has none, or it could not be read
	failed  bool                          // it could not sign
	looked  time.Duration                 // boot clock: when it was last read
	failing string                        // what was logged
}

// lookEvery is how often it is looked whether the key is another one: the gate may be
// enrolled again while the agent runs.
const lookEvery = 5 * time.Second

// renew reads the key, and reports whether it is another one than before. A key that can't
// be read now is not forgotten.
func (s *signing) renew(boot time.Duration, log *slog.Logger) (another bool) {
	s.looked = boot
	if s.load == nil {
		return false
	}
	key, err := s.load()
	s.complain(log, "read the agent's own key", err)
	if err != nil {
		return false
	}
	another = s.key == nil || !same(s.key, key)
	if another || s.failed { // otherwise it stays: a key in a TPM is quicker the second time
		s.key, s.failed = key, false
	}
	return another
}

func same(a, b crypto.Signer) bool {
	public, ok := a.Public().(interface {
		Equal(other crypto.PublicKey) bool
	})
	return ok && public.Equal(b.Public())
}

// look asks the county at once what it has when the key is another one: what was signed by
// the one before is not taken.
func (d *delivery) look(now clock.Moment) {
	if now.Boot-d.signing.looked >= lookEvery && d.signing.renew(now.Boot, d.log) && d.standing.online {
		d.hello(now, helloEvery)
	}
}

// complain logs an error that is another one than the last.
func (s *signing) complain(log *slog.Logger, what string, err error) {
	text := ""
	if err != nil {
		text = what + ": " + err.Error()
	}
	if text != s.failing && text != "" {
		log.Error("what this agent sends is not signed: the county may not take it", "what", what, "err", err)
	}
	s.failing = text
}

// batch returns the message of a batch, signed if there is a key.
func (d *delivery) batch(b wire.Batch) ([]byte, error) {
	b.Agent, b.JID = d.agent, d.journal.JID()
	if s := &d.signing; s.key != nil {
		signed, err := wire.SignBatch(b, d.county, s.key)
		s.failed = s.failed || err != nil
		s.complain(d.log, "sign a batch", err)
		if err != nil {
			return nil, err
		}
		b = signed
	}
	return wire.EncodeBatch(b)
}

// greet returns the message of a hello, signed if there is a key.
func (d *delivery) greet(boot time.Duration, h wire.Hello) ([]byte, error) {
	d.signing.renew(boot, d.log)
	if s := &d.signing; s.key != nil {
		signed, err := wire.SignHello(h, d.county, d.agent, s.key)
		s.failed = s.failed || err != nil
		s.complain(d.log, "sign a hello", err)
		if err != nil {
			return nil, err
		}
		h = signed
	}
	return wire.Encode(h)
}
