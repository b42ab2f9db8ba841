package pages

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/county/oidc"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/testkit/idp"
	"gatehouse/gateway/testkit/loopback"
)

const deskURL = "http://localhost:1"

// startProvided returns a desk with a provider of identities, which does not answer yet.
func startProvided(t *testing.T) (*bench, *idp.Provider) {
	t.Helper()
	address, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := idp.New(t, address, deskURL+oidc.DonePath)
	p.Person = idp.Person{Subject: "4711", Name: "wang", Groups: []string{"duty"}}
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(idp.Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := startWith(t, Config{Listen: "127.0.0.1:0", OIDC: oidc.Config{Issuer: p.Issuer, URL: deskURL,
		ClientID: idp.Client, ClientSecretFile: file, Label: "统一登录",
		Roles: map[string]people.Role{"duty": people.Duty, "admins": people.Admin}}})
	return b, p
}

// browser returns another browser at the same desk, which follows no redirect by itself.
func (b *bench) browser() *bench {
	c := &http.Client{Jar: newJar(b.t),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &bench{b.t, b.s, b.desk, c, b.path, b.said}
}

// goes returns where the desk leads a browser that asks for a path.
func (b *bench) goes(path string) string {
	b.t.Helper()
	status, text, header := b.ask("GET", path, "")
	if status != http.StatusSeeOther {
		b.t.Fatal(path, status, text)
	}
	return header.Get("Location")
}

// provide goes to the provider and back, and returns where the desk leads then.
func (b *bench) provide(p *idp.Provider, query string) string {
	b.t.Helper()
	to := b.goes(oidc.BeginPath + "?moved=1" + query)
	if !strings.HasPrefix(to, p.Issuer) {
		return to
	}
	back, err := p.LogIn(b.t.Context(), to)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.goes(oidc.DonePath + "?" + back.Encode())
}

func (b *bench) who() string {
	b.t.Helper()
	_, text, _ := b.ask("GET", "/api/session", "")
	return text
}

func TestAUserOfTheProvider(t *testing.T) {
	b, p := startProvided(t)
	of := b.browser()
	if to := of.provide(p, ""); to != "../../#failed=oidc-away" {
		t.Fatalf("the provider is away: %s", to)
	}
	b.login() // with a password, all the same
	if to := of.goes(oidc.BeginPath); !strings.HasPrefix(to, deskURL+oidc.BeginPath) {
		t.Errorf("by another name: %s", to)
	}
	if _, text, _ := b.ask("GET", "/api/ways", ""); !strings.Contains(text, "统一登录") {
		t.Error(text)
	}
	b, p = startProvided(t)
	p.Start()
	of = b.browser()
	if to := of.provide(p, ""); to != "../../" {
		t.Fatal(to)
	}
	// The local user wang is somebody else.
	if text := of.who(); !strings.Contains(text, `"name":"wang (SSO 1)","role":"duty"`) ||
		!strings.Contains(text, `"provided":true`) {
		t.Error(text)
	}
	b.login()
	if _, text, _ := b.ask("GET", "/api/users", ""); !strings.Contains(text, `"wang (SSO 1)","role":"duty"`) {
		t.Error(text)
	}
	name := `{"name":"wang (SSO 1)","role":"viewer","password":"` + password + `"`
	for path, body := range map[string]string{"/api/users/role": name + "}", "/api/users/reset": name + "}"} {
		if status, text, _ := b.ask("POST", path, body); status != 409 || !strings.Contains(text, `"provided"`) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status, text, _ := of.ask("POST", "/api/password", `{"was":"","password":"correct horse"}`); status != 409 {
		t.Errorf("a password: %d %s", status, text)
	}
	if status, _, _ := b.ask("POST", "/api/users/disable", `{"name":"wang (SSO 1)","disabled":true}`); status != 204 {
		t.Error(status)
	}
	if text := of.who(); !strings.Contains(text, `"session"`) {
		t.Errorf("disabled, and still in: %s", text)
	}
	if to := of.provide(p, ""); to != "../../#failed=disabled" {
		t.Errorf("disabled: %s", to)
	}
}

func TestTheProviderSaysTheRole(t *testing.T) {
	b, p := startProvided(t)
	p.Start()
	of, other := b.browser(), b.browser()
	p.Person.Groups = nil
	if to := of.provide(p, ""); to != "../../#failed=oidc-group" || of.users() != 0 {
		t.Errorf("no role: %s, %d users", to, of.users())
	}
	p.Person.Groups = []string{"duty"}
	of.provide(p, "")
	p.Person.Groups = []string{"admins"}
	if to := other.provide(p, ""); to != "../../" || !strings.Contains(other.who(), `"admin"`) {
		t.Errorf("another role: %s, %s", to, other.who())
	}
	if text := of.who(); !strings.Contains(text, `"session"`) {
		t.Errorf("the session of the former role goes on: %s", text)
	}
	// An administrator of the provider is not the last one: the provider may be away.
	b.login()
	if status, text, _ := b.ask("POST", "/api/users/disable", `{"name":"wang","disabled":true}`); status != 409 {
		t.Errorf("the last one with a password: %d %s", status, text)
	}
	p.Person.Groups = nil // removed from the group
	if to := b.browser().provide(p, ""); to != "../../#failed=oidc-group" {
		t.Error(to)
	}
	if text := other.who(); !strings.Contains(text, `"session"`) {
		t.Errorf("removed from the group, and still in: %s", text)
	}
}

// users returns how many came by the provider.
func (b *bench) users() int {
	b.t.Helper()
	list, err := b.desk.People.Users(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	n := 0
	for _, u := range list {
		if u.Provided {
			n++
		}
	}
	return n
}

func TestAUserOfTheProviderConfirmsThere(t *testing.T) {
	b, p := startProvided(t)
	p.Start()
	p.Person = idp.Person{Subject: "1", Name: "zhao", Groups: []string{"admins"}}
	of := b.browser()
	of.provide(p, "")
	invite := func(password string) (int, string) {
		status, text, _ := of.ask("POST", "/api/invite", fmt.Sprintf(`{"role":"duty","password":%q}`, password))
		return status, text
	}
	if status, text := invite(password); status != 403 || !strings.Contains(text, `"reauth"`) {
		t.Errorf("a password: %d %s", status, text)
	}
	p.Person.Subject = "2"
	if to := of.provide(p, "&confirm=1"); to != "../../confirmed#failed=oidc-other" {
		t.Errorf("somebody else: %s", to)
	}
	p.Person.Subject = "1"
	p.Bent.Claims = map[string]any{"auth_time": 1581660000}
	if to := of.provide(p, "&confirm=1"); to != "../../confirmed#failed=oidc-not-now" {
		t.Errorf("not asked again: %s", to)
	}
	p.Bent.Claims = nil
	if to := of.provide(p, "&confirm=1"); to != "../../confirmed" || !strings.Contains(of.who(), `"confirmed":true`) {
		t.Errorf("%s %s", to, of.who())
	}
	if status, text := invite(""); status != 200 {
		t.Errorf("confirmed: %d %s", status, text)
	}
	if status, text := invite(""); status != 403 {
		t.Errorf("a second act: %d %s", status, text)
	}
	if to := b.browser().provide(p, "&confirm=1"); to != "../../confirmed#failed=session" {
		t.Errorf("without a session: %s", to)
	}
	known := b.browser()
	known.login()
	if to := known.goes(oidc.BeginPath + "?moved=1&confirm=1"); to != "../../confirmed#failed=session" {
		t.Errorf("of a user with a password: %s", to)
	}
	status, text, _ := of.ask("POST", "/api/logout", "{}")
	if status != 200 || !strings.Contains(text, p.Issuer+"/logout") || !strings.Contains(of.who(), `"session"`) {
		t.Errorf("%d %s", status, text)
	}
}
