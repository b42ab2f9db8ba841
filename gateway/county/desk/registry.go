package desk

import (
	"context"
	"time"

	"gatehouse/gateway/county/end"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/fact"
)

// Issuer returns the public key (DER) of the authority that issues the gates' certificates,
// or nil when none has yet.
func (d *Desk) Issuer(ctx context.Context) ([]byte, error) { return registry.Issuer(ctx, d.file) }

// OpenRegistry opens the registry in the desk's file. It sets opts.File, opts.Now and
// opts.Agents.
func (d *Desk) OpenRegistry(ctx context.Context, opts registry.Options) (*registry.Registry, error) {
	opts.File, opts.Now, opts.Agents = d.file, d.opts.Now, d.opts.Sites.Agents()
	r, err := registry.Open(ctx, opts)
	if err == nil {
		d.centre.identities.Store(r)
	}
	return r, err
}

// identities finds certificates that end.
func (f *findings) identities(r *registry.Registry) {
	if r == nil {
		return
	}
	var names []string
	for _, e := range r.Ending(f.now) {
		names = append(names, e.Name+" ("+e.Ends.UTC().Format(time.DateOnly)+")")
	}
	if len(names) > 0 {
		f.add(fact.TroubleIdentities, false, "certificates end soon or have ended, the page Enrol says what to do: "+
			few(names), "identities", "names", few(names))
	}
}

// OpenEnd returns how far the end of the county is, as the desk's file has it. It sets
// opts.File, opts.Now and opts.Agents.
func (d *Desk) OpenEnd(opts end.Options) *end.Ends {
	opts.File, opts.Now, opts.Agents = d.file, d.opts.Now, d.opts.Sites.Agents()
	return end.New(opts)
}
