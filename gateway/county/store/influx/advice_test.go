package influx_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/storetest"
)

// mistake is a mistake in a configuration, and what the error must say.
type mistake struct {
	make func(*influx.Options)
	says string
}

// testMistakes opens a store with each mistake, at the start and while another runs:
// nothing is stored, nothing is quarantined, no term begins, and the error says what
// to do.
func testMistakes(t *testing.T, right influx.Options, mistakes map[string]mistake) {
	t.Helper()
	for name, m := range mistakes {
		o := right
		m.make(&o)
		s := openIn(t, o, filepath.Join(t.TempDir(), "books.db"))
		_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 1, 4)})
		if err == nil || errors.Is(err, store.ErrFault) || !strings.Contains(err.Error(), m.says) {
			t.Errorf("%s: %v, want %q in it", name, err, m.says)
		}
		if q, err := s.Quarantined(t.Context(), 0); err != nil || len(q) != 0 {
			t.Errorf("%s: quarantine %+v, %v", name, q, err)
		}
		if _, term, err := s.Identity(t.Context()); err != nil || term != 1 {
			t.Errorf("%s: term %d, %v", name, term, err)
		}
	}
	s := openIn(t, right, filepath.Join(t.TempDir(), "books.db"))
	if r := commit(t, s, storetest.Batch(1, 1, 4))[0]; r.Through != 4 {
		t.Errorf("without a mistake: %+v", r)
	}
}

func token(to string) func(*influx.Options)    { return func(o *influx.Options) { o.Token = to } }
func inBucket(to string) func(*influx.Options) { return func(o *influx.Options) { o.Bucket = to } }
func path(to string) func(*influx.Options)     { return func(o *influx.Options) { o.URL += to } }

// secured runs an InfluxDB 1.8 that asks for passwords, as an operator sets it up.
func secured(t *testing.T) (url string) {
	t.Helper()
	t.Setenv("INFLUXDB_HTTP_AUTH_ENABLED", "true")
	program, err := influxd.Find()
	must(t, err)
	conf, url, err := influxd.Configure(t.Context(), t.TempDir())
	must(t, err)
	admin := strings.Replace(url, "//", "//admin:pw@", 1)
	s, err := influxd.Run(t.Context(), url, []string{program, "run", "-config", conf},
		func(ctx context.Context) error {
			for ctx.Err() == nil {
				err := influxd.Statement(ctx, url, "CREATE USER admin WITH PASSWORD 'pw' WITH ALL PRIVILEGES")
				if err == nil {
					return influxd.CreateDatabase(ctx, admin)
				}
				select {
				case <-ctx.Done():
				case <-time.After(50 * time.Millisecond):
				}
			}
			return ctx.Err()
		})
	must(t, err)
	t.Cleanup(s.Close)
	for user, right := range map[string]string{"both": "ALL", "reads": "READ", "writes": "WRITE"} {
		must(t, influxd.Statement(t.Context(), admin, "CREATE USER "+user+" WITH PASSWORD 'pw'"))
		must(t, influxd.Statement(t.Context(), admin, "GRANT "+right+" ON "+influxd.Database+" TO "+user))
	}
	return url
}

func TestInflux1SaysWhatToDoAboutAMistake(t *testing.T) {
	right := influx.Options{URL: secured(t), Token: "both:pw", Bucket: influxd.Bucket}
	testMistakes(t, right, map[string]mistake{
		"wrong password":          {token("both:wrong"), "must hold user:password"},
		"unknown user":            {token("nobody:pw"), "must hold user:password"},
		"token of InfluxDB 2":     {token("jXQ9=="), "must hold user:password"},
		"no token":                {token(""), "must hold user:password"},
		"a user that only reads":  {token("reads:pw"), `GRANT ALL ON "gatehouse" TO "reads"`},
		"a user that only writes": {token("writes:pw"), `GRANT ALL ON "gatehouse" TO "writes"`},
		"no such database":        {inBucket("missing/autogen"), `CREATE DATABASE "missing"`},
		"no such policy":          {inBucket("gatehouse/week"), `no retention policy "week"`},
		"a path":                  {path("/influx"), "url ends with the port"},
		"an org":                  {func(o *influx.Options) { o.Org, o.Token = "county", "reads:pw" }, "GRANT ALL"},
	})
}

// Flux is off in InfluxDB 1.8, unless it is set.
func TestInflux1WithoutFlux(t *testing.T) {
	t.Setenv("INFLUXDB_HTTP_FLUX_ENABLED", "false")
	right := influx.Options{URL: server(t), Token: influxd.Token, Bucket: influxd.Bucket}
	s := openIn(t, right, filepath.Join(t.TempDir(), "books.db"))
	_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 1, 4)})
	if err == nil || !strings.Contains(err.Error(), "flux-enabled = true") {
		t.Errorf("error %v", err)
	}
}

// A limit that one agent reaches delays that agent, and the error names the limit.
func TestInflux1AtItsLimits(t *testing.T) {
	t.Setenv("INFLUXDB_DATA_MAX_VALUES_PER_TAG", "2")
	t.Setenv("INFLUXDB_DATA_INDEX_VERSION", "inmem") // which has this limit
	right := influx.Options{URL: server(t), Token: influxd.Token, Bucket: influxd.Bucket}
	s := openIn(t, right, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2), storetest.Batch(2, 1, 2))
	r := commit(t, s, storetest.Batch(1, 3, 4), storetest.Batch(3, 1, 2), storetest.Batch(2, 3, 4))
	if r[0].Through != 4 || r[2].Through != 4 || !r[1].Refused || !strings.Contains(r[1].Why, "max-values-per-tag") {
		t.Errorf("receipts %+v", r)
	}
	if q, err := s.Quarantined(t.Context(), 0); err != nil || len(q) != 0 {
		t.Errorf("quarantine %+v, %v", q, err)
	}
}

func TestWhatDoesNotAnswerAsExpectedSaysWhatToDo(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	plain, secure := httptest.NewServer(h), httptest.NewTLSServer(h)
	defer plain.Close()
	defer secure.Close()
	for url, want := range map[string]string{
		"http://gatehouse.invalid:8086":                  "the name in url",
		strings.Replace(plain.URL, "http:", "https:", 1): "http:// in url",
		secure.URL: "the CA of its certificate",
		strings.Replace(secure.URL, "https:", "http:", 1):       "HTTP request to an HTTPS server",
		strings.Replace(plain.URL, "127.0.0.1", "127.0.0.9", 1): "start it, or correct url",
	} {
		s := openIn(t, influx.Options{URL: url}, filepath.Join(t.TempDir(), "books.db"))
		_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 1, 4)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", url, err, want)
		}
	}
}
