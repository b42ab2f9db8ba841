// Package peer tells who sent an HTTP request when proxies may stand in between.
// It believes the headers of listed proxies only, and these only as far as each
// was added by one of them.
package peer

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are those whose headers about a request's origin are believed. The
// zero value believes nobody.
type Proxies struct{ nets []netip.Prefix }

// Parse returns the proxies of a configuration: addresses (127.0.0.1, ::1) and
// networks (10.1.0.0/16). One that means everybody is an error.
func Parse(list []string) (Proxies, error) {
	var p Proxies
	var errs []error
	for _, text := range list {
		n, err := parseNet(strings.TrimSpace(text))
		if err != nil {
			errs = append(errs, fmt.Errorf("%q: %w", text, err))
		}
		p.nets = append(p.nets, n)
	}
	return p, errors.Join(errs...)
}

func parseNet(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	n, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return n, errors.New("write an address or a network of a proxy, like 127.0.0.1, ::1 or 10.1.0.0/16")
	case n.Bits() == 0:
		return n, errors.New("this is everybody, who could then claim any address: name the proxies only")
	case n.Addr().Is4In6():
		return n, errors.New("write this network as IPv4")
	}
	return n.Masked(), nil
}

// List reports whether an address is one of the proxies'.
func (p Proxies) List(a netip.Addr) bool {
	for _, n := range p.nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// Peer is who sent a request.
type Peer struct {
	// Addr is the sender's address as far as it can be known: of a request
	// through proxies the first address, from the right, that is no listed
	// proxy's. IPv4 is not mapped into IPv6, and there is no zone.
	Addr netip.Addr
	Near bool // sent by a program of this computer, with nothing in between
	TLS  bool // the sender's own connection, to us or to a listed proxy, is encrypted
	// Host is the name, with a port or not, by which the sender calls this
	// server. Vouched means that a listed proxy says so; otherwise it is the
	// request's own.
	Host    string
	Vouched bool
	// Forwarded means that something passed the request on, or seems to have.
	Forwarded bool
	// Trusted means that a listed proxy passed it on.
	Trusted bool
}

// Of returns who sent a request.
func (p Proxies) Of(r *http.Request) Peer {
	from := Remote(r.RemoteAddr)
	out := Peer{Addr: from, TLS: r.TLS != nil, Host: r.Host, Forwarded: forwarded(r)}
	out.Near = from.IsLoopback() && !out.Forwarded && Local(r.Host)
	if !out.Forwarded || !p.List(from) {
		return out
	}
	out.Trusted = true
	told, ok := tell(r.Header)
	if !ok {
		return out // its headers contradict each other: nothing in them is believed
	}
	addr, hops := p.walk(from, told.addrs)
	out.Addr = addr
	out.TLS = out.TLS || secure(pick(told.protos, hops))
	if host := pick(told.hosts, hops); validHost(host) {
		out.Host, out.Vouched = host, true
	}
	return out
}

// walk goes from the connection's own address to the left as long as it meets
// listed proxies. hops is how many entries it took.
func (p Proxies) walk(from netip.Addr, addrs []string) (addr netip.Addr, hops int) {
	for i := len(addrs) - 1; i >= 0 && p.List(from); i-- {
		a, ok := address(addrs[i])
		if !ok {
			break
		}
		from = a
		hops++
	}
	return from, hops
}

// pick returns the entry that the outermost listed proxy made, of a list to
// which each proxy appends or which the last one replaces.
func pick(list []string, hops int) string {
	if len(list) == 0 {
		return ""
	}
	return list[max(0, len(list)-max(1, hops))]
}

func secure(proto string) bool {
	switch strings.ToLower(proto) {
	case "https", "wss":
		return true
	}
	return false
}

// Place returns where an address is, for counting: of IPv6 the network of 64
// bits, all of whose addresses one customer has.
func Place(a netip.Addr) string {
	if a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().String()
	}
	return a.String()
}

// Remote returns the address of a connection; the zero Addr when it has none.
func Remote(text string) netip.Addr {
	a, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// address reads an entry of X-Forwarded-For or the for= of Forwarded: an address,
// with a port or not, IPv6 in brackets or not.
func address(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	if inner, ok := strings.CutPrefix(text, "["); ok && err != nil {
		a, err = netip.ParseAddr(strings.TrimSuffix(inner, "]"))
	}
	if err != nil {
		with, perr := netip.ParseAddrPort(text)
		a, err = with.Addr(), perr
	}
	return a.Unmap().WithZone(""), err == nil && !a.IsUnspecified()
}

// Local reports whether a host, with a port or not, is a name that this computer
// has for itself.
func Local(host string) bool {
	name := Name(host)
	a, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// Name returns a host without its port, brackets and the dot that ends a complete name,
// in lower case.
func Name(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// validHost reports whether a forwarded host can be one: letters, digits, dots,
// hyphens, and a port or IPv6 in brackets.
func validHost(host string) bool {
	return host != "" && len(host) <= 255 && strings.Trim(host, alphanumeric+".-_:[]") == ""
}
