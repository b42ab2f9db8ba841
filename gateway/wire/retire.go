package wire

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// Bounds of a receipt.
const (
	MaxRetiredBytes = 32 << 10 // of the message
	MaxRetiredFiles = 256      // in each of its lists
)

// Retire takes one gate out of service for good: it delivers what its journal holds,
// destroys it with its keys and lists, and answers with a Retired. The message is retained,
// on …/<agent>/retire, until the county's data are destroyed, too.
type Retire struct {
	V   int    `json:"v"`   // 1
	ID  string `json:"id"`  // of the end of the county's service: 32 hexadecimal digits
	Key string `json:"key"` // SHA-256 of the gate's public key (DER), 64 hexadecimal digits: no other enrolment obeys
	At  Time   `json:"at"`  // when it was decided, by the county's clock
	// Receipt is the SHA-256 of the Retired that the county holds, 64 hexadecimal digits;
	// empty: it holds none. The gate destroys its own key only then.
	Receipt string `json:"receipt,omitempty"`
	Sig     string `json:"sig"` // Ed25519, base64; see WIRE.md
}

// Retired is a gate's receipt for a Retire, on …/<agent>/retired.
type Retired struct {
	V         int      `json:"v"`         // 1
	ID        string   `json:"id"`        // of the Retire
	At        Time     `json:"at"`        // the gate's clock
	JID       string   `json:"jid"`       // the journal that it had
	Through   uint64   `json:"through"`   // its last record, which the county has acknowledged; 0: it had none
	Destroyed []string `json:"destroyed"` // files that are gone
	Next      []string `json:"next"`      // files that it needs for this receipt, and removes when the county has it
	Sig       string   `json:"sig"`       // ECDSA by the gate's key, base64; see WIRE.md
}

// KeySum returns the SHA-256 of a public key (DER), as a Retire names it.
func KeySum(public []byte) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:])
}

// Check returns an error that says what is wrong with the message.
func (r Retire) Check() error {
	for _, f := range []struct {
		name, hex string
		n         int
	}{{"id", r.ID, 32}, {"key", r.Key, 64}, {"receipt", r.Receipt, 64}} {
		b, err := hex.DecodeString(f.hex)
		if len(f.hex) != f.n && (f.name != "receipt" || len(b) > 0) || err != nil {
			return fmt.Errorf("retire: %s is not %d hexadecimal digits", f.name, f.n)
		}
	}
	return nil
}

// SignRetire signs r for one agent of one county. It must pass Check.
func SignRetire(r Retire, county, agent string, key ed25519.PrivateKey) Retire {
	r.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(key, r.text(county, agent)))
	return r
}

// VerifyRetire returns ErrSignature unless key signed r for this agent.
func VerifyRetire(r Retire, county, agent string, key ed25519.PublicKey) error {
	return verify(r.text(county, agent), r.Sig, key, county, agent, r.ID, r.Key, r.Receipt)
}

func (r Retire) text(county, agent string) []byte {
	return signed("gatehouse/v1 retire", county, agent, r.ID, r.Key, r.At.String(), r.Receipt)
}

// Check returns an error that says what is wrong with the message.
func (r Retired) Check() error {
	switch {
	case len(r.ID) != 32:
		return errors.New("retired: id is not 32 hexadecimal digits")
	case r.Through > MaxSeq:
		return fmt.Errorf("retired: through %d is no seq", r.Through)
	case len(r.Destroyed) > MaxRetiredFiles || len(r.Next) > MaxRetiredFiles:
		return fmt.Errorf("retired: %d and %d files are too many", len(r.Destroyed), len(r.Next))
	}
	return nil
}

// SignRetired signs r by the key of the agent (ECDSA on P-256). It replaces in its texts
// what would not arrive unchanged.
func SignRetired(r Retired, county, agent string, key crypto.Signer) (Retired, error) {
	plain := func(list []string) []string {
		out := make([]string, 0, len(list))
		for _, s := range list {
			out = append(out, oneLine(s))
		}
		return out
	}
	r.JID, r.Destroyed, r.Next = oneLine(r.JID), plain(r.Destroyed), plain(r.Next)
	var err error
	r.Sig, err = sign(r.text(county, agent), key)
	return r, err
}

// VerifyRetired returns ErrUnsigned or ErrForeign unless key signed r for this agent.
func VerifyRetired(r Retired, county, agent string, key *ecdsa.PublicKey) error {
	return verifyAgent(r.text(county, agent), r.Sig, key,
		slices.Concat([]string{county, agent, r.ID, r.JID}, r.Destroyed, r.Next)...)
}

func (r Retired) text(county, agent string) []byte {
	return signed("gatehouse/v1 retired", slices.Concat([]string{county, agent, r.ID, r.At.String(), r.JID,
		num(r.Through), num(uint64(len(r.Destroyed))), num(uint64(len(r.Next)))}, r.Destroyed, r.Next)...)
}
