package upgrade

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"gatehouse/gateway/config"
	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/secret"
)

// DefaultConfig is the file that root writes at a gate.
const DefaultConfig = "/etc/gatehouse/upgrade.yaml"

// Config says from where a gate is upgraded, and by whose key. It is root's: whoever can change
// it, or the files that it names, is root at the gate.
type Config struct {
	URL string `yaml:"url"`           // of the county's packages: https://desk.county.example/packages
	Key string `yaml:"key,omitempty"` // the county's public key of packages; default packages.asc beside the file
	// CA are certificates by which the desk's is verified; default: those of the computer; none:
	// any will do, because everything that counts is signed.
	CA string `yaml:"ca,omitempty"`
}

// keyFile is the county's key, beside the configuration.
const keyFile = "packages.asc"

// anyCA is a CA that verifies nothing.
const anyCA = "none"

// Load reads the configuration and the key, and refuses them where others than root may change
// them.
func Load(file string) (s Source, err error) {
	if err := secret.Own(file); err != nil {
		return s, fmt.Errorf("the configuration of upgrades: %w", err)
	}
	c, err := config.Load[Config](file)
	if err != nil {
		return s, err
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return s, fmt.Errorf("%s: url %q: write it as https://desk.county.example/packages", file, c.URL)
	}
	if c.Key == "" {
		c.Key = keyFile
	}
	for _, p := range []*string{&c.Key, &c.CA} {
		if *p != "" && *p != anyCA && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(file), *p)
		}
	}
	key, err := secret.ReadOwn(c.Key)
	if err != nil {
		return s, fmt.Errorf("the county's key of packages: %w", err)
	}
	if s.Ring, err = openpgp.ParseRing(key); err != nil {
		return s, fmt.Errorf("%s: %w", c.Key, err)
	}
	var ca []byte
	if c.CA != "" && c.CA != anyCA {
		if ca, err = secret.ReadOwn(c.CA); err != nil {
			return s, fmt.Errorf("ca: %w", err)
		}
	}
	s.URL = strings.TrimRight(c.URL, "/")
	s.HTTP, err = newHTTP(ca, c.CA == anyCA)
	return s, err
}
