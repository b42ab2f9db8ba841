package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/testkit/influxd"
)

// startTimeout is how long a program may take to start.
const startTimeout = 60 * time.Second

// database is an InfluxDB 1.8 of its own, empty.
type database struct {
	*program
	url string
}

func startDatabase(ctx context.Context, dir string) (*database, error) {
	path, err := influxd.Find()
	if err != nil {
		return nil, err
	}
	files := filepath.Join(dir, "influxdb")
	if err := os.Mkdir(files, 0o700); err != nil {
		return nil, err
	}
	conf, server, err := influxd.Configure(ctx, files)
	if err != nil {
		return nil, err
	}
	p, err := startProgram(dir, "influxd", path, "run", "-config", conf)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := influxd.CreateDatabase(ctx, server); err != nil {
		p.stop()
		return nil, fmt.Errorf("%w\n%s", err, p.tail())
	}
	return &database{p, server}, nil
}

// written returns how many points the server has written since its start. It
// costs the server next to nothing, unlike a count.
func (d *database) written(ctx context.Context) (int, error) {
	all, err := get[map[string]json.RawMessage](ctx, d.url+"/debug/vars")
	if err != nil {
		return 0, err
	}
	for name, v := range all {
		if strings.HasPrefix(name, "httpd") {
			var listener struct {
				Values struct {
					Points int `json:"pointsWrittenOK"`
				}
			}
			err := json.Unmarshal(v, &listener)
			return listener.Values.Points, err
		}
	}
	return 0, fmt.Errorf("%s/debug/vars names no points that were written", d.url)
}

// count returns how many points have the field.
func (d *database) count(ctx context.Context, measurement, field string) (n int, err error) {
	type answer struct {
		Results []struct {
			Series []struct{ Values [][]json.RawMessage }
		}
	}
	q := url.Values{"db": {influxd.Database}, "q": {fmt.Sprintf("SELECT count(%q) FROM %q", field, measurement)}}
	a, err := get[answer](ctx, d.url+"/query?"+q.Encode())
	if err != nil || len(a.Results) == 0 || len(a.Results[0].Series) == 0 {
		return 0, err
	}
	err = json.Unmarshal(a.Results[0].Series[0].Values[0][1], &n)
	return n, err
}

// get returns what the URL answers, which is JSON.
func get[T any](ctx context.Context, url string) (v T, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return v, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return v, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return v, fmt.Errorf("%s answers %s", url, res.Status)
	}
	return v, json.NewDecoder(res.Body).Decode(&v)
}
