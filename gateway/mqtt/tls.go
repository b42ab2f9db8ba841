package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/proxied"
	"gatehouse/gateway/secret"
)

// Broker is the part of a configuration file for the connection to a broker.
type Broker struct {
	URL          string `yaml:"url"`                     // tcp://127.0.0.1:1883, ssl://host:8883, wss://host/mqtt
	Name         string `yaml:"-"`                       // for messages, where the URL is not
	Username     string `yaml:"username,omitempty"`      //
	PasswordFile string `yaml:"password_file,omitempty"` // holds the password, first line
	CA           string `yaml:"ca,omitempty"`            // PEM file of the authority of the broker's certificate
	Cert         string `yaml:"cert,omitempty"`          // PEM file: the client's own certificate
	Key          string `yaml:"key,omitempty"`           // PEM file: its key
	ServerName   string `yaml:"server_name,omitempty"`   // in the broker's certificate; default: the host of url
	TLSMin       string `yaml:"tls_min,omitempty"`       // "1.2" for brokers without TLS 1.3; default "1.3"
	Proxy        string `yaml:"proxy,omitempty"`         // environment or the URL of one; default none
}

// tlsVersions are the values of TLSMin.
var tlsVersions = map[string]uint16{"": tls.VersionTLS13, "1.3": tls.VersionTLS13, "1.2": tls.VersionTLS12}

// Check returns what is wrong with the address, the version of TLS and the proxy. A
// password for a broker of another computer needs TLS.
func (b Broker) Check() error {
	var errs []error
	if !validURL(b.URL) {
		errs = append(errs, fmt.Errorf("broker url %q: write it as tcp://host:port, ssl://host:port for TLS, "+
			"or ws://host:port/path or wss://host:port/path for WebSocket", b.URL))
	}
	if to, instead := b.exposes(); to != "" {
		errs = append(errs, fmt.Errorf("broker url %q: the password would go to %s unencrypted: write %s, "+
			"with ca if the broker's certificate is your own authority's; a broker without TLS is reached by a "+
			"tunnel that begins on this computer (tcp://127.0.0.1:port)", b.URL, to, instead))
	}
	if tlsVersions[b.TLSMin] == 0 {
		errs = append(errs, fmt.Errorf(`broker tls_min %q: write "1.2" or "1.3"`, b.TLSMin))
	}
	return errors.Join(append(errs, proxied.Check(b.Proxy))...)
}

// exposes returns the host to which the password would go unencrypted over the network,
// and the URL to write instead; both are empty when none would.
func (b Broker) exposes() (to, instead string) {
	u, err := url.Parse(b.URL)
	if err != nil || b.PasswordFile == "" || secret.Here(u.Hostname()) && b.direct() {
		return "", ""
	}
	switch u.Scheme {
	case "tcp":
		return u.Hostname(), "ssl://" + net.JoinHostPort(u.Hostname(), "8883")
	case "ws":
		u.Scheme = "wss"
		return u.Hostname(), u.String()
	}
	return "", ""
}

// direct reports whether what is sent to this computer leaves it by no proxy.
func (b Broker) direct() bool {
	if b.Proxy == "" || b.Proxy == proxied.FromEnvironment {
		return true
	}
	u, err := url.Parse(b.Proxy)
	return err == nil && secret.Here(u.Hostname())
}

func validURL(text string) bool {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil: // the user has a key of its own
		return false
	case u.Scheme == "ws" || u.Scheme == "wss":
		return true
	}
	return (u.Scheme == "tcp" || u.Scheme == "ssl") && u.Port() != "" && (u.Path == "" || u.Path == "/")
}

// Load sets the address, user, password and TLS settings of cfg, and reads the
// files that they are in.
func (b Broker) Load(cfg *Config) error {
	if err := b.Check(); err != nil {
		return err
	}
	cfg.URL, cfg.Name, cfg.Username, cfg.Proxy = b.URL, b.Name, b.Username, proxied.Of(b.Proxy)
	if b.PasswordFile != "" {
		pw, err := secret.Line(b.PasswordFile)
		if err != nil {
			return fmt.Errorf("broker password: %w", err)
		}
		cfg.Password = pw
	}
	if u, _ := url.Parse(b.URL); u.Scheme != "ssl" && u.Scheme != "wss" {
		return nil
	}
	t := &tls.Config{MinVersion: tlsVersions[b.TLSMin], ServerName: b.ServerName}
	if b.CA != "" {
		pem, err := identity.ReadPEM(b.CA)
		if err != nil {
			return fmt.Errorf("broker ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("broker ca %s: holds no PEM certificate", b.CA)
		}
	}
	if (b.Cert == "") != (b.Key == "") {
		return errors.New("broker cert and key: give both or neither")
	}
	if b.Cert != "" {
		t.GetClientCertificate = b.certificate
		if _, err := b.certificate(nil); err != nil {
			return err
		}
	}
	cfg.TLS = t
	return nil
}

// certificate reads the client's own certificate: at each connect, because it is renewed
// while the client runs.
func (b Broker) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	pair, err := identity.KeyPair(b.Cert, b.Key)
	if err != nil {
		return nil, fmt.Errorf("broker cert: %w", err)
	}
	return &pair, nil
}
