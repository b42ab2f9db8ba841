package upgrade

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/repository"
)

const (
	// indexLimit is for one file of the index.
	indexLimit = 30 * time.Second
	// stalledLimit ends a download of which nothing comes for so long.
	stalledLimit = time.Minute
)

// errStalled ends such a download.
var errStalled = errors.New("nothing more comes")

// Source is the county's folder of packages, as a gate reaches it.
type Source struct {
	URL  string // without a slash at its end
	Ring openpgp.Ring
	HTTP *http.Client

	stalled time.Duration // instead of stalledLimit, for tests; 0: stalledLimit
}

// newHTTP returns a client that trusts the authorities of the computer, or those of ca alone, or
// any.
func newHTTP(ca []byte, unverified bool) (*http.Client, error) {
	t, _ := http.DefaultTransport.(*http.Transport)
	own := t.Clone()
	own.Proxy = nil // the county is not reached through one
	own.ResponseHeaderTimeout = indexLimit
	if unverified {
		//nolint:gosec // the index is signed, and packages are known by their hashes
		own.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	}
	if ca != nil {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(ca) {
			return nil, errors.New("ca: the file holds no certificate in PEM")
		}
		own.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: own}, nil
}

// Index returns the packages that the county offers, after its signature was verified.
func (s Source) Index(ctx context.Context) ([]repository.Package, error) {
	signed, err := s.small(ctx, repository.SignedFile, repository.MostSigned)
	if err != nil {
		return nil, err
	}
	if _, err := repository.SumOf(s.Ring, signed); err != nil {
		return nil, fmt.Errorf("the county's index of packages: %w", err)
	}
	index, err := s.small(ctx, repository.IndexFile, repository.MostIndex)
	if err != nil {
		return nil, err
	}
	list, err := repository.Open(s.Ring, signed, index)
	if err != nil {
		return nil, fmt.Errorf("the county's index of packages: %w", err)
	}
	return list, nil
}

// Choose returns the first of the addresses of a county's packages at which the key's owner
// answers; the first of all when none does.
func Choose(ctx context.Context, p enrolment.Packages) (string, error) {
	ring, err := openpgp.ParseRing(p.Key)
	if err != nil {
		return "", fmt.Errorf("the county's key of packages: %w", err)
	}
	client, err := newHTTP(nil, true)
	if err != nil {
		return "", err
	}
	for _, url := range p.URLs {
		if _, err := (Source{URL: url, Ring: ring, HTTP: client}).Index(ctx); err == nil {
			return url, nil
		}
	}
	return p.URLs[0], ctx.Err()
}

// Reached reports whether the county answers this computer.
func (s Source) Reached(ctx context.Context) bool {
	_, err := s.small(ctx, repository.SignedFile, repository.MostSigned)
	return err == nil
}

// small fetches a file of up to most bytes.
func (s Source) small(ctx context.Context, name string, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, indexLimit)
	defer cancel()
	answer, err := s.get(ctx, name, 0)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("fetch %s/%s: %w", s.URL, name, err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("fetch %s/%s: it has more than %d bytes", s.URL, name, most)
	}
	return b, nil
}

// get asks for a file from an offset on.
func (s Source) get(ctx context.Context, name string, from int64) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/"+name, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch %s/%s: %w", s.URL, name, err)
	}
	if from > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	answer, err := s.HTTP.Do(r)
	if err != nil {
		return nil, fmt.Errorf("fetch from the county: %w", err)
	}
	if answer.StatusCode != http.StatusOK && (from == 0 || answer.StatusCode != http.StatusPartialContent) {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 200)) // only for people
		return nil, errors.Join(fmt.Errorf("fetch %s/%s: %q: %q", s.URL, name, answer.Status,
			strings.TrimSpace(string(text))), answer.Body.Close())
	}
	return answer, nil
}

// fetch brings a package into dir, whole and with the hash of the index. What an earlier try
// has left is gone on with.
func (s Source) fetch(ctx context.Context, dir string, p repository.Package, told func(int64)) error {
	path := filepath.Join(dir, p.File)
	if verify(path, p) == nil {
		return nil
	}
	part := path + ".part"
	if err := s.more(ctx, part, p, told); err != nil {
		return err
	}
	if err := verify(part, p); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return os.Rename(part, path)
}

// more appends to a package what is missing of it.
func (s Source) more(ctx context.Context, part string, p repository.Package, told func(int64)) error {
	f, err := os.OpenFile(part, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep %s: %w", p.File, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	have := info.Size()
	if have >= p.Size {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := cmp.Or(s.stalled, stalledLimit)
	stalled := time.AfterFunc(limit, func() { cancel(errStalled) })
	defer stalled.Stop()
	answer, err := s.get(ctx, p.File, have)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusOK && have > 0 { // something on the way gives no parts
		if err := f.Truncate(0); err != nil {
			return fmt.Errorf("keep %s: %w", p.File, err)
		}
		have = 0
	}
	told(have)
	comes := counting(func(n int64) {
		stalled.Reset(limit)
		told(n)
	})
	n, err := io.Copy(io.MultiWriter(f, comes), io.LimitReader(answer.Body, p.Size-have))
	if err == nil {
		err = f.Sync()
	} else if cause := context.Cause(ctx); errors.Is(cause, errStalled) {
		err = cause
	}
	if err == nil && have+n < p.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("fetch %s: %w", p.File, err)
	}
	return nil
}

// counting tells how many bytes came.
type counting func(int64)

// Write implements io.Writer.
func (c counting) Write(b []byte) (int, error) {
	c(int64(len(b)))
	return len(b), nil
}

// verify returns an error unless a file is the package of the index: by its hash, and by what
// it says of itself.
func verify(path string, p repository.Package) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, io.LimitReader(f, repository.MostDeb+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", p.File, err)
	}
	if n != p.Size || hex.EncodeToString(hash.Sum(nil)) != p.SHA256 {
		return fmt.Errorf("%s is not what the county has signed: it has %d bytes and another hash", p.File, n)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	is, err := repository.ReadDeb(f)
	if err == nil && (is.Name != p.Name || is.Version != p.Version || is.Architecture != p.Architecture) {
		err = fmt.Errorf("it says that it is %s %s for %s", is.Name, is.Version, is.Architecture)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", p.File, err)
	}
	return nil
}
