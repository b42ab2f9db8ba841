package people

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/county/db"
)

// A browser with which somebody has logged in keeps a token that says so, and is
// let through while others guess (OWASP, "Slow Down Online Guessing Attacks with
// Device Cookies"). The token is signed, and so is nothing that the server keeps.
// It names nobody, opens nothing without the password, and ends with it.
const (
	// BrowserFor is how long a browser stays known after a log-in.
	BrowserFor  = 180 * 24 * time.Hour
	maxBrowsers = 8 // users for whom one browser is known
)

// Sizes of a token's parts, in bytes: its number, when it ends, the signature.
const (
	numberSize  = 12
	endSize     = 8
	unsigned    = numberSize + endSize
	browserSize = unsigned + 16
)

// Remember returns the tokens of a browser with which a user has logged in or
// was set up. tokens are those that it has.
func (p *People) Remember(ctx context.Context, tokens, name string) (string, error) {
	name = strings.TrimSpace(name)
	u, err := p.account(ctx, p.file.Reader(), name)
	if err != nil {
		return "", fmt.Errorf("remember a browser: %w", err)
	}
	key, err := p.browserKey(ctx)
	if err != nil {
		return "", err
	}
	return remember(key, tokens, name, u.hash, p.now()), nil
}

// number returns the number of the token that a browser was given for a user;
// empty: it has none that counts.
func (p *People) number(ctx context.Context, tokens, name string, hash []byte) (string, error) {
	if tokens == "" {
		return "", nil
	}
	key, err := p.browserKey(ctx)
	if err != nil {
		return "", err
	}
	number, _ := recognise(key, tokens, name, hash, p.now())
	return number, nil
}

// Mark returns a few letters and digits that differ from one desk's file to another's.
func (p *People) Mark(ctx context.Context) (string, error) {
	key, err := p.browserKey(ctx)
	if err != nil {
		return "", err
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte("mark"))
	return hex.EncodeToString(m.Sum(nil)[:4]), nil
}

// browserKey returns the key that signs tokens. The first call makes it.
func (p *People) browserKey(ctx context.Context) (key []byte, err error) {
	const read = "SELECT value FROM secrets WHERE name = 'browsers'"
	key, found, err := db.One(ctx, p.file.Reader(), db.Value[[]byte], read)
	if err == nil && !found {
		fresh := make([]byte, sha256.Size)
		rand.Read(fresh) // never fails (crypto/rand)
		err = p.file.Write(ctx, func(tx *sql.Tx) error {
			const write = "INSERT INTO secrets (name, value) VALUES ('browsers', ?) ON CONFLICT DO NOTHING"
			if _, err := tx.ExecContext(ctx, write, fresh); err != nil {
				return err
			}
			key, _, err = db.One(ctx, tx, db.Value[[]byte], read)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of known browsers: %w", err)
	}
	return key, nil
}

// recognise returns the number of the token, among tokens, that was signed for a
// user with this hash and has not ended, and the other tokens.
func recognise(key []byte, tokens, name string, hash []byte, now time.Time) (number string, others []string) {
	for text := range strings.SplitSeq(tokens, ".") {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(b) != browserSize {
			continue
		}
		ends := time.Unix(int64(binary.BigEndian.Uint64(b[numberSize:unsigned])), 0) //nolint:gosec // as signed
		if !hmac.Equal(b[unsigned:], sign(key, b[:unsigned], name, hash)) {
			others = append(others, text)
		} else if now.Before(ends) {
			number = string(b[:numberSize])
		}
		if len(others) == maxBrowsers {
			break
		}
	}
	return number, others
}

// remember returns tokens with a new one for a user.
func remember(key []byte, tokens, name string, hash []byte, now time.Time) string {
	b := make([]byte, unsigned, browserSize)
	rand.Read(b[:numberSize])                                                              // never fails (crypto/rand)
	binary.BigEndian.PutUint64(b[numberSize:unsigned], uint64(now.Add(BrowserFor).Unix())) //nolint:gosec // after 1970
	b = append(b, sign(key, b, name, hash)...)
	_, others := recognise(key, tokens, name, hash, now)
	all := append([]string{base64.RawURLEncoding.EncodeToString(b)}, others...)
	return strings.Join(all[:min(len(all), maxBrowsers)], ".")
}

// sign returns the signature of a token for a user with this hash: it ends when
// the password changes.
func sign(key, token []byte, name string, hash []byte) []byte {
	m := hmac.New(sha256.New, key)
	for _, part := range [][]byte{token, hash, []byte(name)} { // of the first two the sizes are fixed
		m.Write(part)
	}
	return m.Sum(nil)[:browserSize-unsigned]
}
