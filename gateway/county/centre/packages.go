package centre

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/repository"
	"gatehouse/gateway/secret"
)

// packagesKey is the file of the key that signs the index of packages. It lies beside the
// authority's: whoever has it can have gates install what they like.
const packagesKey = "packages.key"

// ErrNoPackages says that the configuration names no folder of packages.
var ErrNoPackages = errors.New("packages: is missing in the configuration: name a folder, " +
	"such as /var/lib/gatehouse/packages (deploy/UPGRADE.md)")

// PackageFolder returns the county's folder of packages. The error is ErrNoPackages when the
// configuration names none.
func (c Config) PackageFolder() (repository.Folder, error) {
	if c.Packages == "" {
		return repository.Folder{}, ErrNoPackages
	}
	return repository.Folder{Dir: c.Packages}, nil
}

// packagesPublic returns the public key of packages as gates get it; nil: the county offers
// none yet.
func (c Config) packagesPublic() ([]byte, error) {
	if c.Packages == "" {
		return nil, nil
	}
	key, err := c.PackagesKey(time.Time{}, false)
	if errors.Is(err, repository.ErrNone) {
		return nil, nil // the first gatehouse packages add makes it
	}
	if err != nil {
		return nil, err
	}
	return key.Public()
}

// PackagesKey reads the key that signs the index of packages. Where make is set it makes it the
// first time; else the error wraps repository.ErrNone when there is none.
func (c Config) PackagesKey(now time.Time, make bool) (openpgp.Key, error) {
	path := filepath.Join(c.authorityDir(), packagesKey)
	text, err := secret.Read(path)
	if err == nil {
		key, err := openpgp.ParseKey(text)
		if err != nil {
			return key, fmt.Errorf("%s: %w", path, err)
		}
		return key, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return openpgp.Key{}, fmt.Errorf("the key of packages: %w", err)
	}
	if _, err := os.Lstat(filepath.Join(c.Packages, repository.SignedFile)); err == nil {
		return openpgp.Key{}, fmt.Errorf("%s is missing, and %s is signed by it: mount the disk of ca_dir, or bring "+
			"the key back; if it is lost, empty that folder and add the packages again: gates then need the new key",
			path, c.Packages)
	}
	if !make {
		return openpgp.Key{}, repository.ErrNone
	}
	key, err := openpgp.NewKey("gatehouse "+c.County, now)
	if err != nil {
		return key, err
	}
	if text, err = key.Private(); err != nil {
		return key, err
	}
	if err = os.MkdirAll(c.authorityDir(), 0o700); err == nil {
		err = identity.Create(path, string(text), 0o600)
	}
	if err == nil {
		err = identity.SyncFolder(c.authorityDir())
	}
	if err != nil {
		return key, fmt.Errorf("make the key of packages: %w", err)
	}
	return key, nil
}
