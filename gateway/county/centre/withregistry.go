package centre

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/site"
)

// WithRegistry calls use with the county's identities, which it may change; the collector
// may run meanwhile and takes the change in within seconds.
func (c Config) WithRegistry(ctx context.Context, log *slog.Logger, use func(*registry.Registry) error) (err error) {
	sites, err := site.Load(c.Sites)
	if err != nil {
		return err
	}
	ca, err := authority.Load(c.authorityDir(), c.County)
	if err != nil {
		return fmt.Errorf("%w; the first start of the collector with a desk makes it (deploy/ENROL.md)", err)
	}
	file, err := desk.OpenFile(filepath.Join(c.Dir, DeskFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	issuer, err := registry.Issuer(ctx, file)
	if err != nil {
		return err
	}
	if string(ca.Certificate().RawSubjectPublicKeyInfo) != string(issuer) {
		return fmt.Errorf("the authority in %s is not the one that issues for this county: name the right ca_dir",
			c.authorityDir())
	}
	r, err := registry.Open(ctx, registry.Options{File: file, County: c.County, Agents: sites.Agents(), Authority: ca,
		Memory: c.memoryFile(), Now: time.Now, Log: log})
	if err != nil {
		return err
	}
	return use(r)
}
