package pages

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"time"

	"gatehouse/gateway/county/oidc"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/peer"
	"gatehouse/gateway/web"
)

// Config is the desk's listener in the collector's configuration.
type Config struct {
	Listen  string   `yaml:"listen"`            // 127.0.0.1:8080; others need tls
	Hosts   []string `yaml:"hosts,omitempty"`   // names by which browsers call it, besides the address
	TLS     TLS      `yaml:"tls,omitempty"`     //
	Path    string   `yaml:"path,omitempty"`    // below which browsers find it, like /gatehouse; default: /
	Proxies []string `yaml:"proxies,omitempty"` // addresses and networks whose forwarded headers count
	// MetricsTokenFile holds the token with which /metrics and /readyz may be
	// asked from elsewhere, as Authorization: Bearer.
	MetricsTokenFile string `yaml:"metrics_token_file,omitempty"`
	// CallAgain is after how long a guard's call that nobody has answered is raised
	// again, 30s to 1h; absent: 3m.
	CallAgain time.Duration `yaml:"call_again,omitempty"`
	// Idle is after how long a session ends of which no page is open, 5m to 12h;
	// absent: 1h.
	Idle time.Duration `yaml:"idle,omitempty"`
	// OIDC is the county's provider of identities, if there is one.
	OIDC oidc.Config `yaml:"oidc,omitempty"`
	// LinkFile gets the link for the first user, for its owner only.
	LinkFile string `yaml:"-"`
	// Terminal is of who started the collector, for the same; nil: there is none.
	Terminal io.Writer `yaml:"-"`
}

// Bounds of call_again.
const (
	callAgain      = 3 * time.Minute
	callAgainLeast = 30 * time.Second
	callAgainMost  = time.Hour
)

// Bounds of idle.
const (
	idleLeast = 5 * time.Minute
	idleMost  = 12 * time.Hour
)

// IdleAfter returns after how long a session ends of which no page is open.
func (c Config) IdleAfter() time.Duration { return cmp.Or(c.Idle, people.IdleFor) }

// Again returns after how long a call that nobody has answered is raised again.
func (c Config) Again() time.Duration { return cmp.Or(c.CallAgain, callAgain) }

// Effective returns the configuration with what counts where it says nothing.
func (c Config) Effective() *Config {
	c.Path = cmp.Or(c.Path, "/")
	c.CallAgain, c.Idle = c.Again(), c.IdleAfter()
	return &c
}

// TLS names the certificate's files.
type TLS struct {
	Cert string `yaml:"cert,omitempty"`
	Key  string `yaml:"key,omitempty"`
}

// Paths returns all paths of files in the configuration.
func (c *Config) Paths() []*string {
	return append([]*string{&c.TLS.Cert, &c.TLS.Key, &c.MetricsTokenFile}, c.OIDC.Paths()...)
}

// Check returns an error when the configuration can't be used.
func (c Config) Check() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen %q: write it as 127.0.0.1:8080", c.Listen)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		return errors.New("tls: give cert and key")
	}
	if !web.Loopback(c.Listen) && c.TLS.Cert == "" {
		return fmt.Errorf("listen %s is open to the network: give tls (cert, key), or listen on 127.0.0.1; "+
			"a proxy on this computer can do the TLS", c.Listen)
	}
	if err := checkPath(c.Path); err != nil {
		return fmt.Errorf("path %q: %w", c.Path, err)
	}
	if a := c.Again(); a < callAgainLeast || a > callAgainMost {
		return fmt.Errorf("call_again %s: write %s to %s", a, callAgainLeast, callAgainMost)
	}
	if d := c.IdleAfter(); d < idleLeast || d > idleMost {
		return fmt.Errorf("idle %s: write %s to %s", d, idleLeast, idleMost)
	}
	for _, h := range c.Hosts {
		if h == "" || strings.ContainsAny(h, "/ \t*") {
			return fmt.Errorf("hosts %q: write only the name, like desk.county.example", h)
		}
	}
	if _, err := peer.Parse(c.Proxies); err != nil {
		return fmt.Errorf("proxies: %w", err)
	}
	if err := c.OIDC.Check(); err != nil {
		return fmt.Errorf("oidc: %w", err)
	}
	return nil
}

var goodPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?$`)

// checkPath returns an error when the desk can't be served below a path.
func checkPath(path string) error {
	if path == "" || path == "/" {
		return nil
	}
	if !goodPath.MatchString(path) || len(path) > 100 {
		return errors.New(
			"write it like /gatehouse: letters, digits and - . _ ~ between slashes, without one at the end",
		)
	}
	first, _, _ := strings.Cut(strings.TrimSuffix(path[1:], "/"), "/")
	for _, own := range []string{"account", "api", "assets", "live", "metrics", "readyz", "healthz", "alerts", "audit",
		"checks", "confirmed", "enrol", "gates", "losses", "machines", "notices", "packages", "rules", "runs", "users",
		"setup"} {
		if first == own {
			return fmt.Errorf("/%s is one of the desk's own addresses: choose another one", own)
		}
	}
	return nil
}

// base returns the path below which browsers find the desk, without a slash at
// the end: empty for the root.
func (s *Server) base() string { return strings.TrimSuffix(s.cfg.Path, "/") }
