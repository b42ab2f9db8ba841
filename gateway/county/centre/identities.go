package centre

import (
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/identity/authority"
)

// identities are those of the registry for the embedded broker, which starts before it
// and lets nobody in until it is open.
type identities struct {
	mu     sync.Mutex // guards reg
	reg    *registry.Registry
	opened chan struct{} // closed when reg is set
}

var _ broker.Identities = (*identities)(nil)

func newIdentities() *identities { return &identities{opened: make(chan struct{})} }

// open is called once.
func (i *identities) open(reg *registry.Registry) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.reg = reg
	close(i.opened)
}

func (i *identities) registry() *registry.Registry {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.reg
}

var errNotOpen = errors.New("the county is still starting")

// Identify implements broker.Identities.
func (i *identities) Identify(name string, cert *x509.Certificate, now time.Time) (authority.Kind, error) {
	reg := i.registry()
	if reg == nil {
		return "", errNotOpen
	}
	return reg.Identify(name, cert, now)
}

// Changed implements broker.Identities.
func (i *identities) Changed() <-chan struct{} {
	if reg := i.registry(); reg != nil {
		return reg.Changed()
	}
	return i.opened
}
