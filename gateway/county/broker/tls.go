package broker

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// TLS names PEM files.
type TLS struct {
	Cert string `yaml:"cert"`          // the broker's certificate, with its chain
	Key  string `yaml:"key"`           // its key
	CA   string `yaml:"ca,omitempty"`  // when given, clients need a certificate of this authority, or of the county's
	Min  string `yaml:"min,omitempty"` // "1.2" for clients without TLS 1.3, such as microcontrollers; default "1.3"
}

// tlsVersions are the values of TLS.Min.
var tlsVersions = map[string]uint16{"": tls.VersionTLS13, "1.3": tls.VersionTLS13, "1.2": tls.VersionTLS12}

func (t TLS) check() error {
	if t != (TLS{}) && (t.Cert == "" || t.Key == "") {
		return errors.New("broker: tls needs both cert and key")
	}
	if tlsVersions[t.Min] == 0 {
		return fmt.Errorf(`broker: tls min %q: write "1.2" or "1.3"`, t.Min)
	}
	return nil
}
