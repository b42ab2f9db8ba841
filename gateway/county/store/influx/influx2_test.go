//go:build influx2

// Tests with a real InfluxDB 2: make test-influx2 builds it and runs them.
package influx_test

import (
	"fmt"
	"testing"
	"time"

	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/testkit/influxd2"
)

func TestInflux2(t *testing.T) { testDatabase(t, influx2(t, server2(t))) }

// server2 runs a real InfluxDB 2 until the test ends.
func server2(t *testing.T) *influxd2.Server {
	t.Helper()
	s, err := influxd2.Start(t.Context(), t.TempDir())
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

// bucket2 is a bucket of InfluxDB 2.
type bucket2 struct {
	server *influxd2.Server
	influxd2.Bucket
}

// influx2 makes buckets in one InfluxDB 2.
func influx2(t *testing.T, s *influxd2.Server) database {
	t.Helper()
	n := 0
	return func(t *testing.T) bucket {
		t.Helper()
		b := &bucket2{server: s}
		n++
		b.Name = fmt.Sprint("bucket-", n)
		b.create(t)
		return b
	}
}

func (b *bucket2) options() influx.Options {
	return influx.Options{URL: b.URL, Token: b.Token, Org: b.Org, Bucket: b.Name}
}

func (b *bucket2) lasting() influx.Options {
	o := b.options()
	o.Token = b.server.Token
	return o
}

func (b *bucket2) create(t *testing.T) {
	t.Helper()
	made, err := b.server.CreateBucket(t.Context(), b.Name, 0)
	must(t, err)
	b.Bucket = made
}

func (b *bucket2) drop(t *testing.T) {
	t.Helper()
	must(t, b.Drop(t.Context()))
}

func (b *bucket2) keep(t *testing.T, d time.Duration) {
	t.Helper()
	must(t, b.Keep(t.Context(), d))
}

func (b *bucket2) forget(t *testing.T, since time.Time, agent string) {
	t.Helper()
	must(t, b.Delete(t.Context(), since, since.Add(day), fmt.Sprintf("agent=%q", agent)))
}

// org is a mistake only here: InfluxDB 1.8 has no organizations.
func org(to string) func(*influx.Options) { return func(o *influx.Options) { o.Org = to } }

func TestInflux2SaysWhatToDoAboutAMistake(t *testing.T) {
	s := server2(t)
	anew := influx2(t, s)
	b, gone := anew(t).(*bucket2), anew(t)
	may := func(active bool, actions ...string) func(*influx.Options) {
		made, err := b.CreateToken(t.Context(), actions...)
		must(t, err)
		if !active {
			must(t, made.Deactivate(t.Context()))
		}
		return token(made.Token)
	}
	testMistakes(t, b.options(), map[string]mistake{
		"a token that only reads":  {may(true, "read"), "may not write this bucket"},
		"a token that only writes": {may(true, "write"), "the bucket is there, and the token may only write it"},
		"an inactive token":        {may(false, "read", "write"), "influx auth active"},
		"the token of another":     {token(gone.options().Token), "may neither read nor write"},
		"a wrong token":            {token("wrong"), "mistyped, deleted or expired"},
		"user and password":        {token("admin:first-password"), "not user:password"},
		"no token":                 {token(""), "no token is set"},
		"no such bucket":           {inBucket("missing"), "influx bucket create --org county --name missing"},
		"a bucket as that of 1.8":  {inBucket(b.Name + "/autogen"), "the bucket is not there"},
		"no such organization":     {org("nobody"), `there is no organization "nobody"`},
		"no organization":          {org(""), "set org"},
		"a path":                   {path("/influx"), "url ends with the port"},
	})
}
