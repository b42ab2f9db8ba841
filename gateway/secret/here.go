package secret

import (
	"net"
	"net/netip"
	"os"
	"strings"
)

// Here reports whether a host, a name or an address without a port, is this computer, so
// that nobody on the network sees what is sent to it. Names are not looked up: localhost
// and this computer's own name count. It may be called from any goroutine.
func Here(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") { // RFC 6761, 6.3
		return true
	}
	if own, err := os.Hostname(); err == nil && name != "" && strings.EqualFold(name, own) {
		return true
	}
	at, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	at = at.Unmap()
	if at.IsLoopback() || at.IsUnspecified() { // Linux connects 0.0.0.0 to this computer
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range own {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == at.WithZone("") {
			return true
		}
	}
	return false
}
