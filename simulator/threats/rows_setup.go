package threats

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"syscall"
	"time"
)

// setUps are attacks on set-up in a browser, before anybody has a password.
func setUps() []Row {
	return []Row{{
		ID: "T83", Name: "set-up-page",
		Title: "somebody else sets the county up, or sees how: from elsewhere, from a page of another site, by " +
			"guessing the link or using it again",
		Control: "loopback only, a link of 250 bits that opens once, in one browser; Origin, SameSite=Strict, " +
			"JSON only",
		try: otherSetUps,
	}}
}

var setUpLink = regexp.MustCompile(`(http://127\.0\.0\.1:\d+)/#(\w+)`)

// otherSetUps starts set-up in a browser, and asks for what it serves without the link's
// secret, with wrong ones, with one that was used, and as a page of another site.
func otherSetUps(ctx context.Context, c *county) (string, error) {
	folders := []string{"--dir", c.path("set-up"), "--data", c.path("set-up-data")}
	listens := []string{"0.0.0.0:0", "[::]:0", ":0"}
	for _, at := range listens {
		if err := c.refusesToStart(ctx, "set-up at "+at, "this computer only",
			append([]string{"setup", "--web", "--listen", at}, folders...)...); err != nil {
			return "", err
		}
	}
	p := c.program("set-up", append([]string{"setup", "--web", "--listen", "127.0.0.1:0"}, folders...)...)
	if _, err := p.Start(); err != nil {
		return "", err
	}
	defer p.End(syscall.SIGINT, 10*time.Second)
	var link []string
	if err := p.WaitFor(ctx, func() bool {
		link = setUpLink.FindStringSubmatch(p.Printed())
		return link != nil
	}); err != nil {
		return "", err
	}
	o := outsiders{mine: c.browser(40), other: c.browser(41)}
	o.mine.url, o.other.url = link[1], link[1]
	if err := o.knock(ctx, `{"token":"`+link[2]+`"}`); err != nil {
		return "", err
	}
	for range 12 {
		if a, err := o.other.ask(ctx, "POST", "/api/open", `{"token":"guess"}`); err != nil {
			return "", err
		} else if o.asked++; a.status == http.StatusTooManyRequests {
			return fmt.Sprintf("%d addresses refused at the start; of %d requests one opened the page, "+
				"the first with the link; then guesses have to wait", len(listens), o.asked), nil
		}
	}
	return "", fmt.Errorf("links may be guessed without end")
}

// outsiders are who has the link of set-up, and somebody else.
type outsiders struct {
	mine, other *browser
	asked       int // requests
}

// is fails unless a request is answered with a status.
func (o *outsiders) is(ctx context.Context, b *browser, want int, method, path, body string, header ...string) error {
	o.asked++
	return b.is(ctx, want, method, "/api/"+path, body, header...)
}

// setUpPaths are what set-up serves to who has opened its link, that which only reads first.
var setUpPaths = [][2]string{{"GET", "state"}, {"POST", "answers"}, {"POST", "token"}, {"POST", "sites"},
	{"DELETE", "sites"}, {"POST", "try"}, {"POST", "plan"}, {"POST", "write"}}

// refused fails unless each of the paths is answered with a status.
func (o *outsiders) refused(ctx context.Context, b *browser, want int, paths [][2]string, header ...string) error {
	for _, at := range paths {
		if err := o.is(ctx, b, want, at[0], at[1], "{}", header...); err != nil {
			return err
		}
	}
	return nil
}

// knock fails unless only the first request with the link opens the page, for one browser and
// for its own pages.
func (o *outsiders) knock(ctx context.Context, token string) error {
	evil := []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}
	for _, try := range []func() error{
		func() error { return o.refused(ctx, o.other, http.StatusUnauthorized, setUpPaths) },
		func() error { return o.is(ctx, o.other, http.StatusForbidden, "POST", "open", `{"token":"guess"}`) },
		func() error { return o.is(ctx, o.mine, http.StatusNoContent, "POST", "open", token) },
		func() error { return o.is(ctx, o.other, http.StatusForbidden, "POST", "open", token) },
		func() error { return o.refused(ctx, o.other, http.StatusUnauthorized, setUpPaths) },
		func() error { return o.refused(ctx, o.mine, http.StatusForbidden, setUpPaths[1:], evil...) },
		func() error {
			return o.refused(ctx, o.mine, http.StatusMisdirectedRequest, setUpPaths, "Host", "evil.example")
		},
		func() error { return o.is(ctx, o.mine, http.StatusOK, "GET", "state", "") },
	} {
		if err := try(); err != nil {
			return err
		}
	}
	return nil
}
