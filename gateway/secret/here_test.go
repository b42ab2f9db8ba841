package secret

import (
	"net"
	"os"
	"testing"
)

func TestThisComputerIsKnown(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for host, here := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "localhost.": true, "broker.localhost": true, own: true,
		"127.0.0.1": true, "127.1.2.3": true, "::1": true, "::ffff:127.0.0.1": true, "0.0.0.0": true, "::": true,
		"": false, ".": false, "localhost.example": false, "mylocalhost": false, "127.0.0.1.example": false,
		"192.0.2.7": false, "2001:db8::7": false, "::ffff:192.0.2.7": false, "broker": false, "127.1": false,
		"county.example": false, "fe80::1%eth9": false,
	} {
		if Here(host) != here {
			t.Errorf("%q: %v", host, !here)
		}
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, _, err := net.ParseCIDR(a.String()); err != nil || !Here(ip.String()) {
			t.Errorf("%v, an address of this computer: %v", a, err)
		}
	}
}
