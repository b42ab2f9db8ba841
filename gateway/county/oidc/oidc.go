package oidc

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"gatehouse/gateway/county/people"
	"gatehouse/gateway/proxied"
)

// Errors that somebody who logs in can act on.
var (
	ErrAway    = errors.New("the provider of identities does not answer: log in with a password, or try again")
	ErrFlow    = errors.New("the log-in was not begun in this browser, took over 10 minutes, or was used: begin again")
	ErrDenied  = errors.New("the provider has refused the log-in")
	ErrToken   = errors.New("what the provider says can't be believed")
	ErrNotNow  = errors.New("the provider did not ask for the password again, so this confirms nothing")
	errBusy    = fmt.Errorf("too many log in at the same time: %w", ErrAway)
	errNotTLS  = errors.New("the provider names addresses without TLS")
	errParties = errors.New("the token is for several programs, and was not given to the desk")
)

// Limits of what is asked of the provider.
const (
	askFor     = 10 * time.Second
	askAgain   = 5 * time.Second // after it did not answer
	knownFor   = time.Hour       // until its addresses are asked again
	atOnce     = 4               // log-ins that end at the same time
	mostAnswer = 1 << 20         // bytes of an answer
	slowToken  = 10 * time.Second
)

// Provider is the county's provider of identities. Its methods may be called from any
// goroutine. It need not answer when it is made.
type Provider struct {
	cfg    Config
	secret string
	client *http.Client
	now    func() time.Time
	key    [sha256.Size]byte // signs flows; a start makes another one
	ending chan struct{}

	mu     sync.Mutex
	known  *oidc.Provider
	asked  time.Time            // when it was last asked for its addresses
	failed error                // what came of that
	used   map[string]time.Time // when each log-in began that has ended, by its state
}

// New returns the provider of a configuration that has passed Check. secret is the desk's
// at the provider.
func New(cfg Config, secret string, now func() time.Time) (*Provider, error) {
	roots, err := x509.SystemCertPool()
	if cfg.CA != "" {
		var b []byte
		roots = x509.NewCertPool()
		if b, err = os.ReadFile(cfg.CA); err == nil && !roots.AppendCertsFromPEM(b) {
			err = fmt.Errorf("%s: no certificate in PEM form", cfg.CA)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the authority of the provider: %w", err)
	}
	find := proxied.Of(cfg.Proxy)
	p := &Provider{cfg: cfg, secret: secret, now: now, ending: make(chan struct{}, atOnce),
		used: map[string]time.Time{}}
	p.client = &http.Client{Timeout: askFor, Transport: bounded{&http.Transport{
		Proxy:           func(r *http.Request) (*url.URL, error) { return find(r.URL) },
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}}
	rand.Read(p.key[:]) // never fails (crypto/rand)
	return p, nil
}

// provider returns the provider's addresses and keys. When it does not answer it is asked
// again after a while only, however many want to log in.
func (p *Provider) provider(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := p.now().Sub(p.asked).Abs()
	if p.known != nil && age < knownFor {
		return p.known, nil
	}
	if p.failed != nil && age < askAgain {
		return p.known, p.orKnown(p.failed)
	}
	p.asked = p.now()
	fresh, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.cfg.Issuer)
	if err == nil {
		for _, at := range []string{fresh.Endpoint().AuthURL, fresh.Endpoint().TokenURL} {
			err = errors.Join(err, checkURL(at))
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", errNotTLS, err)
		}
	}
	if p.failed = err; err != nil {
		return p.known, p.orKnown(err)
	}
	p.known = fresh
	return fresh, nil
}

// orKnown returns nil when the provider has answered before, else that it does not.
func (p *Provider) orKnown(err error) error {
	if p.known != nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

func (p *Provider) oauth(of *oidc.Provider) *oauth2.Config {
	scopes := p.cfg.Scopes
	if scopes == nil {
		scopes = []string{"profile"}
	}
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.secret, Endpoint: of.Endpoint(),
		RedirectURL: p.cfg.Base() + DonePath, Scopes: append([]string{oidc.ScopeOpenID}, scopes...),
	}
}

// Begin returns the address at the provider to which a browser goes to log in, and what
// the browser keeps meanwhile. With session, the id of one whose act is to be confirmed,
// the provider asks for the password even when somebody is logged in there. The error
// wraps ErrAway.
func (p *Provider) Begin(ctx context.Context, session string) (to, kept string, err error) {
	of, err := p.provider(ctx)
	if err != nil {
		return "", "", err
	}
	f := newFlow(session, p.now())
	opts := []oauth2.AuthCodeOption{oidc.Nonce(f.nonce()), oauth2.S256ChallengeOption(f.verifier())}
	if session != "" {
		opts = append(opts, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return p.oauth(of).AuthCodeURL(f.state(), opts...), f.text(p.key[:]), nil
}

// Finish returns who has logged in at the provider, when it sends a browser back with
// query, and what the log-in was for. kept is what Begin returned. The error wraps ErrAway,
// ErrFlow, ErrDenied, ErrToken or ErrNotNow. The person has no role when no group gives one.
func (p *Provider) Finish(ctx context.Context, query url.Values, kept string) (who people.Provided, f Flow, err error) {
	f, ok := parseFlow(kept, p.key[:], p.now())
	if !ok || query.Get("state") != f.state() {
		return who, f, ErrFlow
	}
	if iss := query.Get("iss"); iss != "" && iss != p.cfg.Issuer { // RFC 9207
		return who, f, fmt.Errorf("%w: it calls itself %q", ErrToken, iss)
	}
	if code := query.Get("error"); code != "" {
		return who, f, fmt.Errorf("%w: %q %q", ErrDenied, code, query.Get("error_description"))
	}
	select {
	case p.ending <- struct{}{}:
		defer func() { <-p.ending }()
	default:
		return who, f, errBusy
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), 2*askFor)
	defer cancel()
	of, err := p.provider(ctx)
	if err != nil {
		return who, f, err
	}
	who, err = p.redeem(ctx, of, f, query.Get("code"))
	return who, f, err
}

// use reports whether a flow ends for the first time. Only people who have logged in at
// the provider get so far.
func (p *Provider) use(f Flow) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.used, func(_ string, begun time.Time) bool { return p.now().Sub(begun) >= flowFor })
	_, again := p.used[f.state()]
	p.used[f.state()] = f.begun
	return !again
}

// redeem returns the person whom the provider's code is about.
func (p *Provider) redeem(ctx context.Context, of *oidc.Provider, f Flow, code string) (
	who people.Provided, err error,
) {
	token, err := p.oauth(of).Exchange(ctx, code, oauth2.VerifierOption(f.verifier()))
	if err != nil {
		if refused := new(oauth2.RetrieveError); errors.As(err, &refused) {
			return who, fmt.Errorf("%w: %w", ErrDenied, err)
		}
		return who, fmt.Errorf("%w: %w", ErrAway, err)
	}
	if !p.use(f) {
		return who, ErrFlow
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := of.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: p.now}).Verify(ctx, raw)
	var said claims
	if err == nil {
		err = id.Claims(&said)
	}
	if err != nil {
		return who, fmt.Errorf("%w (is this computer's clock right?): %w", ErrToken, err)
	}
	if err := p.believe(id, said, f); err != nil {
		return who, err
	}
	name := said.name(cmp.Or(p.cfg.Name, "preferred_username"), id.Subject)
	groups, ok := said.list(cmp.Or(p.cfg.Groups, "groups"))
	if !ok && of.UserInfoEndpoint() != "" { // some say it only there
		if groups, err = p.groups(ctx, of, token, id.Subject); err != nil {
			return who, err
		}
	}
	role, _ := people.RoleOf(groups, p.cfg.Roles)
	return people.Provided{Subject: id.Issuer + " " + id.Subject, Name: name, Role: role}, nil
}

// believe returns why a token whose signature, issuer, audience and end are right does not
// count for a flow.
func (p *Provider) believe(id *oidc.IDToken, said claims, f Flow) error {
	switch azp := said.text("azp"); {
	case id.Nonce != f.nonce():
		return fmt.Errorf("%w: its nonce is another log-in's", ErrToken)
	case id.Subject == "":
		return fmt.Errorf("%w: it names nobody", ErrToken)
	case azp != "" && azp != p.cfg.ClientID, azp == "" && len(id.Audience) > 1:
		return fmt.Errorf("%w: %w", ErrToken, errParties)
	}
	// Both times are by the provider's clock. Who logged in before the flow began has not
	// given the password for it.
	if at := said.when("auth_time"); f.session != "" &&
		(at.IsZero() || id.IssuedAt.Sub(at) > p.now().Sub(f.begun)+slowToken) {
		return ErrNotNow
	}
	return nil
}

// groups asks the provider for the groups of a person.
func (p *Provider) groups(ctx context.Context, of *oidc.Provider, token *oauth2.Token, subject string) (
	[]string, error,
) {
	info, err := of.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	var said claims
	if err := info.Claims(&said); err != nil || info.Subject != subject {
		return nil, errors.Join(fmt.Errorf("%w: it answers about somebody else", ErrToken), err)
	}
	groups, _ := said.list(cmp.Or(p.cfg.Groups, "groups"))
	return groups, nil
}
