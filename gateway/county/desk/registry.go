package desk

import (
	"context"

	"gatehouse/gateway/county/end"
	"gatehouse/gateway/county/registry"
)

// Issuer returns the public key (DER) of the authority that issues the gates' certificates,
// or nil when none has yet.
func (d *Desk) Issuer(ctx context.Context) ([]byte, error) { return registry.Issuer(ctx, d.file) }

// OpenRegistry opens the registry in the desk's file. It sets opts.File, opts.Now and
// opts.Agents.
func (d *Desk) OpenRegistry(ctx context.Context, opts registry.Options) (*registry.Registry, error) {
	opts.File, opts.Now, opts.Agents = d.file, d.opts.Now, d.opts.Sites.Agents()
	return registry.Open(ctx, opts)
}

// OpenEnd returns how far the end of the county is, as the desk's file has it. It sets
// opts.File, opts.Now and opts.Agents.
func (d *Desk) OpenEnd(opts end.Options) *end.Ends {
	opts.File, opts.Now, opts.Agents = d.file, d.opts.Now, d.opts.Sites.Agents()
	return end.New(opts)
}
