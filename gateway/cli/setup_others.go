package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/lockfile"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/setup"
)

// lookFor bounds how long setup looks for another collector.
const lookFor = 10 * time.Second

// lookForOthers returns an error when another collector serves the county already: on this
// computer, at the address, or at the broker.
func (f *setupFlags) lookForOthers(ctx context.Context, a setup.Answers) error {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	dir := filepath.Join(f.place.Data, "county")
	if !f.again {
		if err := unused(dir); err != nil {
			return err
		}
	}
	if err := addressIsHere(ctx, a); err != nil {
		return err
	}
	if a.Broker == "" {
		return nil
	}
	public, _ := identity.LoadCollectorPublic(filepath.Join(dir, "collector.pub")) // nil before the first start
	other, err := collect.Another(ctx, mqtt.Broker{URL: a.Broker}, a.County, public)
	if err != nil {
		return nil //nolint:nilerr // a broker that is not up yet has no other collector; doctor says more
	}
	if other != nil {
		return fmt.Errorf("%w; choose another county id, or stop that collector", other)
	}
	return nil
}

// unused returns an error when a collector runs with a folder.
func unused(dir string) error {
	lock := filepath.Join(dir, "lock")
	if _, err := os.Stat(lock); err != nil {
		return nil //nolint:nilerr // no collector has used it
	}
	held, err := lockfile.Take(lock)
	if errors.Is(err, lockfile.ErrHeld) {
		return fmt.Errorf("a collector runs on this computer with the folder %s: one is enough; to change its "+
			"configuration: gatehouse setup --again", dir)
	}
	if err != nil {
		return fmt.Errorf("look whether a collector runs: %w", err)
	}
	return held.Close()
}

// addressIsHere returns an error when the address leads to another computer that answers
// where the desk would: the county's collector is there.
func addressIsHere(ctx context.Context, a setup.Answers) error {
	if a.Address == "" || a.Mode() == setup.Proxy {
		return nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", a.Address)
	if err != nil {
		return nil //nolint:nilerr // the name may be made later; doctor says so
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("this computer's addresses: %w", err)
	}
	here := func(at netip.Addr) bool {
		return at.IsLoopback() || slices.ContainsFunc(own, func(o net.Addr) bool {
			n, ok := o.(*net.IPNet)
			return ok && n.IP.Equal(at.AsSlice())
		})
	}
	if len(found) == 0 || slices.ContainsFunc(found, func(at netip.Addr) bool { return here(at.Unmap()) }) {
		return nil
	}
	conn, err := (&net.Dialer{Timeout: lookFor / 3}).DialContext(ctx, "tcp", a.DeskAddress())
	if err != nil {
		return nil //nolint:nilerr // nobody is there
	}
	_ = conn.Close()
	return fmt.Errorf("%s is another computer (%s), and something answers there at %s: if the county's collector is "+
		"that one, set nothing up here; else give this computer's own name or address",
		a.Address, found[0], a.DeskAddress())
}
