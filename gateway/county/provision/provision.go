// Package provision sets an InfluxDB 2 up for the county: organization, bucket with its
// retention, a bucket of hourly figures with the task that fills it, and tokens that may do
// no more than their programs need. What is there already stays.
package provision

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Options say what to make, and where.
type Options struct {
	URL       string // of the InfluxDB, such as http://127.0.0.1:8086
	Org       string
	Bucket    string
	Retention time.Duration // of the bucket, an hour at least; 0: for ever
	Admin     string        // the administrator's token; a new InfluxDB takes it over
	Password  string        // of the user admin of a new InfluxDB
}

// Hours is the name of the bucket of hourly figures.
func (o Options) Hours() string { return o.Bucket + "-hours" }

// Influx is an InfluxDB 2 that is set up.
type Influx struct {
	opts        Options
	org         string            // id
	buckets     map[string]string // id by name
	client      *http.Client
	NewlySetUp  bool // it had no user before
	NewBuckets  []string
	TaskChanged bool
}

// SetUp sets an InfluxDB up. It may be called again: then it changes the retention and the
// task to what they should be.
func SetUp(ctx context.Context, o Options) (*Influx, error) {
	i := &Influx{opts: o, buckets: map[string]string{}, client: &http.Client{Timeout: 30 * time.Second}}
	for _, step := range []func(context.Context) error{i.first, i.findOrg, i.makeBuckets, i.makeTask} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("set up the InfluxDB at %s: %w", o.URL, err)
		}
	}
	return i, nil
}

// first makes the first user of a new InfluxDB.
func (i *Influx) first(ctx context.Context) error {
	state, err := call[struct{ Allowed bool }](ctx, i, http.MethodGet, "/api/v2/setup", "", nil)
	if err != nil || !state.Allowed {
		return err
	}
	_, err = call[struct{}](ctx, i, http.MethodPost, "/api/v2/setup", "", map[string]string{"username": "admin",
		"password": i.opts.Password, "org": i.opts.Org, "bucket": i.opts.Bucket, "token": i.opts.Admin})
	i.NewlySetUp = err == nil
	return err
}

func (i *Influx) findOrg(ctx context.Context) error {
	found, err := call[struct{ Orgs []struct{ ID string } }](ctx, i, http.MethodGet,
		"/api/v2/orgs?org="+url.QueryEscape(i.opts.Org), i.opts.Admin, nil)
	if err != nil {
		return fmt.Errorf("look for the organization %s: %w", i.opts.Org, err)
	}
	if len(found.Orgs) != 1 {
		return fmt.Errorf("there is no organization %q", i.opts.Org)
	}
	i.org = found.Orgs[0].ID
	return nil
}

type rule struct {
	Type    string `json:"type"`
	Seconds int64  `json:"everySeconds"`
	Shard   int64  `json:"shardGroupDurationSeconds"`
}

// expire returns the rule that removes what is older than keep, in pieces as InfluxDB
// chooses them for a new bucket.
func expire(keep time.Duration) rule {
	const day = 24 * time.Hour
	piece := 7 * day
	switch {
	case keep < 2*day:
		piece = time.Hour
	case keep < 180*day:
		piece = day
	}
	return rule{"expire", int64(keep / time.Second), int64(piece / time.Second)}
}

// makeBuckets makes the two buckets; hourly figures are kept for ever.
func (i *Influx) makeBuckets(ctx context.Context) error {
	have, err := call[struct{ Buckets []struct{ ID, Name string } }](ctx, i, http.MethodGet,
		"/api/v2/buckets?limit=100&orgID="+i.org, i.opts.Admin, nil)
	if err != nil {
		return fmt.Errorf("list the buckets: %w", err)
	}
	for _, b := range have.Buckets {
		i.buckets[b.Name] = b.ID
	}
	for name, keep := range map[string]time.Duration{i.opts.Bucket: i.opts.Retention, i.opts.Hours(): 0} {
		rules := []rule{}
		if keep > 0 {
			rules = append(rules, expire(keep))
		}
		method, path, body := http.MethodPost, "/api/v2/buckets", map[string]any{"orgID": i.org, "name": name,
			"retentionRules": rules}
		if id := i.buckets[name]; id != "" {
			method, path, body = http.MethodPatch, path+"/"+id, map[string]any{"retentionRules": rules}
		}
		made, err := call[struct{ ID string }](ctx, i, method, path, i.opts.Admin, body)
		if err != nil {
			return fmt.Errorf("make the bucket %s: %w", name, err)
		}
		if method == http.MethodPost {
			i.NewBuckets = append(i.NewBuckets, name)
		}
		i.buckets[name] = made.ID
	}
	return nil
}

// taskName is that of the task that fills the bucket of hourly figures.
const taskName = "gatehouse hours"

// Task returns the text of the task. It goes over the last week each hour, because gates
// that were cut off deliver late; what it writes again is the same.
func (o Options) Task() string {
	return fmt.Sprintf(`import "date"
option task = {name: %q, every: 1h, offset: 10m}
first = date.truncate(t: -7d, unit: 1h)
last = date.truncate(t: now(), unit: 1h)
of = (measurement, field) => from(bucket: %q)
  |> range(start: first, stop: last)
  |> filter(fn: (r) => r._measurement == measurement and r._field == field)
of(measurement: "gate_event", field: "seq")
  |> group(columns: ["_measurement", "agent", "community", "compound", "grid", "outcome"])
  |> aggregateWindow(every: 1h, fn: count, createEmpty: false)
  |> set(key: "_field", value: "passages")
  |> to(bucket: %q)
of(measurement: "gate_event", field: "screening_c")
  |> group(columns: ["_measurement", "agent", "community", "compound", "grid", "outcome"])
  |> aggregateWindow(every: 1h, fn: mean, createEmpty: false)
  |> set(key: "_field", value: "screening_c")
  |> to(bucket: %q)
`, taskName, o.Bucket, o.Hours(), o.Hours())
}

func (i *Influx) makeTask(ctx context.Context) error {
	have, err := call[struct{ Tasks []struct{ ID, Flux string } }](ctx, i, http.MethodGet,
		"/api/v2/tasks?orgID="+i.org+"&name="+url.QueryEscape(taskName), i.opts.Admin, nil)
	if err != nil {
		return fmt.Errorf("look for the task: %w", err)
	}
	method, path, body := http.MethodPost, "/api/v2/tasks", map[string]string{"orgID": i.org, "status": "active",
		"flux": i.opts.Task()}
	if len(have.Tasks) > 0 {
		if have.Tasks[0].Flux == i.opts.Task() {
			return nil
		}
		method, path = http.MethodPatch, path+"/"+have.Tasks[0].ID
		delete(body, "orgID")
	}
	if _, err = call[struct{}](ctx, i, method, path, i.opts.Admin, body); err != nil {
		return fmt.Errorf("make the task %s: %w", taskName, err)
	}
	i.TaskChanged = true
	return nil
}

// The descriptions of the tokens, by which they are found again.
const (
	Collector = "gatehouse collector" // may read and write the bucket
	Grafana   = "gatehouse Grafana"   // may read both buckets
)

// HasToken reports whether there is a token of a description.
func (i *Influx) HasToken(ctx context.Context, about string) (bool, error) {
	ids, err := i.tokens(ctx, about)
	return len(ids) > 0, err
}

// NewToken makes a token of a description, Collector or Grafana, in place of earlier ones.
func (i *Influx) NewToken(ctx context.Context, about string) (string, error) {
	ids, err := i.tokens(ctx, about)
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		if _, err := call[struct{}](ctx, i, http.MethodDelete, "/api/v2/authorizations/"+id, i.opts.Admin,
			nil); err != nil {
			return "", fmt.Errorf("delete an earlier token: %w", err)
		}
	}
	if about == Grafana {
		return i.token(ctx, about, map[string][]string{i.opts.Bucket: {"read"}, i.opts.Hours(): {"read"}})
	}
	return i.token(ctx, about, map[string][]string{i.opts.Bucket: {"read", "write"}})
}

// Unreachable reports whether an error means that nothing answered yet.
func Unreachable(err error) bool {
	var at *url.Error
	return errors.As(err, &at)
}

func (i *Influx) token(ctx context.Context, about string, may map[string][]string) (string, error) {
	type resource struct {
		Type string `json:"type"`
		ID   string `json:"id"`
		Org  string `json:"orgID"`
	}
	type permission struct {
		Action   string   `json:"action"`
		Resource resource `json:"resource"`
	}
	var list []permission
	for bucket, actions := range may {
		for _, action := range actions {
			list = append(list, permission{action, resource{"buckets", i.buckets[bucket], i.org}})
		}
	}
	made, err := call[struct{ Token string }](ctx, i, http.MethodPost, "/api/v2/authorizations", i.opts.Admin,
		map[string]any{"orgID": i.org, "description": about, "permissions": list})
	if err != nil {
		return "", fmt.Errorf("make the token for %s: %w", about, err)
	}
	return made.Token, nil
}

// errToken is the answer to a token that the server does not know.
var errToken = errors.New("it does not know the administrator's token: it was set up with another one")

// call calls the server's API.
func call[R any](ctx context.Context, i *Influx, method, path, token string, request any) (answer R, err error) {
	body, err := json.Marshal(request)
	if err != nil {
		return answer, err
	}
	req, err := http.NewRequestWithContext(ctx, method, i.opts.URL+path, bytes.NewReader(body))
	if err != nil {
		return answer, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Token "+token)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := i.client.Do(req)
	if err != nil {
		return answer, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	switch {
	case err != nil:
		return answer, err
	case res.StatusCode == http.StatusUnauthorized:
		return answer, errToken
	case res.StatusCode >= http.StatusMultipleChoices:
		return answer, fmt.Errorf("%s %s: %s: %.300s", method, path, res.Status, text)
	case len(text) == 0:
		return answer, nil
	}
	if err = json.Unmarshal(text, &answer); err != nil {
		return answer, fmt.Errorf("%s %s does not answer as an InfluxDB 2 does: %w", method, path, err)
	}
	return answer, nil
}
