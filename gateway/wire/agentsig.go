package wire

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// What an agent signs with its own key, the one of its certificate: batches and
// hellos. Then no broker that carries them has to be trusted.

var (
	// ErrUnsigned means that a batch or hello has no signature.
	ErrUnsigned = errors.New("it is not signed")
	// ErrForeign means that a batch or hello has a signature that is not of the key it should be.
	ErrForeign = errors.New("its signature does not fit the agent's key")
)

// maxSig bounds a signature: in base64, one of ECDSA on P-256 is at most 96 characters long.
const maxSig = 128

// SignBatch returns b with the signature of its agent, made by the agent's key (ECDSA on
// P-256). b must hold the records that are sent. It replaces in the reasons of holes what
// would not arrive unchanged.
func SignBatch(b Batch, county string, key crypto.Signer) (Batch, error) {
	holes := make([]Hole, 0, len(b.Holes))
	for _, h := range b.Holes {
		h.Reason = oneLine(h.Reason)
		holes = append(holes, h)
	}
	b.Holes = holes
	sum := sha256.New()
	write(sum, "[")
	for i, e := range b.Entries {
		if i > 0 {
			write(sum, ",")
		}
		sum.Write(e.Raw)
	}
	write(sum, "]")
	var err error
	b.Sig, err = sign(batchText(b, county, sum.Sum(nil)), key)
	return b, err
}

func write(h hash.Hash, s string) { h.Write([]byte(s)) }

// batchText is the text under the signature of a batch, whose records have this SHA-256.
func batchText(b Batch, county string, records []byte) []byte {
	ahead := "0"
	if b.Ahead {
		ahead = "1"
	}
	fields := []string{county, b.Agent, b.JID, num(b.From), num(b.To), ahead, num(uint64(len(b.Holes)))}
	for _, h := range b.Holes {
		fields = append(fields, num(h.From)+" "+num(h.To)+" "+num(h.Count)+" "+h.Reason)
	}
	return signed("gatehouse/v1 batch", append(fields, hex.EncodeToString(records))...)
}

// SignHello returns h with the signature of this agent, made by the agent's key (ECDSA on
// P-256). It replaces in its texts what would not arrive unchanged.
func SignHello(h Hello, county, agent string, key crypto.Signer) (Hello, error) {
	h.JID, h.Nonce, h.KeyID, h.Version = oneLine(h.JID), oneLine(h.Nonce), oneLine(h.KeyID), oneLine(h.Version)
	var err error
	h.Sig, err = sign(h.text(county, agent), key)
	return h, err
}

// VerifyHello returns ErrUnsigned or ErrForeign unless key signed h for this agent. A nil
// key fits nothing.
func VerifyHello(h Hello, county, agent string, key *ecdsa.PublicKey) error {
	return verifyAgent(h.text(county, agent), h.Sig, key, h.JID, h.Nonce, h.KeyID, h.Version)
}

func (h Hello) text(county, agent string) []byte {
	return signed("gatehouse/v1 hello", county, agent, h.JID, num(h.First), num(h.Last), num(h.Term), h.Nonce,
		h.KeyID, h.Version)
}

func sign(text []byte, key crypto.Signer) (string, error) {
	digest := sha256.Sum256(text)
	sig, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("sign by the agent's key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(sig), nil
}

// verifyAgent verifies the signature of a text; none of the fields may break a line of it.
func verifyAgent(text []byte, sig string, key *ecdsa.PublicKey, fields ...string) error {
	if sig == "" {
		return ErrUnsigned
	}
	for _, f := range fields {
		if strings.ContainsAny(f, "\r\n") {
			return ErrForeign
		}
	}
	if len(sig) > maxSig || key == nil {
		return ErrForeign
	}
	raw, err := base64.StdEncoding.DecodeString(sig)
	digest := sha256.Sum256(text)
	if err != nil || !ecdsa.VerifyASN1(key, digest[:], raw) {
		return ErrForeign
	}
	return nil
}
