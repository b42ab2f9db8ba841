package influx_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/testkit/influxd"
)

// database makes a bucket in a real InfluxDB: 1.8 here, 2 with the tag influx2.
type database func(t *testing.T) bucket

// bucket is a bucket of a real InfluxDB, with what operators do to one.
type bucket interface {
	// options are those of a store in it. The token may read and write it.
	options() influx.Options
	// lasting are options with a token that is good for later buckets of the name, too.
	lasting() influx.Options
	drop(t *testing.T)
	create(t *testing.T) // again, under its name
	// keep sets for how long it keeps points.
	keep(t *testing.T, d time.Duration)
	// forget removes an agent's points since a time, as if the database had been
	// restored from a backup.
	forget(t *testing.T, since time.Time, agent string)
}

// bucket1 is the database of an InfluxDB 1.8, at its URL.
type bucket1 string

// influx1 makes the database of one InfluxDB 1.8 anew for each test.
func influx1(t *testing.T) database {
	t.Helper()
	b := bucket1(server(t))
	return func(t *testing.T) bucket {
		t.Helper()
		b.drop(t)
		b.create(t)
		return b
	}
}

func (b bucket1) options() influx.Options {
	return influx.Options{URL: string(b), Token: influxd.Token, Bucket: influxd.Bucket}
}

func (b bucket1) lasting() influx.Options { return b.options() }

func (b bucket1) drop(t *testing.T) {
	t.Helper()
	must(t, influxd.DropDatabase(t.Context(), string(b)))
}

func (b bucket1) create(t *testing.T) {
	t.Helper()
	must(t, influxd.CreateDatabase(t.Context(), string(b)))
}

func (b bucket1) keep(t *testing.T, d time.Duration) {
	t.Helper()
	must(t, influxd.Statement(t.Context(), string(b), fmt.Sprintf(
		"ALTER RETENTION POLICY autogen ON %q DURATION %s SHARD DURATION 1h", influxd.Database, d)))
}

func (b bucket1) forget(t *testing.T, since time.Time, agent string) {
	t.Helper()
	must(t, influxd.Delete(t.Context(), string(b), fmt.Sprintf("time >= '%s' AND agent = '%s'",
		since.UTC().Format(time.RFC3339Nano), agent)))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// post writes points as somebody else does who uses the bucket.
func post(t *testing.T, o influx.Options, points string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		o.URL+"/api/v2/write?"+url.Values{"org": {o.Org}, "bucket": {o.Bucket}}.Encode(), strings.NewReader(points))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token "+o.Token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		t.Fatal(res.Status)
	}
}
