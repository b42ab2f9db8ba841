package agent

import (
	"crypto/ed25519"
	"errors"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/pass"
	"gatehouse/gateway/wire"
)

// codes knows what is in the codes that a gate reads.
type codes struct {
	identity.Named

	county, agent string
	collector     ed25519.PublicKey // signs passes
}

// Pass implements station.Codes.
func (c codes) Pass(code string) (*wire.Pass, fact.PassFault) {
	if !pass.Is(code) {
		return nil, ""
	}
	p, err := pass.Read(code, c.county, c.collector)
	switch {
	case errors.Is(err, pass.ErrForged):
		return nil, fact.PassForged
	case err != nil:
		return nil, fact.PassUnreadable
	}
	read := &wire.Pass{ID: p.ID.String(), Gate: p.Gate, Class: p.Class, Purpose: p.Purpose, From: wire.At(p.From),
		Until: wire.At(p.Until), Uses: p.Uses}
	if p.Gate != c.agent {
		return read, fact.PassElsewhere
	}
	return read, ""
}
