// Package openpgp signs the index of the county's packages as apt expects it, and verifies
// it. It is the only importer of the OpenPGP library.
package openpgp

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Errors of Verify.
var (
	ErrForeign = errors.New("it is signed by another key")
	ErrNoText  = errors.New("it is no text with an OpenPGP signature")
)

// most is how many bytes of armored text are read as a key.
const most = 64 << 10

// Key is a key pair that signs.
type Key struct{ entity *openpgp.Entity }

// Ring holds the public keys whose signatures count.
type Ring struct{ entities openpgp.EntityList }

// NewKey makes an Ed25519 key, which never ends.
func NewKey(name string, now time.Time) (Key, error) {
	e, err := openpgp.NewEntity(name, "packages", "", &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA512,
		Time: func() time.Time { return now }})
	if err != nil {
		return Key{}, fmt.Errorf("make an OpenPGP key: %w", err)
	}
	e.Subkeys = nil // it only signs
	return Key{e}, nil
}

// Private returns the key with its secret part, armored.
func (k Key) Private() ([]byte, error) {
	return armored(openpgp.PrivateKeyType, func(w io.Writer) error { return k.entity.SerializePrivate(w, nil) })
}

// Public returns the public part, armored, as apt takes it in signed-by.
func (k Key) Public() ([]byte, error) {
	return armored(openpgp.PublicKeyType, k.entity.Serialize)
}

// Fingerprint returns the fingerprint in groups of four hexadecimal digits.
func (k Key) Fingerprint() string { return fingerprint(k.entity) }

func armored(kind string, write func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err == nil {
		err = errors.Join(write(w), w.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("write an OpenPGP key: %w", err)
	}
	return append(b.Bytes(), '\n'), nil
}

// ParseKey reads what Private returned.
func ParseKey(text []byte) (Key, error) {
	list, err := read(text)
	if err != nil {
		return Key{}, err
	}
	if len(list) != 1 || list[0].PrivateKey == nil {
		return Key{}, errors.New("this is no OpenPGP key with its secret part")
	}
	if list[0].PrivateKey.Encrypted {
		return Key{}, errors.New("the OpenPGP key has a passphrase: export it without one")
	}
	return Key{list[0]}, nil
}

// ParseRing reads public keys, armored or not.
func ParseRing(text []byte) (Ring, error) {
	list, err := read(text)
	if err != nil {
		return Ring{}, err
	}
	if len(list) == 0 {
		return Ring{}, errors.New("there is no OpenPGP key in it")
	}
	return Ring{list}, nil
}

// Fingerprints returns those of all keys.
func (r Ring) Fingerprints() (out []string) {
	for _, e := range r.entities {
		out = append(out, fingerprint(e))
	}
	return out
}

func fingerprint(e *openpgp.Entity) string {
	hex := fmt.Sprintf("%X", e.PrimaryKey.Fingerprint)
	var b bytes.Buffer
	for i, c := range hex {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

func read(text []byte) (openpgp.EntityList, error) {
	if len(text) > most {
		return nil, fmt.Errorf("it has %d bytes: no OpenPGP key is so large", len(text))
	}
	list, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(text))
	if err != nil {
		if list, err = openpgp.ReadKeyRing(bytes.NewReader(text)); err != nil {
			return nil, fmt.Errorf("this is no OpenPGP key: %w", err)
		}
	}
	return list, nil
}

// Sign returns text with a signature around it, as in apt's InRelease. The text ends with a
// line break; no line of it begins with a dash or ends with a blank.
func (k Key) Sign(text []byte, now time.Time) ([]byte, error) {
	body, whole := bytes.CutSuffix(text, []byte("\n"))
	if !whole || unfit.Match(text) {
		return nil, errors.New("sign: the text has no line break at its end, or a line with a dash before or a " +
			"blank behind")
	}
	b := bytes.NewBufferString(begin + "Hash: SHA512\n\n")
	b.Write(text)
	// Not by package clearsign: GnuPG 2.2 wants the checksum of the armor, which that leaves out.
	w, err := armor.Encode(b, openpgp.SignatureType, nil)
	if err == nil {
		err = openpgp.DetachSignText(w, k.entity, bytes.NewReader(body), &packet.Config{DefaultHash: crypto.SHA512,
			Time: func() time.Time { return now }})
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return append(b.Bytes(), '\n'), nil
}

// begin is the first line of a signed text.
const begin = "-----BEGIN PGP SIGNED MESSAGE-----\n"

var unfit = regexp.MustCompile(`(?m)^-|[ \t\r]$`)

// always is a time at which every signature has been made already: a gate may believe that
// it is 1970, and the keys never end.
func always() time.Time { return time.Date(2105, 1, 1, 0, 0, 0, 0, time.UTC) }

// Verify returns the text that signed holds, if one of the keys has signed it. Nothing may
// stand before or behind it. The error wraps ErrForeign or ErrNoText.
func (r Ring) Verify(signed []byte) ([]byte, error) {
	block, rest := clearsign.Decode(signed)
	if block == nil || !bytes.HasPrefix(signed, []byte(begin)) || len(bytes.TrimSpace(rest)) > 0 {
		return nil, ErrNoText
	}
	if _, err := block.VerifySignature(r.entities, &packet.Config{Time: always}); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrForeign, err)
	}
	return append(bytes.TrimSuffix(block.Plaintext, []byte("\n")), '\n'), nil // the last one is not signed
}
