// Package proxied finds the proxy through which a server is reached: none, unless
// the configuration names one. A variable of the environment that somebody set for
// other programs does not turn away what must arrive.
package proxied

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// FromEnvironment is, in a configuration, the proxy that the environment variables name.
const FromEnvironment = "environment"

// Finder finds the proxy for the URL of a server; nil: there is none.
type Finder func(*url.URL) (*url.URL, error)

// Direct is the Finder of a client that uses none.
func Direct(*url.URL) (*url.URL, error) { return nil, nil }

// Check returns an error unless text is empty, "environment", or the URL of a
// proxy.
func Check(text string) error {
	if text == "" || text == FromEnvironment {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "socks5" && u.Scheme != "socks5h" {
		return fmt.Errorf("proxy %q: write %s, http://host:port, or socks5://host:port; without the key none is used",
			text, FromEnvironment)
	}
	return nil
}

// Of returns what finds the proxy for an address. Text has
// passed Check.
func Of(text string) Finder {
	switch text {
	case "":
		return Direct
	case FromEnvironment:
		return environment()
	}
	u, err := url.Parse(text)
	return func(*url.URL) (*url.URL, error) { return u, err }
}

// environment returns the function that finds the proxy of the environment for an
// address: all_proxy, or else https_proxy for https, ssl and wss and http_proxy for
// http, tcp and ws. It is none for a host of no_proxy and for this computer.
func environment() Finder {
	env := httpproxy.FromEnvironment()
	env.CGI = false // there is no request whose headers could be taken for variables
	if all := allProxy(); all != "" {
		env.HTTPProxy, env.HTTPSProxy = all, all
	}
	find := env.ProxyFunc()
	return func(u *url.URL) (*url.URL, error) {
		as := map[string]string{"http": "http", "tcp": "http", "ws": "http",
			"https": "https", "ssl": "https", "wss": "https"}[u.Scheme]
		through, err := find(&url.URL{Scheme: as, Host: u.Host})
		if err != nil {
			return nil, fmt.Errorf("the proxy of the environment: %w", err)
		}
		if through != nil {
			err = Check(through.String())
		}
		return through, err
	}
}

func allProxy() string { return cmp.Or(os.Getenv("all_proxy"), os.Getenv("ALL_PROXY")) }

// Name names for the log the proxy to the server at address; key is where another
// one can be given.
func Name(find Finder, address, key string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	through, err := find(u)
	switch {
	case err != nil:
		return err.Error()
	case through != nil:
		return through.Redacted()
	}
	for _, name := range []string{"all_proxy", "http_proxy", "https_proxy"} {
		if cmp.Or(os.Getenv(name), os.Getenv(strings.ToUpper(name))) != "" {
			return "none (" + name + " is set: write proxy: environment in " + key + " to use it)"
		}
	}
	return "none"
}
