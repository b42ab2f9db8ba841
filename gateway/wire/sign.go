package wire

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"

	"gatehouse/gateway/fact"
)

// SignAck signs a for one agent of one county. It first replaces in the
// texts of a what would not arrive unchanged, so that the signature fits what the
// agent reads.
func SignAck(a Ack, county, agent string, key ed25519.PrivateKey) Ack {
	a.JID, a.Store, a.Nonce = oneLine(a.JID), oneLine(a.Store), oneLine(a.Nonce)
	a.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(key, a.text(county, agent)))
	return a
}

// VerifyAck returns ErrSignature unless key signed a for this agent.
func VerifyAck(a Ack, county, agent string, key ed25519.PublicKey) error {
	return verify(a.text(county, agent), a.Sig, key, county, agent, a.JID, a.Store, a.Nonce)
}

// SignCollectorStatus signs s for one county, as SignAck does.
func SignCollectorStatus(s CollectorStatus, county string, key ed25519.PrivateKey) CollectorStatus {
	s.State, s.Start, s.Store = fact.LinkState(oneLine(string(s.State))), oneLine(s.Start), oneLine(s.Store)
	s.Version, s.Fault = oneLine(s.Version), oneLine(s.Fault)
	s.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(key, s.text(county)))
	return s
}

// VerifyCollectorStatus returns ErrSignature unless key signed s.
func VerifyCollectorStatus(s CollectorStatus, county string, key ed25519.PublicKey) error {
	return verify(s.text(county), s.Sig, key, county, string(s.State), s.Start, s.Store, s.Version, s.Fault)
}

// oneLine returns s as JSON and a line of signed text both carry it: what is no
// UTF-8 becomes U+FFFD, a line break a blank.
func oneLine(s string) string {
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(strings.ToValidUTF8(s, "\uFFFD"))
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
