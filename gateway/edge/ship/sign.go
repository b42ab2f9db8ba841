package ship

import (
	"crypto"
	"log/slog"

	"gatehouse/gateway/wire"
)

// signing signs what is sent by the agent's own key, if it has one.
type signing struct {
	load    func() (crypto.Signer, error) // nil: it has none
	key     crypto.Signer                 // nil: it has none, or it could not be read
	failing string                        // what was logged
}

// renew reads the key, which may be another one since the gate was enrolled again. A key
// that can't be read now is not forgotten.
func (s *signing) renew(log *slog.Logger) {
	if s.load == nil {
		return
	}
	key, err := s.load()
	if err == nil {
		s.key = key
	}
	s.complain(log, "read the agent's own key", err)
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
		s.complain(d.log, "sign a batch", err)
		if err != nil {
			return nil, err
		}
		b = signed
	}
	return wire.EncodeBatch(b)
}

// greet returns the message of a hello, signed if there is a key.
func (d *delivery) greet(h wire.Hello) ([]byte, error) {
	d.signing.renew(d.log)
	if s := &d.signing; s.key != nil {
		signed, err := wire.SignHello(h, d.county, d.agent, s.key)
		s.complain(d.log, "sign a hello", err)
		if err != nil {
			return nil, err
		}
		h = signed
	}
	return wire.Encode(h)
}
