package oidc

import (
	"context"
	"net/url"
)

// Leave returns the address at the provider to which a browser goes to log out there, too;
// empty: the provider has none.
func (p *Provider) Leave(ctx context.Context) string {
	of, err := p.provider(ctx)
	if err != nil {
		return ""
	}
	var at struct {
		End string `json:"end_session_endpoint"`
	}
	if err := of.Claims(&at); err != nil || at.End == "" {
		return ""
	}
	u, err := url.Parse(at.End)
	if err != nil || u.Scheme != "https" && checkURL(at.End) != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.cfg.ClientID)
	q.Set("post_logout_redirect_uri", p.cfg.Base()+"/")
	u.RawQuery = q.Encode()
	return u.String()
}
