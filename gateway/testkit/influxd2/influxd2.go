// Package influxd2 runs a real InfluxDB 2 for tests and proofs: the server, and
// the bucket and the token that the collector needs.
package influxd2

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/loopback"
)

// Version is the InfluxDB that deploy/influx2.sh builds.
const Version = "v2.7.12"

// Variable may hold the path of another influxd 2.
const Variable = "GATEHOUSE_INFLUXD2"

const org = "county"

// Find returns the path of the program: that of Variable, or the one that
// deploy/influx2.sh has built in the user's cache.
func Find() (string, error) {
	if path := os.Getenv(Variable); path != "" {
		return path, nil
	}
	cache, err := os.UserCacheDir() // $XDG_CACHE_HOME or $HOME/.cache
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "gatehouse", "influxd-"+Version, "influxd")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("InfluxDB %s is not built: run deploy/influx2.sh (minutes, once): %w", Version, err)
	}
	return path, nil
}

// Command returns the command line of a server on a free loopback port that
// keeps everything in dir, and its URL.
func Command(ctx context.Context, dir string) (argv []string, server string, err error) {
	program, err := Find()
	if err != nil {
		return nil, "", err
	}
	address, err := loopback.Free(ctx)
	if err != nil {
		return nil, "", err
	}
	return []string{program, "--bolt-path", filepath.Join(dir, "bolt"), "--sqlite-path", filepath.Join(dir, "sqlite"),
		"--engine-path", filepath.Join(dir, "engine"), "--http-bind-address", address, "--reporting-disabled",
		"--log-level", "error"}, "http://" + address, nil
}

// Server is a running server that was set up.
type Server struct {
	*influxd.Server
	Admin
}

// Start starts a server that keeps its files in dir, and sets it up. It also ends
// when this process does.
func Start(ctx context.Context, dir string) (*Server, error) {
	argv, url, err := Command(ctx, dir)
	if err != nil {
		return nil, err
	}
	s := &Server{}
	s.Server, err = influxd.Run(ctx, url, argv, func(ctx context.Context) (err error) {
		s.Admin, err = SetUp(ctx, url)
		return err
	})
	return s, err
}

// Admin may do everything at a server.
type Admin struct {
	server string
	Token  string // with which it may
	orgID  string
}

// SetUp waits until a new server answers, and makes its first user, whose token
// the result holds.
func SetUp(ctx context.Context, server string) (a Admin, err error) {
	type request struct {
		Username string `json:"username"`
		Password string `json:"password"`
		Org      string `json:"org"`
		Bucket   string `json:"bucket"`
	}
	type answer struct {
		Auth struct{ Token string }
		Org  struct{ ID string }
	}
	a.server = server
	for {
		made, err := call[answer](ctx, a, http.MethodPost, "/api/v2/setup",
			request{Username: "admin", Password: "first-password", Org: org, Bucket: "first"})
		if err == nil {
			a.Token, a.orgID = made.Auth.Token, made.Org.ID
			return a, nil
		}
		select {
		case <-ctx.Done():
			return a, fmt.Errorf("set up InfluxDB 2 at %s: %w", server, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Bucket is a bucket, and a token that may do no more than the collector needs:
// read and write this bucket.
type Bucket struct {
	URL, Org, Name, Token string

	id    string
	admin Admin
}

type rule struct {
	Type    string `json:"type"`
	Seconds int64  `json:"everySeconds"`
	Shard   int64  `json:"shardGroupDurationSeconds,omitempty"` // at most Seconds; 0: by itself
}

// CreateBucket makes a bucket that keeps points for the retention (an hour at
// least; 0: for ever), and its token.
func (a Admin) CreateBucket(ctx context.Context, name string, retention time.Duration) (b Bucket, err error) {
	type request struct {
		Org   string `json:"orgID"`
		Name  string `json:"name"`
		Rules []rule `json:"retentionRules"`
	}
	r := request{Org: a.orgID, Name: name, Rules: []rule{}}
	if retention > 0 {
		r.Rules = append(r.Rules, rule{Type: "expire", Seconds: int64(retention / time.Second)})
	}
	made, err := call[struct{ ID string }](ctx, a, http.MethodPost, "/api/v2/buckets", r)
	if err != nil {
		return b, err
	}
	b = Bucket{URL: a.server, Org: org, Name: name, id: made.ID, admin: a}
	t, err := b.CreateToken(ctx, "read", "write")
	b.Token = t.Token
	return b, err
}

// Token is a token that was made.
type Token struct {
	Token string
	id    string
	admin Admin
}

// CreateToken makes a token that may do actions, of read and write, with the
// bucket.
func (b Bucket) CreateToken(ctx context.Context, actions ...string) (Token, error) {
	type resource struct {
		Type string `json:"type"`
		ID   string `json:"id"`
		Org  string `json:"orgID"`
	}
	type permission struct {
		Action   string   `json:"action"`
		Resource resource `json:"resource"`
	}
	type request struct {
		Org         string       `json:"orgID"`
		Permissions []permission `json:"permissions"`
	}
	r := request{Org: b.admin.orgID}
	for _, action := range actions {
		r.Permissions = append(r.Permissions, permission{action, resource{"buckets", b.id, b.admin.orgID}})
	}
	made, err := call[struct{ ID, Token string }](ctx, b.admin, http.MethodPost, "/api/v2/authorizations", r)
	return Token{made.Token, made.ID, b.admin}, err
}

// Deactivate makes the token inactive.
func (t Token) Deactivate(ctx context.Context) error {
	type request struct {
		Status string `json:"status"`
	}
	_, err := call[struct{}](ctx, t.admin, http.MethodPatch, "/api/v2/authorizations/"+t.id, request{"inactive"})
	return err
}

// Drop deletes the bucket, as an operator might by mistake.
func (b Bucket) Drop(ctx context.Context) error {
	_, err := call[struct{}](ctx, b.admin, http.MethodDelete, "/api/v2/buckets/"+b.id, nothing{})
	return err
}

// Keep sets for how long the bucket keeps points; an hour at least.
func (b Bucket) Keep(ctx context.Context, d time.Duration) error {
	type request struct {
		Rules []rule `json:"retentionRules"`
	}
	_, err := call[struct{}](ctx, b.admin, http.MethodPatch, "/api/v2/buckets/"+b.id,
		request{[]rule{{"expire", int64(d / time.Second), int64(time.Hour / time.Second)}}})
	return err
}

// Delete deletes the points from start to stop for which the predicate is true.
// A database restored from a backup lacks the points written after the backup.
func (b Bucket) Delete(ctx context.Context, start, stop time.Time, predicate string) error {
	type request struct {
		Start     time.Time `json:"start"`
		Stop      time.Time `json:"stop"`
		Predicate string    `json:"predicate"`
	}
	q := url.Values{"org": {b.Org}, "bucket": {b.Name}}
	_, err := call[struct{}](ctx, b.admin, http.MethodPost, "/api/v2/delete?"+q.Encode(),
		request{start, stop, predicate})
	return err
}

// nothing is a request without a body.
type nothing struct{}

// call calls the server's API.
func call[A, R any](ctx context.Context, a Admin, method, path string, request R) (answer A, err error) {
	body, err := json.Marshal(request)
	if err != nil {
		return answer, err
	}
	req, err := http.NewRequestWithContext(ctx, method, a.server+path, bytes.NewReader(body))
	if err != nil {
		return answer, err
	}
	req.Header.Set("Authorization", "Token "+a.Token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	switch {
	case err != nil:
		return answer, err
	case res.StatusCode == http.StatusNoContent:
		return answer, nil
	case res.StatusCode >= http.StatusMultipleChoices:
		return answer, errors.New(method + " " + path + ": " + res.Status + ": " + string(text))
	}
	return answer, json.Unmarshal(text, &answer)
}
