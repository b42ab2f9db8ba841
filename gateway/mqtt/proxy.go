package mqtt

import (
	"cmp"
	"fmt"
	"net/url"
	"os"

	"golang.org/x/net/http/httpproxy"
)

// FromEnvironment is the proxy that the environment variables name.
const FromEnvironment = "environment"

// direct is the proxy function of a client that uses none.
func direct(*url.URL) (*url.URL, error) { return nil, nil }

// checkProxy returns an error unless text is empty, "environment", or the URL of a
// proxy.
func checkProxy(text string) error {
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

// proxyOf returns the function that finds the proxy for an address. Text has
// passed checkProxy.
func proxyOf(text string) func(*url.URL) (*url.URL, error) {
	switch text {
	case "":
		return direct
	case FromEnvironment:
		return environment()
	}
	u, err := url.Parse(text)
	return func(*url.URL) (*url.URL, error) { return u, err }
}

// environment returns the function that finds the proxy of the environment for an
// address: all_proxy, or else https_proxy for ssl and wss and http_proxy for tcp
// and ws. It is none for a host of no_proxy and for this computer.
func environment() func(*url.URL) (*url.URL, error) {
	env := httpproxy.FromEnvironment()
	env.CGI = false // there is no request whose headers could be taken for variables
	if all := allProxy(); all != "" {
		env.HTTPProxy, env.HTTPSProxy = all, all
	}
	find := env.ProxyFunc()
	return func(u *url.URL) (*url.URL, error) {
		as := map[string]string{"tcp": "http", "ws": "http", "ssl": "https", "wss": "https"}[u.Scheme]
		through, err := find(&url.URL{Scheme: as, Host: u.Host})
		if err != nil {
			return nil, fmt.Errorf("the proxy of the environment: %w", err)
		}
		if through != nil {
			err = checkProxy(through.String())
		}
		return through, err
	}
}

func allProxy() string { return cmp.Or(os.Getenv("all_proxy"), os.Getenv("ALL_PROXY")) }

// proxyName names the proxy to the broker for the log.
func (c *Client) proxyName() string {
	u, err := url.Parse(c.cfg.URL)
	if err != nil {
		return ""
	}
	through, err := c.cfg.Proxy(u)
	switch {
	case err != nil:
		return err.Error()
	case through != nil:
		return through.Redacted()
	case allProxy() != "":
		return "none (all_proxy is set: write proxy: environment in the broker's section to use it)"
	}
	return "none"
}
