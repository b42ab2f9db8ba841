package centre

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/enrolment"
)

// signers tells the collector by which keys agents sign.
type signers struct {
	registry *registry.Registry
	log      *slog.Logger
}

// Signer implements collect.Signers.
func (s signers) Signer(agent string) collect.Signer {
	i, ok := s.registry.Lookup(agent)
	if !ok && s.registry.WasEnrolled(agent) { // no signature fits
		return collect.Signer{Enrolled: true, Must: true}
	}
	if !ok {
		return collect.Signer{}
	}
	key, err := enrolment.ParseKey(i.Key)
	if err != nil { // then no signature fits
		s.log.Error("the key of an agent can't be read: enrol it again", "agent", agent, "err", err)
	}
	signer := collect.Signer{Enrolled: true, Revoked: !i.Revoked.IsZero(), Must: s.registry.MustSign(agent), Key: key,
		Approved: i.Approved}
	if !signer.Must {
		signer.Signed = func(ctx context.Context) error { return s.registry.HasSigned(ctx, agent) }
	}
	return signer
}

// Unknown implements collect.Signers.
func (s signers) Unknown(agent string) bool { return s.registry.HeardUnknown(agent) }

// openSigners opens the registry where there is no desk that has done so: an agent that
// signs, or was revoked, stays that without a desk. From then on it takes in what
// commands change.
func (c *county) openSigners(ctx context.Context) error {
	if c.registry == nil {
		if err := c.openOnlyRegistry(ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { c.registry.Watch(ctx) })
	c.onClose(func() error {
		cancel()
		wg.Wait()
		return nil
	})
	return nil
}

func (c *county) openOnlyRegistry(ctx context.Context) error {
	file, err := desk.OpenFile(filepath.Join(c.cfg.Dir, DeskFile))
	if err != nil {
		return err
	}
	c.onClose(file.Close)
	c.registry, err = registry.Open(ctx, registry.Options{File: file, County: c.cfg.County, Memory: c.cfg.memoryFile(),
		Agents: c.sites.Agents(), Now: time.Now, Log: c.log})
	return err
}
