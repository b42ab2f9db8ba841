// Package pass makes and reads the signed passes that the county gives to people
// without a card: a text in a QR code that names one gate, a class, a purpose, a
// time and how often it may be used. A gate verifies it without a network. A pass
// holds no name and no number of a person.
package pass

import (
	"crypto/ed25519"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Pass says who may use which gate, when and how often.
type Pass struct {
	ID      ID
	Gate    string    // agent id: a gate can't know what another one has let through while it is offline
	Class   string    // of people, in the policy
	Purpose string    // code, may be empty
	From    time.Time // whole minutes
	Until   time.Time // whole minutes; the pass is not valid at it
	Uses    int       // passages, each way one, 1 to 255
}

// ID is random, and tells one pass from another.
type ID [8]byte

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// The limits of a pass.
const (
	maxUses = 255
	maxText = 40 // bytes of a gate, class or purpose
	maxTime = 31 * 24 * time.Hour
)

// prefix begins the text of a pass. All its characters are of the alphanumeric mode
// of QR codes (ISO/IEC 18004, 7.3.4), which needs 5.5 bits for each.
const prefix = "GATEHOUSE1:"

// version is the first byte of what is signed.
const version = 1

var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// Errors of Read.
var (
	// ErrUnreadable: part of the text is missing or changed.
	ErrUnreadable = errors.New("the pass can't be read")
	// ErrForged: the county whose key is given did not sign it.
	ErrForged = errors.New("the pass is not signed by this county")
)

// Is reports whether a code claims to be a pass.
func Is(text string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// Check returns an error that says what no pass may hold.
func (p Pass) Check() error {
	var errs []error
	for _, f := range []struct{ name, text string }{{"gate", p.Gate}, {"class", p.Class}, {"purpose", p.Purpose}} {
		switch {
		case f.text == "" && f.name != "purpose":
			errs = append(errs, fmt.Errorf("%s: is missing", f.name))
		case len(f.text) > maxText:
			errs = append(errs, fmt.Errorf("%s: has %d bytes, at most %d fit", f.name, len(f.text), maxText))
		}
	}
	if p.Uses < 1 || p.Uses > maxUses {
		errs = append(errs, fmt.Errorf("uses %d: must be 1 to %d", p.Uses, maxUses))
	}
	switch d := p.Until.Sub(p.From); {
	case minutes(p.From) == 0 || minutes(p.Until) == 0:
		errs = append(errs, errors.New("from, until: must lie between 1970 and 10135"))
	case d <= 0:
		errs = append(errs, errors.New("until: must be after from"))
	case d > maxTime:
		errs = append(errs, errors.New("until: must be within 31 days after from"))
	}
	return errors.Join(errs...)
}

// Sign returns the text of the pass for a QR code, about 200 characters. Seconds of
// From and Until are cut off.
func Sign(p Pass, county string, key ed25519.PrivateKey) (string, error) {
	if err := p.Check(); err != nil {
		return "", fmt.Errorf("sign a pass: %w", err)
	}
	b := append([]byte{version}, p.ID[:]...)
	b = binary.BigEndian.AppendUint32(b, minutes(p.From))
	b = binary.BigEndian.AppendUint32(b, minutes(p.Until))
	b = append(b, byte(p.Uses)) //nolint:gosec // Check: at most maxUses
	for _, text := range []string{p.Gate, p.Class, p.Purpose} {
		b = append(append(b, byte(len(text))), text...) //nolint:gosec // Check: at most maxText
	}
	b = append(b, ed25519.Sign(key, signed(county, b))...)
	return prefix + encoding.EncodeToString(b), nil
}

// Read returns the pass of a text that county has signed with the private part of
// key. Letter case and blanks around the text do not matter. Errors wrap ErrUnreadable
// or ErrForged.
func Read(text, county string, key ed25519.PublicKey) (Pass, error) {
	text = strings.TrimSpace(text)
	if !Is(text) {
		return Pass{}, fmt.Errorf("%w: it does not begin with %s", ErrUnreadable, prefix)
	}
	b, err := encoding.DecodeString(strings.ToUpper(text[len(prefix):]))
	if err != nil {
		return Pass{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	n := len(b) - ed25519.SignatureSize
	if n < 1 {
		return Pass{}, fmt.Errorf("%w: %d bytes are too few", ErrUnreadable, len(b))
	}
	if b[0] != version {
		return Pass{}, fmt.Errorf("%w: its version is %d, this program reads %d", ErrUnreadable, b[0], version)
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, signed(county, b[:n]), b[n:]) {
		return Pass{}, ErrForged
	}
	p, ok := decode(b[1:n])
	if !ok {
		return Pass{}, fmt.Errorf("%w: its fields do not fit its length", ErrUnreadable)
	}
	if err := p.Check(); err != nil {
		return Pass{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return p, nil
}

// decode reads what follows the version.
func decode(b []byte) (p Pass, ok bool) {
	if len(b) < len(p.ID)+9 {
		return p, false
	}
	b = b[copy(p.ID[:], b):]
	p.From, p.Until, p.Uses = at(binary.BigEndian.Uint32(b)), at(binary.BigEndian.Uint32(b[4:])), int(b[8])
	b = b[9:]
	for _, to := range []*string{&p.Gate, &p.Class, &p.Purpose} {
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			return p, false
		}
		*to, b = string(b[1:1+int(b[0])]), b[1+int(b[0]):]
	}
	return p, len(b) == 0
}

// signed returns what the signature is over: no other text of the county begins so.
func signed(county string, b []byte) []byte {
	return append([]byte("gatehouse pass\n"+county+"\n"), b...)
}

// minutes returns t in minutes since 1970, or 0 when that does not fit.
func minutes(t time.Time) uint32 {
	m := t.Unix() / 60
	if fits := uint32(m); int64(fits) == m { //nolint:gosec // whether it fits is what is asked
		return fits
	}
	return 0
}

func at(minutes uint32) time.Time { return time.Unix(60*int64(minutes), 0).UTC() }
