package centre

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"gatehouse/gateway/county/brokers"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/identity/authority"
)

// ForOtherBrokers returns what other brokers have to know of the county. The collector may
// run meanwhile.
func (c Config) ForOtherBrokers(ctx context.Context) (out brokers.County, err error) {
	ca, err := authority.Load(c.authorityDir(), c.County)
	if err != nil {
		return out, fmt.Errorf("%w; the first start of the collector with a desk makes it (deploy/ENROL.md)", err)
	}
	file, err := db.OpenReadOnly(filepath.Join(c.Dir, DeskFile))
	if err != nil {
		return out, fmt.Errorf("read who is enrolled: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	reg, err := registry.Open(ctx, registry.Options{File: file, County: c.County, Now: time.Now,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return out, err
	}
	void, err := reg.Void(ctx)
	if err != nil {
		return out, err
	}
	out = brokers.County{ID: c.County, CA: identity.PEM(ca.Certificate().Raw), Discovery: c.discovers()}
	if out.Revoked, err = ca.Revoked(void, time.Now()); err != nil {
		return out, err
	}
	for _, i := range reg.Identities() {
		if i.Revoked.IsZero() {
			out.Clients = append(out.Clients, brokers.Client{Name: i.Name, Kind: i.Kind})
		}
	}
	for _, m := range c.Machines {
		for _, t := range m.Topics {
			out.Topics = append(out.Topics, t.Topic)
		}
	}
	return out, nil
}
