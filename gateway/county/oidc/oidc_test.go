package oidc

import (
	"errors"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/people"
	"gatehouse/gateway/testkit/idp"
	"gatehouse/gateway/testkit/loopback"
)

const deskURL = "http://localhost:1/desk"

// bench is a provider, and the desk's view of it.
type bench struct {
	t    *testing.T
	idp  *idp.Provider
	desk *Provider
	now  time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	address, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, idp: idp.New(t, address, deskURL+DonePath), now: time.Now()}
	b.idp.Now = func() time.Time { return b.now }
	b.idp.Person = idp.Person{Subject: "4711", Name: "wang", Groups: []string{"staff", "county-duty"}}
	b.desk = b.start(idp.Secret)
	return b
}

// start returns a desk's view of the provider.
func (b *bench) start(secret string) *Provider {
	b.t.Helper()
	cfg := Config{Issuer: b.idp.Issuer, URL: deskURL + "/", ClientID: idp.Client, ClientSecretFile: "f",
		Roles: map[string]people.Role{"county-duty": people.Duty, "county-admin": people.Admin, "see": people.Viewer}}
	if err := cfg.Check(); err != nil {
		b.t.Fatal(err)
	}
	p, err := New(cfg, secret, func() time.Time { return b.now })
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// begin goes to the provider and back.
func (b *bench) begin(session string) (query url.Values, kept string) {
	b.t.Helper()
	to, kept, err := b.desk.Begin(b.t.Context(), session)
	if err == nil {
		query, err = b.idp.LogIn(b.t.Context(), to)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return query, kept
}

func (b *bench) logIn(session string) (people.Provided, error) {
	b.t.Helper()
	query, kept := b.begin(session)
	who, f, err := b.desk.Finish(b.t.Context(), query, kept)
	if err == nil && f.Session() != session {
		b.t.Errorf("the flow is of session %q", f.Session())
	}
	return who, err
}

func TestAPersonIsWhoTheProviderSays(t *testing.T) {
	b := newBench(t)
	b.idp.Start()
	want := people.Provided{Subject: b.idp.Issuer + " 4711", Name: "wang", Role: people.Duty}
	if who, err := b.logIn(""); err != nil || who != want {
		t.Fatalf("%+v, %v", who, err)
	}
	b.idp.Bent.InInfo = true
	if who, err := b.logIn(""); err != nil || who != want {
		t.Errorf("groups at the userinfo address: %+v, %v", who, err)
	}
	b.idp.Bent.InInfo = false
	for role, groups := range map[people.Role][]string{
		"": {"staff"}, people.Admin: {"see", "county-admin", "county-duty"}, people.Viewer: {"see"}} {
		b.idp.Person.Groups = groups
		if who, err := b.logIn(""); err != nil || who.Role != role {
			t.Errorf("%q: %+v, %v", groups, who, err)
		}
	}
	b.idp.Person.Groups = nil
	if who, err := b.logIn(""); err != nil || who.Role != "" {
		t.Errorf("no group: %+v, %v", who, err)
	}
}

func TestWhatARightProviderDoesNotSay(t *testing.T) {
	b := newBench(t)
	b.idp.Start()
	now := b.now.Unix()
	claims := func(name string, v any) idp.Bent { return idp.Bent{Claims: map[string]any{name: v}} }
	for name, c := range map[string]struct {
		bent idp.Bent
		want error
	}{
		"another issuer":          {claims("iss", "https://login.evil.example"), ErrToken},
		"another audience":        {claims("aud", "payroll"), ErrToken},
		"several audiences":       {claims("aud", []string{idp.Client, "payroll"}), ErrToken},
		"given to another":        {idp.Bent{Claims: map[string]any{"azp": "payroll"}}, ErrToken},
		"it has ended":            {claims("exp", now-1), ErrToken},
		"it begins tomorrow":      {claims("nbf", now+86400), ErrToken},
		"nonce of another":        {claims("nonce", "another"), ErrToken},
		"no nonce":                {claims("nonce", nil), ErrToken},
		"nobody":                  {claims("sub", ""), ErrToken},
		"no signature":            {idp.Bent{Unsigned: true}, ErrToken},
		"signature of another":    {idp.Bent{Foreign: true}, ErrToken},
		"it refuses":              {idp.Bent{Denies: true}, ErrDenied},
		"groups that are no list": {claims("groups", map[string]any{"county-duty": true}), nil},
		"a group as a text":       {claims("groups", "county-duty"), nil},
	} {
		b.idp.Bent = c.bent
		who, err := b.logIn("")
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
		if _, text := c.bent.Claims["groups"].(string); (who.Role == people.Duty) != text {
			t.Errorf("%s: role %q", name, who.Role)
		}
	}
}

func TestAFlowCountsOnceInItsBrowser(t *testing.T) {
	b := newBench(t)
	b.idp.Start()
	query, kept := b.begin("")
	_, other := b.begin("")
	bad := func(name string, q url.Values, kept string, want error) {
		t.Helper()
		if who, _, err := b.desk.Finish(t.Context(), q, kept); !errors.Is(err, want) || who.Role != "" {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	with := func(key, value string) url.Values {
		q := maps.Clone(query)
		q.Set(key, value)
		return q
	}
	bad("no cookie", query, "", ErrFlow)
	bad("another browser's cookie", query, other, ErrFlow)
	bad("a changed cookie", query, changed(kept), ErrFlow)
	bad("another state", with("state", "x"), kept, ErrFlow)
	bad("another provider", with("iss", "https://login.evil.example"), kept, ErrToken)
	again := b.start(idp.Secret)
	if _, _, err := again.Finish(t.Context(), query, kept); !errors.Is(err, ErrFlow) {
		t.Errorf("after a start: %v", err)
	}
	b.now = b.now.Add(flowFor)
	bad("too late", query, kept, ErrFlow)
	b.now = b.now.Add(-flowFor)
	if _, _, err := b.desk.Finish(t.Context(), query, kept); err != nil {
		t.Fatal(err)
	}
	bad("again", query, kept, ErrDenied) // the provider takes a code once
	query2, kept2 := b.begin("")
	query2.Set("code", query.Get("code"))
	bad("a used code", query2, kept2, ErrDenied)
	b.desk = b.start("a wrong secret")
	if _, err := b.logIn(""); !errors.Is(err, ErrDenied) {
		t.Errorf("a wrong secret: %v", err)
	}
}

// A code of somebody else's flow counts in no other one: PKCE and the nonce are the flow's.
func TestAStolenCode(t *testing.T) {
	b := newBench(t)
	b.idp.Start()
	stolen, _ := b.begin("")
	query, kept := b.begin("")
	query.Set("code", stolen.Get("code"))
	if who, _, err := b.desk.Finish(t.Context(), query, kept); !errors.Is(err, ErrDenied) {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestTheProviderMayBeAwayAndChangeItsKeys(t *testing.T) {
	b := newBench(t)
	if _, _, err := b.desk.Begin(t.Context(), ""); !errors.Is(err, ErrAway) {
		t.Fatalf("away at the start: %v", err)
	}
	b.idp.Start()
	if _, _, err := b.desk.Begin(t.Context(), ""); !errors.Is(err, ErrAway) {
		t.Errorf("it is asked again at once: %v", err)
	}
	b.now = b.now.Add(askAgain)
	if _, err := b.logIn(""); err != nil {
		t.Fatal(err)
	}
	b.idp.Rotate()
	if _, err := b.logIn(""); err != nil {
		t.Errorf("after its keys changed: %v", err)
	}
	query, kept := b.begin("")
	b.idp.Stop()
	if _, _, err := b.desk.Finish(t.Context(), query, kept); !errors.Is(err, ErrAway) {
		t.Errorf("away at the end: %v", err)
	}
	b.now = b.now.Add(knownFor)
	if _, _, err := b.desk.Begin(t.Context(), ""); err != nil {
		t.Errorf("its addresses are forgotten: %v", err)
	}
	b.idp.Start()
	b.now = b.now.Add(askAgain)
	if _, err := b.logIn(""); err != nil {
		t.Errorf("it is back: %v", err)
	}
	b.idp.Issuer += "/other"
	if _, _, err := b.start(idp.Secret).Begin(t.Context(), ""); !errors.Is(err, ErrAway) {
		t.Errorf("it calls itself otherwise: %v", err)
	}
}

func TestAConfirmationNeedsThePasswordAgain(t *testing.T) {
	b := newBench(t)
	b.idp.Start()
	if _, err := b.logIn(""); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Hour)
	if _, err := b.logIn("0123456789ab"); err != nil {
		t.Errorf("it asked again: %v", err)
	}
	for name, bent := range map[string]idp.Bent{
		"it did not ask":  {Lazy: true},
		"it says nothing": {Claims: map[string]any{"auth_time": nil}},
		"it says no time": {Claims: map[string]any{"auth_time": "now"}},
	} {
		b.idp.Bent = bent
		b.now = b.now.Add(time.Hour)
		if _, err := b.logIn("0123456789ab"); !errors.Is(err, ErrNotNow) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLeavingIsSaidToTheProvider(t *testing.T) {
	b := newBench(t)
	if at := b.desk.Leave(t.Context()); at != "" {
		t.Errorf("away: %s", at)
	}
	b.idp.Start()
	b.now = b.now.Add(askAgain)
	at, err := url.Parse(b.desk.Leave(t.Context()))
	if err != nil || at.Path != "/logout" || at.Query().Get("post_logout_redirect_uri") != deskURL+"/" {
		t.Errorf("%v, %v", at, err)
	}
}

func TestConfigurationsThatCanNotBeUsed(t *testing.T) {
	good := Config{Issuer: "https://login.county.example", URL: "https://desk.county.example", ClientID: "c",
		ClientSecretFile: "f", Roles: map[string]people.Role{"g": people.Duty}}
	if err := errors.Join(good.Check(), Config{}.Check()); err != nil {
		t.Fatal(err)
	}
	for word, change := range map[string]func(*Config){
		"with https":     func(c *Config) { c.Issuer = "http://login.county.example" },
		"url":            func(c *Config) { c.URL = "" },
		"client_id":      func(c *Config) { c.ClientID = "" },
		"roles is empty": func(c *Config) { c.Roles = nil },
		"no such role":   func(c *Config) { c.Roles = map[string]people.Role{"g": "boss"} },
		"issuer":         func(c *Config) { c.Issuer = "" },
		"proxy":          func(c *Config) { c.Proxy = "ftp://x" },
	} {
		c := good
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// changed returns a text that differs from s in its first letter.
func changed(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}
