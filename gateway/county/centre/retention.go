package centre

import (
	"context"
	"log/slog"
	"sync"

	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/retention"
)

// retention returns for how long records are kept: what is not configured, for ever.
func (c *county) retention() retention.Config {
	if c.cfg.Retention == nil {
		return retention.Config{}
	}
	return *c.cfg.Retention
}

// startRetention removes old records beside everything else, if that is configured.
func (c *county) startRetention(ctx context.Context) error {
	if c.cfg.Retention == nil {
		return nil
	}
	opts := retention.Options{Config: *c.cfg.Retention, Store: c.archive, Log: c.log.With("part", "retention")}
	if d, ok := c.desk.(*desk.Desk); ok {
		opts.Guard = d
	}
	kept := []any{}
	for _, k := range c.cfg.Retention.Kept() {
		if k.Age == 0 {
			kept = append(kept, slog.String(k.Name, "for ever"))
			continue
		}
		kept = append(kept, slog.String(k.Name, k.Age.String()))
	}
	c.log.Info("old records are removed from the store; see gatehouse quarantine expired", slog.Group("kept", kept...))
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { retention.New(opts).Run(ctx) })
	c.onClose(func() error {
		cancel()
		running.Wait()
		return nil
	})
	return nil
}
