// Package sealed encrypts to recipients with age (age-encryption.org/v1). It is the only
// importer of that library.
package sealed

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// NewKey returns a new secret, and the recipient to whom others encrypt for it.
func NewKey() (secret, recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", fmt.Errorf("make a key: %w", err)
	}
	return id.String(), id.Recipient().String(), nil
}

// errSecret does not repeat what was read.
var errSecret = errors.New("it is no secret of age (AGE-SECRET-KEY-1...)")

// RecipientOf returns the recipient of a secret.
func RecipientOf(secret string) (string, error) {
	id, err := age.ParseX25519Identity(secret)
	if err != nil {
		return "", errSecret
	}
	return id.Recipient().String(), nil
}

// CheckRecipient returns an error when text names no recipient (age1...).
func CheckRecipient(text string) error {
	_, err := age.ParseX25519Recipient(text)
	return err
}

// To returns a writer that encrypts to each recipient what is written to it. The text is
// whole when Close has returned nil; w is not closed.
func To(w io.Writer, to ...string) (io.WriteCloser, error) {
	var list []age.Recipient
	for _, name := range to {
		r, err := age.ParseX25519Recipient(name)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return age.Encrypt(w, list...)
}

// Seal encrypts text to each recipient.
func Seal(text []byte, to ...string) ([]byte, error) {
	var out bytes.Buffer
	w, err := To(&out, to...)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// ErrNotFor is wrapped when a text is encrypted to others only.
var ErrNotFor = errors.New("it is encrypted to somebody else")

// Open decrypts what was sealed to the recipient of secret.
func Open(b []byte, secret string) ([]byte, error) {
	r, err := From(bytes.NewReader(b), secret)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// From returns a reader of the text that was encrypted to the recipient of one of the
// secrets. An error of its Read says that the text is damaged or not whole: what was read
// before is right, as far as it goes.
func From(r io.Reader, secrets ...string) (io.Reader, error) {
	var list []age.Identity
	for _, text := range secrets {
		id, err := age.ParseX25519Identity(text)
		if err != nil {
			return nil, errSecret
		}
		list = append(list, id)
	}
	text, err := age.Decrypt(r, list...)
	if none := new(age.NoIdentityMatchError); errors.As(err, &none) {
		return nil, fmt.Errorf("%w: %w", ErrNotFor, err)
	}
	return text, err
}

// Recipient returns the recipient of a secret, as NewKey made both.
func Recipient(secret string) (string, error) {
	id, err := age.ParseX25519Identity(secret)
	if err != nil {
		return "", err
	}
	return id.Recipient().String(), nil
}
