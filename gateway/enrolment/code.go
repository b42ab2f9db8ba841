// Package enrolment is what a gate and the county say to each other when the gate goes
// into service: the code that is typed or scanned at the gate, the gate's request, the
// county's answer, and later the renewal of the gate's certificate. Nothing here trusts
// the connection, which may pass proxies or have no TLS.
package enrolment

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/text/width"

	"gatehouse/gateway/wire"
)

// Code lets one gate ask for its certificate once. Whoever has it can ask in the gate's
// name; somebody at the desk still has to agree.
type Code struct {
	County    string
	Agent     string
	URLs      []string // of the desk, in the order in which the gate tries them; 1 to 4
	Authority [16]byte // begin of the SHA-256 of the public key of the county's authority
	Secret    [16]byte // never sent
}

// Limits of a code.
const (
	maxURLs = 4
	maxURL  = 100 // bytes
	maxText = 4096
)

// The form of a code's text.
const (
	codeVersion = 1
	sumBytes    = 3 // of a SHA-256, at the end of the bytes
	groupData   = 4 // characters of a group before its check character
	groupChars  = groupData + 1
	groupsALine = 6
)

// QRPrefix begins the text of a code in a QR code: all its characters are of the
// alphanumeric mode (ISO/IEC 18004, 7.3.4).
const QRPrefix = "GATEHOUSE-ENROL:"

// alphabet is Crockford's base 32, which has no I, L, O and U: they look like 1, 0 and V
// (crockford.com/base32.html).
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var encoding = base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)

// ErrCode is wrapped by each error of ParseCode.
var ErrCode = errors.New("this is no right enrolment code")

// NewCode returns a code with a new secret.
func NewCode(county, agent string, urls []string, authority [16]byte) (Code, error) {
	c := Code{County: county, Agent: agent, URLs: urls, Authority: authority}
	rand.Read(c.Secret[:]) // never fails (crypto/rand)
	return c, c.check()
}

// ID names the code without saying its secret, 32 hex digits.
func (c Code) ID() string {
	sum := sha256.Sum256(append([]byte("gatehouse enrolment code id\n"), c.Secret[:]...))
	return hex.EncodeToString(sum[:16])
}

// Key signs the request. The county keeps only its public part, so that nobody can use
// a code that is read from the county's files.
func (c Code) Key() ed25519.PrivateKey {
	seed := sha256.Sum256(append([]byte("gatehouse enrolment code key\n"), c.Secret[:]...))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Text returns the code for people, in lines of 6 groups of 5 characters; the last
// character of a group checks the others.
func (c Code) Text() string {
	chars := c.chars()
	var out strings.Builder
	for i := 0; i < len(chars); i += groupChars {
		switch n := i / groupChars; {
		case n > 0 && n%groupsALine == 0:
			out.WriteByte('\n')
		case n > 0:
			out.WriteByte(' ')
		}
		out.WriteString(chars[i : i+groupChars])
	}
	return out.String()
}

// QR returns the code for a QR code.
func (c Code) QR() string { return QRPrefix + c.chars() }

// chars returns the groups without blanks.
func (c Code) chars() string {
	data := encoding.EncodeToString(c.bytes())
	var out strings.Builder
	for i := 0; i < len(data); i += groupData {
		group := data[i : i+groupData]
		out.WriteString(group)
		out.WriteByte(checkOf(i/groupData, group))
	}
	return out.String()
}

// bytes returns the code with a sum at its end. Their number is a multiple of 5, whose
// base 32 fills whole groups.
func (c Code) bytes() []byte {
	b := append([]byte{codeVersion}, c.Authority[:]...)
	b = append(b, c.Secret[:]...)
	for _, text := range append([]string{c.County, c.Agent}, c.URLs...) {
		b = append(append(b, byte(len(text))), text...) //nolint:gosec // check bounds them
	}
	b = append(b, 0)
	for (len(b)+sumBytes)%5 != 0 {
		b = append(b, 0)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:sumBytes]...)
}

// checkOf returns the check character of the group with this number: another character
// at one place always has another one.
func checkOf(n int, group string) byte {
	sum := 11 * n
	for i := range len(group) {
		sum += (2*i + 1) * strings.IndexByte(alphabet, group[i])
	}
	return alphabet[sum%len(alphabet)]
}

// ParseCode reads a code as people type it or scanners read it: blanks, line breaks,
// dashes and the case of letters do not matter, wide characters of Chinese keyboards are
// taken, and O is 0, I and L are 1. The error wraps ErrCode and names the first wrong group.
func ParseCode(text string) (Code, error) {
	if len(text) > maxText {
		return Code{}, fmt.Errorf("%w: it has %d bytes, more than any code", ErrCode, len(text))
	}
	chars, err := typed(text)
	if err != nil {
		return Code{}, err
	}
	if chars == "" {
		return Code{}, fmt.Errorf("%w: it is empty", ErrCode)
	}
	var data strings.Builder
	for i := 0; i < len(chars); i += groupChars {
		n := i / groupChars
		if i+groupChars > len(chars) {
			return Code{}, &GroupError{n + 1, chars[i:]}
		}
		group := chars[i : i+groupData]
		if checkOf(n, group) != chars[i+groupData] {
			return Code{}, &GroupError{n + 1, chars[i : i+groupChars]}
		}
		data.WriteString(group)
	}
	b, err := encoding.DecodeString(data.String())
	if err != nil {
		return Code{}, fmt.Errorf("%w: %w", ErrCode, err)
	}
	return decode(b)
}

// typed returns the characters of a code as they were meant.
func typed(text string) (string, error) {
	text = strings.ToUpper(width.Fold.String(text))
	if i := strings.Index(text, QRPrefix); i >= 0 {
		text = text[i+len(QRPrefix):]
	}
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == 'O':
			r = '0'
		case r == 'I', r == 'L':
			r = '1'
		case strings.ContainsRune(" \t\r\n\v\f\u00a0\u2003\u3000-_\u2010\u2011\u2012\u2013\u2014\u200b\ufeff", r):
			continue
		}
		if r > 'Z' || !strings.ContainsRune(alphabet, r) {
			return "", fmt.Errorf("%w: group %d has %q, which no code has", ErrCode, out.Len()/groupChars+1, r)
		}
		out.WriteRune(r)
	}
	return out.String(), nil
}

// decode reads the bytes of a code.
func decode(b []byte) (c Code, err error) {
	n := len(b) - sumBytes
	if n < 1+len(c.Authority)+len(c.Secret) {
		return c, fmt.Errorf("%w: the end is missing", ErrCode)
	}
	sum := sha256.Sum256(b[:n])
	if !bytes.Equal(sum[:sumBytes], b[n:]) {
		return c, fmt.Errorf("%w: groups are missing, doubled or exchanged: compare line by line", ErrCode)
	}
	if b[0] != codeVersion {
		return c, fmt.Errorf(
			"%w: its version is %d, this program reads %d: install the county's version of gatehouse",
			ErrCode,
			b[0],
			codeVersion,
		)
	}
	rest := b[1:n]
	rest = rest[copy(c.Authority[:], rest):]
	rest = rest[copy(c.Secret[:], rest):]
	var texts []string
	for len(rest) > 0 && rest[0] > 0 && len(texts) < maxURLs+2 {
		size := int(rest[0])
		if len(rest) < 1+size {
			return c, fmt.Errorf("%w: its fields do not fit its length", ErrCode)
		}
		texts, rest = append(texts, string(rest[1:1+size])), rest[1+size:]
	}
	if len(texts) < 2 || len(bytes.Trim(rest, "\x00")) > 0 {
		return c, fmt.Errorf("%w: its fields do not fit its length", ErrCode)
	}
	c.County, c.Agent, c.URLs = texts[0], texts[1], texts[2:]
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%w: %w", ErrCode, err)
	}
	return c, nil
}

// check returns an error when the fields can't be those of a code.
func (c Code) check() error {
	var errs []error
	for name, id := range map[string]string{"county": c.County, "gate": c.Agent} {
		if err := wire.CheckID(id); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(append(errs, CheckURLs(c.URLs))...)
}

// CheckURLs returns an error when these can't be the desk's addresses for gates.
func CheckURLs(urls []string) error {
	if len(urls) == 0 || len(urls) > maxURLs {
		return fmt.Errorf("the desk has %d addresses for gates: give 1 to %d", len(urls), maxURLs)
	}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
			u.RawQuery != "" || u.Fragment != "" || len(text) > maxURL {
			return fmt.Errorf("the desk's address %q: write it as https://desk.county.example, "+
				"in %d characters at most", text, maxURL)
		}
	}
	return nil
}
