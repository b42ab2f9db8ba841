package rules

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/secret"
)

// VaultFile is the name of the vault key's file, in the folder of the county's authority.
const VaultFile = "vault.key"

// ErrVault is wrapped when a text can't be read because its vault key is not there.
var ErrVault = errors.New("the vault key with which it is encrypted is not here")

// Vault encrypts what the desk's file holds of people. Its key lies apart from that file.
type Vault struct{ secret, recipient string }

// LoadVault reads the vault key in dir. The error wraps fs.ErrNotExist when there is none.
func LoadVault(dir string) (*Vault, error) {
	path := filepath.Join(dir, VaultFile)
	b, err := secret.Read(path)
	if err != nil {
		return nil, fmt.Errorf("load the vault key: %w", err)
	}
	v := &Vault{secret: strings.TrimSpace(string(b))}
	if v.recipient, err = sealed.Recipient(v.secret); err != nil {
		return nil, fmt.Errorf("load the vault key: %s holds none: bring the file back from where a copy is kept", path)
	}
	return v, nil
}

// CreateVault makes a new vault key in dir. It fails when there is one.
func CreateVault(dir string) (*Vault, error) {
	secret, recipient, err := sealed.NewKey()
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = identity.Create(filepath.Join(dir, VaultFile), secret+"\n", 0o600)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the vault key: %w: there is one, which is used", err)
	}
	if err != nil {
		return nil, fmt.Errorf("make the vault key: %w", err)
	}
	return &Vault{secret, recipient}, nil
}

// seal encrypts a text.
func (v *Vault) seal(text []byte) ([]byte, error) {
	if v == nil {
		return nil, ErrVault
	}
	return sealed.Seal(text, v.recipient)
}

// open decrypts what seal returned when recipient's key was the vault key.
func (v *Vault) open(b []byte, recipient string) ([]byte, error) {
	if v == nil || v.recipient != recipient {
		return nil, ErrVault
	}
	return sealed.Open(b, v.secret)
}

// key returns the vault key, or nil. It is looked for until it is there.
func (r *Rules) key() *Vault {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.vault == nil {
		r.vault, _ = LoadVault(r.opts.Dir) // sealing says what is wrong with it
	}
	return r.vault
}

// newKey returns the vault key, and makes one when nothing was encrypted with another yet,
// or when again says that the former one is lost.
func (r *Rules) newKey(ctx context.Context, again bool) (*Vault, error) {
	if v := r.key(); v != nil {
		return v, nil
	}
	_, err := LoadVault(r.opts.Dir)
	if !missing(err) {
		return nil, err
	}
	sealed, _, err := db.One(ctx, r.opts.File.Reader(), db.Value[int],
		"SELECT count(*) FROM rules_versions WHERE vault != ''")
	if err != nil {
		return nil, fmt.Errorf("read the versions of the rules: %w", err)
	}
	if sealed > 0 && !again {
		return nil, fmt.Errorf("%w (%s): bring it back from where a copy is kept; if it is lost for good, import "+
			"the files again with gatehouse rules import --new-vault-key", ErrVault, r.opts.Dir)
	}
	v, err := CreateVault(r.opts.Dir)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.vault = v
	return v, nil
}

// digest returns a sum of texts that nobody can try guesses on without the vault key.
func (v *Vault) digest(texts ...[]byte) []byte {
	mac := hmac.New(sha256.New, []byte(v.secret))
	for _, t := range texts {
		sum := sha256.Sum256(t)
		mac.Write(sum[:])
	}
	return mac.Sum(nil)
}
