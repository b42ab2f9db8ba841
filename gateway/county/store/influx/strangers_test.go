package influx_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/testkit/storetest"
)

// page is an answer of somebody who is not an InfluxDB.
type page struct {
	name    string
	status  int
	headers map[string]string
	body    string
	want    string // in the error
}

const maintenance = "<!DOCTYPE html><html><head><title>维护中</title><style>p{}</style></head>" +
	"<body><p>Back soon</p></body></html>"

func pages() []page {
	html := map[string]string{"Content-Type": "text/html; charset=utf-8", "Server": "nginx"}
	at := func(to string) map[string]string { return map[string]string{"Location": to} }
	return []page{
		{"a page", 200, html, maintenance, "not an InfluxDB"},
		{"what the page says", 200, html, maintenance, "维护中 Back soon"},
		{"a page that says it is CSV", 200, map[string]string{"Content-Type": "text/csv"}, "\r\n", "X-Influxdb"},
		{"nothing", 200, nil, "", "200 OK"},
		{"no content of somebody else", 204, nil, "", "without the header X-Influxdb-Version"},
		{"accepted", 202, map[string]string{"X-Influxdb-Version": "1.8"}, "{}", "202 Accepted"},
		{"JSON of a portal", 200, map[string]string{"Content-Type": "application/json"}, `{"login":true}`, "login"},
		{"301", 301, at("https://tsdb.example:8086/api/v2/write?org=&bucket=x"), "", "https://tsdb.example:8086: put"},
		{"302", 302, at("http://portal.example/login?from=x"), "", "http://portal.example/login: put"},
		{"303", 303, at("/login"), "", "a redirect to /login"},
		{"307", 307, at("https://b.example/api/v2/query?org="), "", "https://b.example: put"},
		{"308", 308, at("https://b.example/influx/api/v2/write"), maintenance, "https://b.example/influx: put"},
		{"a proxy without a server", 502, html, maintenance, "502 Bad Gateway"},
		{"a proxy that knows no such path", 404, html, maintenance, "404 Not Found"},
		{"a proxy that takes it for a bad request", 400, html, maintenance, "400 Bad Request"},
		{"a proxy that wants a password", 401, html, maintenance, "by \"nginx\""},
	}
}

// ServeHTTP answers everything with the page.
func (p page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the answer is the same in any case
	for k, v := range p.headers {
		w.Header().Set(k, v)
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && p.body != "" {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(p.status)
		z := gzip.NewWriter(w)
		defer z.Close()
		fmt.Fprint(z, p.body)
		return
	}
	w.WriteHeader(p.status)
}

// Behind a proxy whatever answers in InfluxDB's place changes nothing: no
// marker, no term, no watermark, no row in quarantine.
func testWhatIsNotAnInfluxDBTakesNothing(t *testing.T, b bucket) {
	f := newProxy(t, b.options())
	s := openIn(t, f.options, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	for _, p := range pages() {
		for _, paths := range []string{"/write", "/query", ""} { // what the page answers
			f.answerAll(paths, p)
			_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 3, 4)})
			if err == nil || errors.Is(err, store.ErrFault) || !strings.Contains(err.Error(), p.want) {
				t.Errorf("%s at %q: error %v, want %q in it", p.name, paths, err, p.want)
			}
			if err != nil && len(err.Error()) > 800 {
				t.Errorf("%s: the error has %d characters", p.name, len(err.Error()))
			}
		}
		for _, err := range s.Rows(t.Context(), store.Query{}) {
			if err == nil {
				t.Errorf("%s: rows", p.name)
			}
		}
	}
	f.forwardAll()
	if _, term, err := s.Identity(t.Context()); err != nil || term != 1 {
		t.Fatalf("term %d, %v", term, err)
	}
	if q, err := s.Quarantined(t.Context(), 0); err != nil || len(q) != 0 {
		t.Fatalf("quarantine %+v, %v", q, err)
	}
	if r := commit(t, s, storetest.Batch(1, 3, 4))[0]; r.Gap || r.Through != 4 || count(t, s) != 4 {
		t.Fatalf("receipt %+v, %d rows", r, count(t, s))
	}
}

func TestANewStoreBehindAPageBeginsNothing(t *testing.T) {
	for _, p := range pages() {
		ts := httptest.NewServer(p)
		s := openIn(t, influx.Options{URL: ts.URL}, filepath.Join(t.TempDir(), "books.db"))
		if _, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 1, 4)}); err == nil {
			t.Errorf("%s: committed", p.name)
		}
		if marker, err := s.Marker(t.Context()); marker != "" || err != nil {
			t.Errorf("%s: marker %q, %v", p.name, marker, err)
		}
		ts.Close()
	}
}

// A proxy may cut an answer short, so that a marker seems to be missing.
func testAnAnswerThatWasCutIsNotTakenForAnEmptyDatabase(t *testing.T, b bucket) {
	f := newProxy(t, b.options())
	s := openIn(t, f.options, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	for _, body := range []string{"", "#datatype,string,long\r\n#group,false,false\r\n", "\r", ",result,table\r\n"} {
		f.answerAll("/query", page{status: 200, body: body,
			headers: map[string]string{"Content-Type": "text/csv; charset=utf-8", "X-Influxdb-Version": "1.8.10"}})
		if _, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 3, 4)}); err == nil {
			t.Errorf("%q is taken for an answer", body)
		}
	}
	f.forwardAll()
	if _, term, err := s.Identity(t.Context()); err != nil || term != 1 {
		t.Errorf("term %d, %v", term, err)
	}
}

// A proxy that stores writes elsewhere, or nowhere, answers as InfluxDB does.
func testAMarkerCountsWhenItWasReadBack(t *testing.T, b bucket) {
	f := newProxy(t, b.options())
	s := openIn(t, f.options, filepath.Join(t.TempDir(), "books.db"))
	f.answerAll("/write", page{status: 204, headers: map[string]string{"X-Influxdb-Version": "1.8.10"}})
	_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 1, 4)})
	if err == nil || !strings.Contains(err.Error(), "can't be read back") {
		t.Fatalf("error %v", err)
	}
	if marker, err := s.Marker(t.Context()); marker != "" || err != nil {
		t.Errorf("marker %q, %v", marker, err)
	}
	f.forwardAll()
	if r := commit(t, s, storetest.Batch(1, 1, 4))[0]; r.Through != 4 || count(t, s) != 4 {
		t.Errorf("receipt %+v, %d rows", r, count(t, s))
	}
}

// A proxy may remove InfluxDB's headers: one of the two is enough, and without both
// the error says which.
func testHeaders(t *testing.T, b bucket) {
	f := newProxy(t, b.options())
	s := openIn(t, f.options, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	through := uint64(2)
	for name, c := range map[string]struct {
		change func(http.Header)
		says   string // empty: it commits
	}{
		"no version":       {func(h http.Header) { h.Del("X-Influxdb-Version") }, ""},
		"an empty version": {func(h http.Header) { h.Set("X-Influxdb-Version", ""); h.Del("X-Influxdb-Build") }, ""},
		"of the cloud": {func(h http.Header) {
			h.Del("X-Influxdb-Version")
			h.Set("X-Influxdb-Build", "Cloud")
		}, ""},
		"neither": {func(h http.Header) {
			h.Del("X-Influxdb-Version")
			h.Del("X-Influxdb-Build")
		}, "let it pass"},
	} {
		f.answerAll("", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			real := httptest.NewRecorder()
			f.forward.ServeHTTP(real, r)
			for k, v := range real.Header() {
				w.Header()[k] = v
			}
			c.change(w.Header())
			w.WriteHeader(real.Code)
			_, _ = real.Body.WriteTo(w) // what does not arrive is an error there
		}))
		r, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, through+1, through+2)})
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q in it", name, err, c.says)
			}
		case err != nil || r[0].Through != through+2:
			t.Errorf("%s: %+v, %v", name, r, err)
		default:
			through += 2
		}
	}
}
