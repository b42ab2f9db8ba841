// Package idp is a provider of identities for tests: OpenID Connect with the authorization
// code flow. It checks what a real one checks (redirect address, client secret, PKCE, codes
// that count once), signs its tokens, and can be made to say what a right one does not.
package idp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The desk at this provider.
const (
	Client = "gatehouse"
	Secret = "a secret of sixteen or more"
)

// Person is who logs in next.
type Person struct {
	Subject string
	Name    string
	Groups  []string
}

// Bent is what a provider does that a right one does not.
type Bent struct {
	Claims   map[string]any // these instead of the right ones; nil: left out
	Unsigned bool           // tokens with alg none
	Foreign  bool           // tokens signed by another key under the right key's id
	Lazy     bool           // asks for no password again, whatever the request says
	Denies   bool           // sends people back with an error
	InInfo   bool           // says groups only at the userinfo address
}

// Provider is a provider. Its fields may be changed between requests.
type Provider struct {
	Issuer   string
	Redirect string // the only address to which it sends browsers back
	Person   Person
	Bent     Bent
	Now      func() time.Time

	t       testing.TB
	address string

	mu     sync.Mutex
	server *http.Server
	key    *ecdsa.PrivateKey
	keyID  string
	state  state
}

// state is what a provider keeps of log-ins.
type state struct {
	entered map[string]time.Time // by subject: when the password was given
	grants  map[string]grant     // by code
	tokens  map[string]Person    // by access token
	left    int                  // log-outs
}

// grant is a code that was given out.
type grant struct {
	who              Person
	challenge, nonce string
}

// New returns a provider at an address on this computer that does not answer yet.
func New(t testing.TB, address, redirect string) *Provider {
	t.Helper()
	p := &Provider{Issuer: "http://" + address, Redirect: redirect, Now: time.Now, t: t, address: address,
		state: state{entered: map[string]time.Time{}, grants: map[string]grant{}, tokens: map[string]Person{}}}
	p.Rotate()
	t.Cleanup(p.Stop)
	return p
}

// Start makes the provider answer.
func (p *Provider) Start() {
	p.t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /userinfo", p.userInfo)
	mux.HandleFunc("GET /logout", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.state.left++
		clear(p.state.entered)
		http.Redirect(w, r, r.URL.Query().Get("post_logout_redirect_uri"), http.StatusSeeOther)
	})
	l, err := (&net.ListenConfig{}).Listen(p.t.Context(), "tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	s := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	p.mu.Lock()
	p.server = s
	p.mu.Unlock()
	go func() { _ = s.Serve(l) }()
}

// Stop makes the provider answer nothing.
func (p *Provider) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		_ = p.server.Close()
	}
}

// Rotate makes a new key; tokens are signed by it, and the former one is published no more.
func (p *Provider) Rotate() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key, p.keyID = key, rand.Text()
}

// Left returns how often somebody has logged out.
func (p *Provider) Left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.left
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	write(w, map[string]any{
		"issuer": p.Issuer, "authorization_endpoint": p.Issuer + "/authorize", "token_endpoint": p.Issuer + "/token",
		"jwks_uri": p.Issuer + "/keys", "userinfo_endpoint": p.Issuer + "/userinfo",
		"end_session_endpoint": p.Issuer + "/logout", "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256"},
	})
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	if q.Get("client_id") != Client || q.Get("redirect_uri") != p.Redirect || q.Get("response_type") != "code" ||
		q.Get("code_challenge_method") != "S256" || q.Get("state") == "" {
		http.Error(w, "not a request of the desk: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {q.Get("state")}, "iss": {p.Issuer}}
	if p.Bent.Denies {
		back.Set("error", "access_denied")
	} else {
		again := !p.Bent.Lazy && (q.Get("prompt") == "login" || q.Get("max_age") == "0")
		if _, here := p.state.entered[p.Person.Subject]; !here || again {
			p.state.entered[p.Person.Subject] = p.Now()
		}
		code := rand.Text()
		p.state.grants[code] = grant{p.Person, q.Get("code_challenge"), q.Get("nonce")}
		back.Set("code", code)
	}
	http.Redirect(w, r, p.Redirect+"?"+back.Encode(), http.StatusSeeOther)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	secret, _ = url.QueryUnescape(secret)
	g, found := p.state.grants[r.PostFormValue("code")]
	delete(p.state.grants, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if id != Client || secret != Secret || !found || r.PostFormValue("redirect_uri") != p.Redirect ||
		base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		w.WriteHeader(http.StatusBadRequest)
		write(w, map[string]string{"error": "invalid_grant"})
		return
	}
	raw, err := p.sign(p.claims(g))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	access := rand.Text()
	p.state.tokens[access] = g.who
	write(w, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": raw})
}

func (p *Provider) claims(g grant) map[string]any {
	now := p.Now().Unix()
	c := map[string]any{"iss": p.Issuer, "aud": Client, "sub": g.who.Subject, "iat": now, "exp": now + 300,
		"nonce": g.nonce, "auth_time": p.state.entered[g.who.Subject].Unix(), "preferred_username": g.who.Name}
	if !p.Bent.InInfo {
		c["groups"] = g.who.Groups
	}
	maps.Copy(c, p.Bent.Claims)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func (p *Provider) sign(claims map[string]any) (string, error) {
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	if p.Bent.Unsigned {
		b64 := base64.RawURLEncoding
		return b64.EncodeToString([]byte(`{"alg":"none"}`)) + "." + b64.EncodeToString(body) + ".", nil
	}
	key := p.key
	if p.Bent.Foreign {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return "", err
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256,
		Key: jose.JSONWebKey{Key: key, KeyID: p.keyID}}, nil)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return signed.CompactSerialize()
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: p.key.Public(), KeyID: p.keyID, Algorithm: "ES256", Use: "sig"}}})
}

func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.state.tokens[r.Header.Get("Authorization")[len("Bearer "):]]
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	write(w, map[string]any{"sub": who.Subject, "groups": who.Groups})
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // who asks may have gone
}

// LogIn goes from the address at the provider to which a browser was led, and returns the
// query with which the provider sends it back.
func (p *Provider) LogIn(ctx context.Context, at string) (url.Values, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	to, err := answer.Location()
	if err != nil {
		return nil, fmt.Errorf("the provider answers %s: %w", answer.Status, err)
	}
	return to.Query(), nil
}
