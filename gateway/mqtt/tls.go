package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
)

// Broker is the part of a configuration file for the connection to a broker.
type Broker struct {
	URL          string `yaml:"url"`                     // tcp://127.0.0.1:1883 or ssl://host:8883
	Name         string `yaml:"-"`                       // for messages, where the URL is not
	Username     string `yaml:"username,omitempty"`      //
	PasswordFile string `yaml:"password_file,omitempty"` // holds the password, first line
	CA           string `yaml:"ca,omitempty"`            // PEM file of the authority of the broker's certificate
	Cert         string `yaml:"cert,omitempty"`          // PEM file: the client's own certificate
	Key          string `yaml:"key,omitempty"`           // PEM file: its key
}

// Check returns an error if the URL is not of the form tcp://host:port or
// ssl://host:port.
func (b Broker) Check() error {
	u, err := url.Parse(b.URL)
	if err != nil || u.Host == "" || u.Port() == "" || (u.Scheme != "tcp" && u.Scheme != "ssl") {
		return fmt.Errorf("broker url %q: write it as tcp://host:port, or ssl://host:port for TLS", b.URL)
	}
	return nil
}

// Load sets the address, user, password and TLS settings of cfg, and reads the
// files that they are in.
func (b Broker) Load(cfg *Config) error {
	if err := b.Check(); err != nil {
		return err
	}
	cfg.URL, cfg.Name, cfg.Username = b.URL, b.Name, b.Username
	if b.PasswordFile != "" {
		pw, err := readSecret(b.PasswordFile)
		if err != nil {
			return fmt.Errorf("broker password: %w", err)
		}
		cfg.Password = pw
	}
	if u, _ := url.Parse(b.URL); u.Scheme != "ssl" {
		return nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS13}
	if b.CA != "" {
		pem, err := os.ReadFile(b.CA)
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
		pair, err := tls.LoadX509KeyPair(b.Cert, b.Key)
		if err != nil {
			return fmt.Errorf("broker cert: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	cfg.TLS = t
	return nil
}
