package enrol

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity"
)

// Handed returns what the county has handed over about its packages, as it lies in a gate's
// folder, with the authority that has signed it. The error wraps os.ErrNotExist when there is
// nothing. Whoever may write the folder can have put both there: compare the authority, or the
// key's fingerprint, with what is known of the county.
func Handed(dir string) (p enrolment.Packages, ca *x509.Certificate, err error) {
	if ca, err = identity.LoadCertificate(filepath.Join(dir, enrolment.AuthorityFile)); err != nil {
		return p, nil, fmt.Errorf("the county's authority: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, enrolment.PackagesFile), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err == nil {
		err = json.NewDecoder(io.LimitReader(f, mostPackages)).Decode(&p)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return p, nil, fmt.Errorf("what the county has handed over about packages: %w", err)
	}
	return p, ca, p.Verify(p.County, ca)
}

// mostPackages bounds the file, in bytes.
const mostPackages = 256 << 10

// keepPackages keeps what came with a renewal about packages, unless it is older than what
// there is. ca is the authority that counts now.
func (r *Renewer) keepPackages(p enrolment.Packages, ca *x509.Certificate) error {
	if err := p.Verify(r.county, ca); err != nil {
		return err
	}
	dir := filepath.Dir(r.identity.Key)
	held, _, err := Handed(dir)
	switch {
	case err == nil && (held.Same(p) || !p.Time.After(held.Time)):
		return nil
	case err != nil && !errors.Is(err, os.ErrNotExist):
		r.log.Warn("what was handed over about packages can't be used, and is replaced", "err", err)
	}
	b, err := json.Marshal(p)
	if err == nil {
		err = identity.Replace(filepath.Join(dir, enrolment.PackagesFile), b)
	}
	if err != nil {
		return fmt.Errorf("keep the key of packages: %w", err)
	}
	r.log.Info("the county has handed over from where this gate is upgraded; root takes it: "+
		"sudo gatehouse upgrade --take-key", "urls", p.URLs)
	return nil
}
