package oidc

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// Flow is one log-in on its way: what the browser keeps between leaving for the provider
// and coming back. All that the provider is told is made of its secret.
type Flow struct {
	secret  [16]byte
	begun   time.Time // to the second
	session string    // whose act it confirms; empty: it makes a session
}

// flowFor is how long somebody may take at the provider.
const flowFor = 10 * time.Minute

// Sizes of a flow's text, in bytes before base64.
const (
	flowLeast = 16 + 8 // the secret and when it began; the session follows
	flowMost  = 200
)

// newFlow returns a flow with a new secret.
func newFlow(session string, now time.Time) (f Flow) {
	rand.Read(f.secret[:]) // never fails (crypto/rand)
	f.begun, f.session = time.Unix(now.Unix(), 0), session
	return f
}

// Session returns the id of the session whose act the flow confirms; empty: it logs in.
func (f Flow) Session() string { return f.session }

// The three are apart: none of them can be calculated from another one.
func (f Flow) state() string    { return f.derive("state") }
func (f Flow) nonce() string    { return f.derive("nonce") }
func (f Flow) verifier() string { return f.derive("verifier") } // 43 characters (RFC 7636, 4.1)

func (f Flow) derive(what string) string {
	m := hmac.New(sha256.New, f.secret[:])
	m.Write([]byte("gatehouse oidc " + what))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// text returns the flow for the browser's cookie, signed with key.
func (f Flow) text(key []byte) string {
	b := binary.BigEndian.AppendUint64(f.secret[:], uint64(f.begun.Unix())) //nolint:gosec // after 1970
	b = append(b, f.session...)
	return base64.RawURLEncoding.EncodeToString(append(b, mac(key, b)...))
}

// parseFlow reads what text returned. ok is false when it is something else, or too old.
func parseFlow(text string, key []byte, now time.Time) (f Flow, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	n := len(b) - sha256.Size
	if err != nil || n < flowLeast || n > flowMost || !hmac.Equal(b[n:], mac(key, b[:n])) {
		return f, false
	}
	copy(f.secret[:], b)
	f.begun = time.Unix(int64(binary.BigEndian.Uint64(b[16:])), 0) //nolint:gosec // as signed
	f.session = string(b[flowLeast:n])
	age := now.Sub(f.begun)
	return f, age >= -time.Second && age < flowFor
}

func mac(key, b []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(b)
	return m.Sum(nil)
}
