package wire

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
)

// ActionCountyHead is the action of the audit records in which an agent keeps what the
// county has said of its own audit.
const ActionCountyHead = "county-head"

// ActionRetire is the action of the audit record in which an agent keeps that the county has
// taken it out of service for good.
const ActionRetire = "county-retire"

// AuditHead says how far the county's audit goes: it is signed, and whoever keeps it can
// later tell a chain that was written anew, or whose end was cut off.
type AuditHead struct {
	County string `json:"county"`
	Store  string `json:"store"` // id of the county's store
	N      uint64 `json:"n"`     // of the newest entry
	Hash   string `json:"hash"`  // of that entry: SHA-256, 64 hexadecimal digits
	At     Time   `json:"at"`    // when it was the newest, by the county's clock
	Sig    string `json:"sig"`   // Ed25519, base64; see WIRE.md
}

// SignAuditHead signs h, as SignAck does.
func SignAuditHead(h AuditHead, key ed25519.PrivateKey) AuditHead {
	h.County, h.Store = oneLine(h.County), oneLine(h.Store)
	h.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(key, h.text()))
	return h
}

// Verify returns ErrSignature unless key signed h.
func (h AuditHead) Verify(key ed25519.PublicKey) error {
	if hash, err := hex.DecodeString(h.Hash); err != nil || len(hash) != 32 || h.N > MaxSeq {
		return ErrSignature
	}
	return verify(h.text(), h.Sig, key, h.County, h.Store)
}

func (h AuditHead) text() []byte {
	return signed("gatehouse/v1 audit head", h.County, h.Store, num(h.N), h.Hash, h.At.String())
}
