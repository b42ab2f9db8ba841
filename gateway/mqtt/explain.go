package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// explain adds to the error of a failed connection what to try.
func (c *Client) explain(err error) error {
	if try := c.try(err); try != "" {
		return fmt.Errorf("%w: %s", err, try)
	}
	return err
}

func (c *Client) try(err error) string {
	u, _ := url.Parse(c.cfg.URL)
	text := err.Error()
	switch {
	case strings.Contains(text, "protocol version"):
		if c.cfg.TLS != nil && c.cfg.TLS.MinVersion > tls.VersionTLS12 {
			return `it seems to speak TLS 1.2 only: write tls_min: "1.2" in the broker's section, or update it`
		}
		return "it speaks neither TLS 1.2 nor 1.3: update the broker"
	case strings.Contains(text, "first record does not look like a TLS handshake"):
		return "its port speaks no TLS: use another port, or " + plain(u) + "://"
	case strings.Contains(text, "bad handshake"):
		return "it answers, but not as a WebSocket broker: check the path (mostly /mqtt) and the port"
	case strings.Contains(text, "certificate required"):
		return "it asks for a client certificate: give cert and key"
	case strings.Contains(text, "remote error: tls: bad certificate"), strings.Contains(text, "certificate revoked"),
		strings.Contains(text, "expired certificate"), strings.Contains(text, "unknown certificate authority"):
		return "it does not take this client's certificate: its log says why; the agent renews one that ended " +
			"up to 30 days ago by itself; one that ended earlier or was revoked needs a new code " +
			"(gatehouse enrol --again)"
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return fmt.Sprintf("it does not take the client id %q", c.cfg.ClientID)
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return "check username and password_file, and what the broker allows this user"
	case u.Scheme == "tcp" && errors.Is(err, io.EOF):
		return "it hangs up at once: does its port want TLS (ssl://) or WebSocket (ws://), or refuse this user?"
	}
	return tryCertificate(err)
}

// tryCertificate says what to try when the broker's certificate is refused.
func tryCertificate(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "give the PEM file of the authority that signed the broker's certificate as ca"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "use a name of the certificate in url, or give it as server_name"
	}
	if bad, ok := errors.AsType[x509.CertificateInvalidError](err); ok && bad.Reason == x509.Expired {
		return "check this computer's clock, then renew the broker's certificate"
	}
	return ""
}

// plain returns the scheme of u without TLS.
func plain(u *url.URL) string {
	if u.Scheme == "wss" {
		return "ws"
	}
	return "tcp"
}
