package centre

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gatehouse/gateway/county/health"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// When the end of a certificate is told.
const (
	renewWithin = 14 * 24 * time.Hour // before it
	lookAtEnds  = time.Minute
)

// certificate is one that this process serves as it was at the start: agents or
// browsers can't connect any more when it has ended.
type certificate struct {
	what string // for people: the key in the configuration
	ends time.Time
}

// certificates returns those that cfg names. Parts that serve them report files that
// can't be read.
func certificates(cfg Config) (out []certificate) {
	add := func(what, cert, key string) {
		if pair, err := identity.KeyPair(cert, key); cert != "" && err == nil {
			out = append(out, certificate{what, pair.Leaf.NotAfter})
		}
	}
	if e := cfg.Broker.Embedded; e != nil {
		add("broker.embedded.tls", e.TLS.Cert, e.TLS.Key)
	}
	if e := cfg.Broker.External; e != nil {
		add("broker.external.cert", e.Cert, e.Key)
	}
	if cfg.Desk != nil {
		add("desk.tls", cfg.Desk.TLS.Cert, cfg.Desk.TLS.Key)
	}
	return out
}

// trouble returns what is wrong with the certificate at now, if something is.
func (c certificate) trouble(now time.Time) (t wire.Trouble, wrong bool) {
	on := c.ends.UTC().Format(time.DateOnly)
	left := c.ends.Sub(now)
	switch {
	case left > renewWithin:
		return t, false
	case left > 0:
		t = wire.Trouble{Kind: fact.TroubleCertificate, Since: new(wire.At(now)), Text: fmt.Sprintf(
			"the certificate of %s ends on %s: renew it and start the collector again", c.what, on)}
	default:
		t = health.Problem(fact.TroubleCertificate, c.ends, fmt.Sprintf("the certificate of %s has ended on %s, "+
			"nobody can connect any more: renew it and start the collector again", c.what, on))
	}
	return t.Advise("certificate", "what", c.what, "on", on), true
}

// watchCertificates tells the board when one ends.
func (c *county) watchCertificates(ctx context.Context) error {
	list := certificates(c.cfg)
	if len(list) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			for _, x := range list {
				if t, wrong := x.trouble(time.Now()); wrong {
					c.health.Set(x.what, t)
				}
			}
			if !retry.Sleep(ctx, lookAtEnds) {
				return
			}
		}
	})
	c.onClose(func() error {
		cancel()
		watching.Wait()
		return nil
	})
	return nil
}
