package threats

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// browser is somebody at the desk, with an address and cookies of their own.
type browser struct {
	url    string
	jar    *cookiejar.Jar
	client *http.Client
}

// reply is what a server has answered.
type reply struct {
	status int
	header http.Header
	body   string
}

// browser returns somebody new at 127.0.0.n.
func (c *county) browser(n byte) *browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, n)}, Timeout: 10 * time.Second}
	return &browser{url: c.url, jar: jar, client: &http.Client{Jar: jar, Timeout: 60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: from.DialContext, MaxIdleConnsPerHost: 300,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}} //nolint:gosec // the desk is ours
}

// ask sends a request; header is pairs of names and values.
func (b *browser) ask(ctx context.Context, method, path, body string, header ...string) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, method, b.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	a, err := b.client.Do(r)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	return reply{a.StatusCode, a.Header, string(text)}, err
}

// is asks, and returns an error when the answer has another status.
func (b *browser) is(ctx context.Context, want int, method, path, body string, header ...string) error {
	a, err := b.ask(ctx, method, path, body, header...)
	if err == nil && a.status != want {
		err = fmt.Errorf(
			"%s %s %s is answered with %d instead of %d: %.200s",
			method,
			path,
			strings.Join(header, " "),
			a.status,
			want,
			a.body,
		)
	}
	return err
}

// post posts v as JSON, and reads the answer into to, unless that is nil.
func (b *browser) post(ctx context.Context, path string, v, to any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	a, err := b.ask(ctx, http.MethodPost, path, string(body))
	switch {
	case err != nil:
		return err
	case a.status >= http.StatusMultipleChoices:
		return fmt.Errorf("post to %s: %d %.300s", path, a.status, a.body)
	case to == nil:
		return nil
	}
	return json.Unmarshal([]byte(a.body), to)
}

// get reads what a path answers as JSON.
func (b *browser) get(ctx context.Context, path string, to any) error {
	a, err := b.ask(ctx, http.MethodGet, path, "")
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("get %s: %d %.300s", path, a.status, a.body)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(a.body), to)
}

type credentials struct {
	Token    string `json:"token"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

// logIn logs in with the password of all users of the county.
func (b *browser) logIn(ctx context.Context, name string) error {
	return b.post(ctx, "/api/login", credentials{"", name, password}, nil)
}

var setupLink = regexp.MustCompile(`/setup#([\w-]+)`)

// signUp makes the county's first administrator, by the link in its folder.
func (c *county) signUp(ctx context.Context) error {
	var text []byte
	if ok := await(ctx, upWithin, func() bool {
		text, _ = os.ReadFile(c.path("county", "setup-link"))
		return setupLink.Match(text)
	}); !ok {
		return errors.New("there is no link for the first user")
	}
	c.admin = c.browser(2)
	return c.join(ctx, c.admin, setupLink.FindStringSubmatch(string(text))[1], "li")
}

// join makes a user by a link's token, and logs in.
func (c *county) join(ctx context.Context, b *browser, token, name string) error {
	if err := b.post(ctx, "/api/setup", credentials{token, name, password}, nil); err != nil {
		return err
	}
	return b.logIn(ctx, name)
}

// user makes a user with a role, who has logged in from 127.0.0.n.
func (c *county) user(ctx context.Context, name, role string, n byte) (*browser, error) {
	said, err := c.run(ctx, "invite", "--dir", c.path("county"), "--url", c.url, "--role", role)
	if err != nil {
		return nil, err
	}
	link := setupLink.FindStringSubmatch(said)
	if link == nil {
		return nil, fmt.Errorf("invite prints no link: %s", said)
	}
	b := c.browser(n)
	return b, c.join(ctx, b, link[1], name)
}

// code makes a code for a gate.
func (b *browser) code(ctx context.Context, gate string) (string, error) {
	var cards []struct{ Text string }
	err := b.post(ctx, "/api/enrol/codes", map[string][]string{"agents": {gate}}, &cards)
	if err == nil && len(cards) != 1 {
		err = fmt.Errorf("%d codes", len(cards))
	}
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return cards[0].Text, nil
}

// enrolled is the desk's list of gates.
type enrolled struct {
	Gates   []struct{ Agent, Fingerprint, Revoked string }
	Waiting []struct{ ID, Agent, Fingerprint, Replaces string }
}

// approve approves the request of a gate when it comes.
func (b *browser) approve(ctx context.Context, gate string) error {
	id := ""
	if ok := await(ctx, 30*time.Second, func() bool {
		var l enrolled
		if b.get(ctx, "/api/enrol", &l) != nil {
			return false
		}
		for _, w := range l.Waiting {
			if w.Agent == gate {
				id = w.ID
			}
		}
		return id != ""
	}); !ok {
		return errors.New("no request comes")
	}
	return b.post(ctx, "/api/enrol/decide", map[string]string{"id": id, "do": "approve"}, nil)
}

// revoke revokes a gate.
func (b *browser) revoke(ctx context.Context, gate string) error {
	return b.post(ctx, "/api/enrol/decide", map[string]string{"revoke": gate}, nil)
}

// output runs a program to its end and returns what it prints.
func output(ctx context.Context, name string, args ...string) (string, error) {
	return fed(ctx, "", name, args...)
}

// fed is output of a program to which somebody types a text.
func fed(ctx context.Context, text, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(text)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("gatehouse %s: %w: %.500s", args[0], err, out.String())
	}
	return out.String(), nil
}
