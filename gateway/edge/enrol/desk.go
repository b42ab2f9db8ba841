package enrol

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/proxied"
	"gatehouse/gateway/retry"
)

// Timing of the requests to the desk.
const (
	pollEvery  = 2 * time.Second
	firstRetry = time.Second
	lastRetry  = 15 * time.Second
	mostWait   = 5 * time.Minute // that the desk may ask for
	requestFor = 2 * time.Minute // an answer is as large as the roster
)

// NewClient returns a client for the desk. It takes any certificate of the desk: what is
// sent is signed, and what comes is encrypted, and signed by the county. proxy is as in the
// configuration of brokers; empty: none.
func NewClient(proxy string) *http.Client {
	find := proxied.Of(proxy)
	return &http.Client{Timeout: requestFor, Transport: &http.Transport{
		Proxy:             func(r *http.Request) (*url.URL, error) { return find(r.URL) },
		TLSClientConfig:   unverified(),
		DisableKeepAlives: true,
	}}
}

// unverified takes any certificate of the desk.
func unverified() *tls.Config {
	//nolint:gosec // the answers are signed, see NewClient
	return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}
}

// desk asks the county's desk at one of its addresses.
type desk struct {
	client   *http.Client
	urls     []string
	trouble  func(error)
	answered func()                    // the desk says that somebody has to decide; nil: nobody is told
	clock    func(ahead time.Duration) // nil: nobody is told
}

// RefusedError is an answer that does not change when the same is asked again.
type RefusedError struct {
	Code string // enrol-unknown, enrol-late, enrol-used, enrol-refused and others of the desk
	Text string // for engineers
}

func (e *RefusedError) Error() string { return "the county refuses: " + e.Text }

// Troubles of Screen wrap one of these when something has answered; else nothing has.
var (
	ErrNotDesk = errors.New("is not the county's desk: is a proxy or router in between?")
	ErrAsksFor = errors.New("the desk can't answer now")
)

// errLater is an answer that changes by itself.
var errLater = errors.New("the county asks for patience")

// request sends a request until the desk has taken or refused it.
func (d *desk) request(ctx context.Context, r enrolment.Request) (a enrolment.Accepted, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return a, fmt.Errorf("write the request: %w", err)
	}
	return a, d.until(ctx, http.MethodPost, enrolment.RequestPath, body, http.StatusAccepted, &a, 0)
}

// await asks for the answer to a request until somebody has decided.
func (d *desk) await(ctx context.Context, id string, every time.Duration) (a enrolment.Answer, err error) {
	if every == 0 {
		every = pollEvery
	}
	return a, d.until(ctx, http.MethodGet, enrolment.AnswerPath+id, nil, http.StatusOK, &a, every)
}

// until asks until the answer has the status that is wanted, and decodes it. An answer 202
// that is not wanted is asked again after every.
func (d *desk) until(
	ctx context.Context,
	method, path string,
	body []byte,
	want int,
	to any,
	every time.Duration,
) error {
	backoff := retry.Backoff{First: firstRetry, Last: lastRetry}
	for n := 0; ; n++ {
		at := strings.TrimSuffix(d.urls[n%len(d.urls)], "/") + path
		wait, err := d.once(ctx, method, at, body, want, to)
		if final := new(RefusedError); err == nil || errors.As(err, &final) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case errors.Is(err, errLater) && wait == 0:
			wait, n = every, n-1 // the same address
			if d.answered != nil {
				d.answered()
			}
			backoff.Limit(firstRetry)
		default:
			d.trouble(err)
			wait = max(wait, backoff.Next())
		}
		if !retry.Sleep(ctx, wait) {
			return ctx.Err()
		}
	}
}

// once asks once. wait is how long the desk wants to be left alone.
func (d *desk) once(ctx context.Context, method, at string, body []byte, want int, to any) (time.Duration, error) {
	q, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("ask the desk: %w", err)
	}
	q.Header.Set("Content-Type", "application/json")
	r, err := d.client.Do(q)
	if err != nil {
		return 0, fmt.Errorf("ask the desk: %w", err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(io.LimitReader(r.Body, enrolment.MaxAnswer))
	if err != nil {
		return 0, fmt.Errorf("read the desk's answer from %s: %w", at, err)
	}
	if sent, err := http.ParseTime(r.Header.Get("Date")); err == nil && d.clock != nil {
		d.clock(time.Until(sent))
	}
	if r.StatusCode == want {
		if err := json.Unmarshal(b, to); err != nil {
			return 0, fmt.Errorf("read the desk's answer from %s: %w", at, err)
		}
		return 0, nil
	}
	if r.StatusCode == http.StatusAccepted {
		return 0, errLater
	}
	return judge(r, at, b)
}

// judge returns what an answer means that is not the one wanted.
func judge(r *http.Response, at string, b []byte) (time.Duration, error) {
	var problem struct {
		Code string `json:"code"`
		Text string `json:"text"`
	}
	err := json.Unmarshal(b, &problem)
	if err != nil || problem.Code == "" { // not the desk: a proxy, a router's own page
		return 0, fmt.Errorf("%s answers %s and %w", at, r.Status, ErrNotDesk)
	}
	if strings.HasPrefix(problem.Code, "enrol-") && r.StatusCode < http.StatusInternalServerError {
		return 0, &RefusedError{problem.Code, problem.Text}
	}
	wait := time.Duration(0)
	if s, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil {
		wait = min(time.Duration(max(s, 0))*time.Second, mostWait)
	}
	return wait, fmt.Errorf("%w: %s: %s", ErrAsksFor, at, problem.Text)
}
