// Package oidc lets people in who have logged in at the county's own provider of
// identities, by OpenID Connect: the authorization code flow with PKCE.
package oidc

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"gatehouse/gateway/county/people"
	"gatehouse/gateway/peer"
	"gatehouse/gateway/proxied"
)

// Config is the provider in the collector's configuration.
type Config struct {
	Issuer string `yaml:"issuer"` // https://login.county.example/realms/county, as the provider writes it
	// URL is the desk's own address in browsers. The provider must know URL + DonePath.
	URL              string                 `yaml:"url"`
	ClientID         string                 `yaml:"client_id"`
	ClientSecretFile string                 `yaml:"client_secret_file"`
	Roles            map[string]people.Role `yaml:"roles"`            // by group at the provider
	Groups           string                 `yaml:"groups,omitempty"` // the claim that lists them; default groups
	Name             string                 `yaml:"name,omitempty"`   // the claim of a name; default preferred_username
	Scopes           []string               `yaml:"scopes,omitempty"` // besides openid; default profile
	Label            string                 `yaml:"label,omitempty"`  // of the button; default the issuer's host
	CA               string                 `yaml:"ca,omitempty"`     // of its certificate; default the system's
	Proxy            string                 `yaml:"proxy,omitempty"`  // environment, or a URL; default none
}

// Paths below the desk's address.
const (
	BeginPath = "/api/oidc/begin" // leads a browser to the provider
	DonePath  = "/api/oidc/done"  // to which the provider sends it back
)

// On reports whether there is a provider.
func (c Config) On() bool { return c.Issuer != "" }

// Button returns what the button to log in at the provider says.
func (c Config) Button() string {
	host := c.Issuer
	if u, err := url.Parse(c.Issuer); err == nil {
		host = u.Host
	}
	return cmp.Or(c.Label, host)
}

// Check returns an error when the configuration can't be used. Without an issuer there is
// no provider.
func (c Config) Check() error {
	if !c.On() {
		if c.ClientID != "" || len(c.Roles) > 0 {
			return errors.New("issuer is missing: write it as the provider does, like https://login.county.example")
		}
		return nil
	}
	for name, text := range map[string]string{"issuer": c.Issuer, "url": c.URL} {
		if err := checkURL(text); err != nil {
			return fmt.Errorf("%s %q: %w", name, text, err)
		}
	}
	if c.ClientID == "" || c.ClientSecretFile == "" {
		return errors.New("give client_id and client_secret_file, as the provider has registered the desk")
	}
	if len(c.Roles) == 0 {
		return errors.New("roles is empty, so nobody could log in: write which group has which role")
	}
	for group, role := range c.Roles {
		if !role.Known() || group == "" {
			return fmt.Errorf("roles: %q: %q: %w", group, role, people.ErrNoRole)
		}
	}
	return proxied.Check(c.Proxy)
}

// checkURL returns an error unless text is an address with TLS, or of this computer.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("write it like https://login.county.example")
	case u.Scheme != "https" && (u.Scheme != "http" || !peer.Local(u.Hostname())):
		return errors.New("write it with https: without TLS anybody on the way could log in as anybody")
	}
	return nil
}

// Base returns the desk's own address without a slash at its end.
func (c Config) Base() string { return strings.TrimRight(c.URL, "/") }

// Paths returns all paths of files in the configuration.
func (c *Config) Paths() []*string { return []*string{&c.ClientSecretFile, &c.CA} }
