package threats

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse/simulator/leak"
)

// keyFiles are the names of files that hold nothing but secrets, 0600: where they may stand.
var keyFiles = []string{"site.key", "site.keys", "agent.key", "agent.age", "ca.key", "vault.key", "collector.key",
	"server.key", "desk.key", "signing.key"}

// secrets returns what must not stand anywhere but in its own place.
func (c *county) secrets() ([]leak.Secret, error) {
	list := []leak.Secret{
		{Name: "a resident's card", Text: resident.Card}, {Name: "a guard's card", Text: guardCard},
		{Name: "an unknown card", Text: unknownCard}, {Name: "a card in quarantine", Text: junkCard},
		{Name: "a guard's PIN", Text: guardPIN}, {Name: "a person's name", Text: personName},
		{Name: "a scanned code", Text: codeText}, {Name: "a password", Text: password},
		{Name: "a mistyped password", Text: mistyped},
	}
	codes := 0
	for _, g := range c.gates {
		for _, code := range g.codes {
			list = append(list, leak.Secret{Name: "a code for enrolment", Text: code})
			codes++
		}
	}
	at, err := url.Parse(c.url)
	if err != nil {
		return nil, err
	}
	for _, k := range c.admin.jar.Cookies(at) {
		list = append(list, leak.Secret{Name: "a session", Text: k.Value})
	}
	keys := 0
	err = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // files go while programs run
		}
		if err != nil || d.IsDir() || !slices.Contains(keyFiles, d.Name()) {
			return err
		}
		b, err := os.ReadFile(path) //nolint:gosec // nobody else writes there
		if err != nil {
			return err
		}
		for _, text := range keysIn(b) {
			list, keys = append(list, leak.Secret{Name: d.Name(), Text: text}), keys+1
		}
		return nil
	})
	if err == nil && (keys < 6 || codes == 0) {
		err = fmt.Errorf("only %d keys and %d codes are known", keys, codes)
	}
	return list, err
}

// keysIn returns the keys in a file, each as its text and as its bytes.
func keysIn(text []byte) (out []string) {
	if block, _ := pem.Decode(text); block != nil {
		out = append(out, string(block.Bytes))
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			key, err = x509.ParseECPrivateKey(block.Bytes)
		}
		if err != nil {
			return out
		}
		switch k := key.(type) {
		case ed25519.PrivateKey:
			out = append(out, string(k.Seed()))
		case *ecdsa.PrivateKey:
			if d, err := k.ECDH(); err == nil {
				out = append(out, string(d.Bytes()), hex.EncodeToString(d.Bytes()))
			}
		}
		return out
	}
	for _, field := range strings.Fields(string(text)) {
		if len(field) >= 40 { // not the times beside a key
			out = append(out, field)
			if raw := unbase64(field); len(raw) >= 16 {
				out = append(out, string(raw))
			}
		}
	}
	return out
}

// mayHold reports whether a secret may stand in a file of a county, by its path there.
func mayHold(path, secret string) bool {
	name := filepath.Base(path)
	top, _, _ := strings.Cut(path, string(filepath.Separator))
	switch {
	case slices.Contains(keyFiles, secret): // of which other rows make copies, to be refused
		return slices.Contains(keyFiles, name)
	case name == "broker.password": // of which another row makes a file of its own, 0600
		return secret == "a password"
	case name == "roster.csv" || name == "guards.csv": // the operator's own
		return strings.HasSuffix(secret, "card") || secret == "a person's name"
	case secret == "a card in quarantine": //nolint:gosec // PRIVACY.md: bytes in quarantine are as they came
		return top == "county" && strings.HasPrefix(name, "gatehouse.db")
	}
	return false
}
