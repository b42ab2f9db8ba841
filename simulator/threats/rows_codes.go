package threats

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/sealed"
)

// codes are who wants to become a gate.
func codes() []Row {
	return []Row{
		{
			ID: "T45", Name: "code-twice", Title: "a code is used by a second computer",
			Control: "one use: bound to the first key", try: codeTwice,
		},
		{
			ID: "T46", Name: "code-late", Title: "a code is used after 24 hours, or after a newer one was made",
			Control: "a code ends, and a newer one voids it", try: codeLate,
		},
		{
			ID: "T47", Name: "code-of-another",
			Title:   "a request carries another gate's name, or is signed by another code",
			Control: "the code names the gate; the request is signed by it", try: codeOfAnother,
		},
		{
			ID: "T48", Name: "code-guessed", Title: "10,000 codes are guessed",
			Control: "30 attempts of an address, then one in 10 s; 128 bits", try: codeGuessed,
		},
		{
			ID: "T49", Name: "answer-taken", Title: "somebody asks for the answer to another's request",
			Control: "the answer is encrypted to a key that the request has named", try: answerTaken,
		},
		{
			ID: "T50", Name: "cloned-disk",
			Title:   "a gate's disk is copied to another gate, which asks to be enrolled",
			Control: "a key is one gate's", try: clonedDisk,
		},
		{
			ID: "T51", Name: "stolen-disk", Title: "who has the disk of one gate acts for the others",
			Control: "each gate has a key and a certificate of its own", try: stolenDisk,
		},
		{
			ID: "T52", Name: "renewal-forged",
			Title:   "somebody asks to renew a gate's certificate with another key",
			Control: "a renewal is signed by the key that counts", try: renewalForged,
		},
	}
}

// asks makes a request with a code and a key, as gatehouse enrol does.
func (c *county) asks(ctx context.Context, n byte, text string, keyFile string) (reply, error) {
	code, err := enrolment.ParseCode(text)
	if err != nil {
		return reply{}, err
	}
	return c.requests(ctx, n, code, keyFile, func(*enrolment.Request) {})
}

// requests makes a request that edit has changed.
func (c *county) requests(ctx context.Context, n byte, code enrolment.Code, keyFile string,
	edit func(*enrolment.Request),
) (reply, error) {
	key, _, err := identity.LoadOrCreateKey(keyFile)
	if err != nil {
		return reply{}, err
	}
	_, to, err := sealed.NewKey()
	if err != nil {
		return reply{}, err
	}
	r, err := enrolment.NewRequest(code, key, to)
	if err != nil {
		return reply{}, err
	}
	edit(&r)
	body, err := marshal(r)
	if err != nil {
		return reply{}, err
	}
	return c.browser(n).ask(ctx, http.MethodPost, enrolment.RequestPath, body)
}

// refuse refuses all requests that wait.
func (c *county) refuseAll(ctx context.Context) error {
	var l enrolled
	if err := c.admin.get(ctx, "/api/enrol", &l); err != nil {
		return err
	}
	for _, w := range l.Waiting {
		err := c.admin.post(ctx, "/api/enrol/decide", map[string]string{"id": w.ID, "do": "refuse"}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

func codeTwice(ctx context.Context, c *county) (string, error) {
	code, err := c.admin.code(ctx, "gate-003")
	if err != nil {
		return "", err
	}
	first, err := c.asks(ctx, 71, code, c.path("first.key"))
	if err != nil || first.status != http.StatusAccepted {
		return "", errors.Join(err, fmt.Errorf("the first use: %d %s", first.status, first.body))
	}
	second, err := c.asks(ctx, 72, code, c.path("second.key"))
	if err != nil || second.status < http.StatusBadRequest {
		return "", errors.Join(err, fmt.Errorf("the second use: %d %s", second.status, second.body))
	}
	said, err := c.run(ctx, "enrol", "--tpm", "off", "--dir", c.path("second"), code)
	if err == nil || !strings.Contains(said, "used already") {
		return "", fmt.Errorf("the second computer is not told: %s", said)
	}
	return fmt.Sprintf("the second is answered with %d", second.status), c.refuseAll(ctx)
}

func codeLate(ctx context.Context, c *county) (string, error) {
	old, err := c.admin.code(ctx, "gate-003")
	if err != nil {
		return "", err
	}
	late, err := c.admin.code(ctx, "gate-003")
	if err != nil {
		return "", err
	}
	a, err := c.asks(ctx, 73, old, c.path("old.key"))
	if err != nil || a.status < http.StatusBadRequest {
		return "", errors.Join(err, fmt.Errorf("a code that a newer one has voided: %d %s", a.status, a.body))
	}
	// A day passes for the code, in the desk's file: the county's clock is the computer's.
	day := int64(24 * time.Hour)
	err = change(ctx, c.path("county"), fmt.Sprintf("UPDATE enrol_codes SET expires = expires - %d", day))
	if err != nil {
		return "", err
	}
	b, err := c.asks(ctx, 73, late, c.path("late.key"))
	if err != nil || b.status < http.StatusBadRequest {
		return "", errors.Join(err, fmt.Errorf("a code of yesterday: %d %s", b.status, b.body))
	}
	return fmt.Sprintf("a voided one %d, one of yesterday %d", a.status, b.status), nil
}

func codeOfAnother(ctx context.Context, c *county) (string, error) {
	text, err := c.admin.code(ctx, "gate-003")
	if err != nil {
		return "", err
	}
	code, err := enrolment.ParseCode(text)
	if err != nil {
		return "", err
	}
	as1 := code
	as1.Agent = "gate-001"
	other, err := enrolment.NewCode(countyID, "gate-003", []string{c.url}, [16]byte{})
	if err != nil {
		return "", err
	}
	n := 0
	for what, r := range map[string]struct {
		code enrolment.Code
		edit func(*enrolment.Request)
	}{
		"another gate's name in the code": {as1, func(*enrolment.Request) {}},
		"signed by another code":          {other, func(r *enrolment.Request) { r.Code = code.ID() }},
		"another recipient":               {code, func(r *enrolment.Request) { _, r.To, _ = sealed.NewKey() }},
	} {
		a, err := c.requests(ctx, 74, r.code, c.path("another.key"), r.edit)
		if err != nil || a.status < http.StatusBadRequest {
			return "", errors.Join(err, fmt.Errorf("%s: %d %s", what, a.status, a.body))
		}
		n++
	}
	return fmt.Sprintf("%d requests, all refused", n), nil
}

func codeGuessed(ctx context.Context, c *county) (string, error) {
	b := c.browser(75)
	const guesses = 10000
	counts := map[int]int{}
	for i := range guesses {
		a, err := b.ask(
			ctx,
			http.MethodPost,
			enrolment.RequestPath,
			fmt.Sprintf(`{"code":"%032x","csr":"","to":"","sig":""}`, i),
		)
		if err != nil {
			return "", err
		}
		counts[a.status]++
	}
	if counts[http.StatusTooManyRequests] < guesses-100 || counts[http.StatusAccepted] > 0 {
		return "", fmt.Errorf("answers: %v", counts)
	}
	if err := c.admin.is(ctx, http.StatusOK, http.MethodGet, "/api/enrol", ""); err != nil {
		return "", err
	}
	return fmt.Sprintf(
		"%d of %d were not looked up; others are served",
		counts[http.StatusTooManyRequests],
		guesses,
	), nil
}

func answerTaken(ctx context.Context, c *county) (string, error) {
	code, err := c.admin.code(ctx, "gate-003")
	if err != nil {
		return "", err
	}
	a, err := c.asks(ctx, 76, code, c.path("taken.key"))
	if err != nil || a.status != http.StatusAccepted {
		return "", errors.Join(err, fmt.Errorf("%d %s", a.status, a.body))
	}
	if err := c.admin.approve(ctx, "gate-003"); err != nil {
		return "", err
	}
	var accepted enrolment.Accepted
	if err := unmarshal(a.body, &accepted); err != nil {
		return "", err
	}
	answer, err := c.browser(77).ask(ctx, http.MethodGet, enrolment.AnswerPath+accepted.ID, "")
	if err != nil || answer.status != http.StatusOK {
		return "", errors.Join(err, fmt.Errorf("the answer: %d", answer.status))
	}
	key, err := os.ReadFile(c.path("county", "site.key"))
	if err != nil {
		return "", err
	}
	for _, secret := range []string{resident.Card, strings.TrimSpace(string(key)), "fever_c", "BEGIN CERTIFICATE"} {
		if found := find([]byte(answer.body), secret); found != "" {
			return "", fmt.Errorf("the answer holds %s %s", secret, found)
		}
	}
	if a, err := c.browser(77).ask(ctx, http.MethodGet, enrolment.AnswerPath+"0000", ""); err != nil ||
		a.status < http.StatusBadRequest {
		return "", errors.Join(err, fmt.Errorf("an answer to nothing: %d", a.status))
	}
	return fmt.Sprintf("%d bytes, in which neither card, key, rules nor certificate are found", len(answer.body)),
		c.admin.revoke(ctx, "gate-003")
}

func renewalForged(ctx context.Context, c *county) (string, error) {
	key, _, err := identity.LoadOrCreateKey(c.path("renewal.key"))
	if err != nil {
		return "", err
	}
	forged, err := enrolment.NewRenewal(countyID, "gate-001", "", key)
	if err != nil {
		return "", err
	}
	own, _, err := identity.LoadOrCreateKey(filepath.Join(c.gates[1].dir, "agent.key"))
	if err != nil {
		return "", err
	}
	byFellow, err := enrolment.NewRenewal(countyID, "gate-001", "", own)
	if err != nil {
		return "", err
	}
	elsewhere, err := enrolment.NewRenewal("yuncheng", "gate-002", "", own)
	if err != nil {
		return "", err
	}
	for what, r := range map[string]enrolment.Renewal{"by a stranger": forged, "by a fellow": byFellow,
		"of another county": elsewhere} {
		body, err := marshal(r)
		if err != nil {
			return "", err
		}
		a, err := c.browser(79).ask(ctx, http.MethodPost, enrolment.RenewPath, body)
		if err != nil || a.status < http.StatusBadRequest {
			return "", errors.Join(err, fmt.Errorf("%s: %d", what, a.status))
		}
	}
	return "3 requests, all refused", nil
}
