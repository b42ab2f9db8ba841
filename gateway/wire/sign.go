package wire

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
)

// SignAck signs a for one agent of one county.
func SignAck(a Ack, county, agent string, key ed25519.PrivateKey) Ack {
	a.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(key, a.text(county, agent)))
	return a
}

// VerifyAck returns ErrSignature unless key signed a for this agent.
func VerifyAck(a Ack, county, agent string, key ed25519.PublicKey) error {
	return verify(a.text(county, agent), a.Sig, key, county, agent, a.JID, a.Store, a.Nonce)
}

// SignCollectorStatus signs s for one county.
func SignCollectorStatus(s CollectorStatus, county string, key ed25519.PrivateKey) CollectorStatus {
	s.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(key, s.text(county)))
	return s
}

// VerifyCollectorStatus returns ErrSignature unless key signed s.
func VerifyCollectorStatus(s CollectorStatus, county string, key ed25519.PublicKey) error {
	return verify(s.text(county), s.Sig, key, county, s.State, s.Start, s.Store, s.Version, s.Fault)
}

func verify(text []byte, sig string, key ed25519.PublicKey, fields ...string) error {
	for _, f := range fields {
		if strings.ContainsAny(f, "\r\n") {
			return ErrSignature
		}
	}
	raw, err := base64.StdEncoding.DecodeString(sig)
	if err != nil || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, text, raw) {
		return ErrSignature
	}
	return nil
}
