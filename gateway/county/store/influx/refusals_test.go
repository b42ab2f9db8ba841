package influx_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/testkit/storetest"
)

// proxy forwards requests to a real InfluxDB, except for those that the test
// answers itself.
type proxy struct {
	options influx.Options // of a store behind it
	forward http.Handler   // to the InfluxDB
	answer  atomic.Pointer[answer]
}

// answer answers a request, or returns false to forward it.
type answer func(w http.ResponseWriter, r *http.Request) bool

// newProxy returns a proxy before the InfluxDB of o.
func newProxy(t *testing.T, o influx.Options) *proxy {
	t.Helper()
	target, err := url.Parse(o.URL)
	must(t, err)
	f := &proxy{options: o, forward: httputil.NewSingleHostReverseProxy(target)}
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer := f.answer.Load(); answer != nil && (*answer)(w, r) {
			return
		}
		f.forward.ServeHTTP(w, r)
	}))
	t.Cleanup(ts.Close)
	f.options.URL = ts.URL
	return f
}

// answerWith lets a answer the writes, which it is given as text.
func (f *proxy) answerWith(t *testing.T, a func(w http.ResponseWriter, body string) bool) {
	t.Helper()
	all := answer(func(w http.ResponseWriter, r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/write") && a(w, readBody(t, r))
	})
	f.answer.Store(&all)
}

// answerAll lets h answer the requests whose path ends with end.
func (f *proxy) answerAll(end string, h http.Handler) {
	all := answer(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, end) {
			return false
		}
		h.ServeHTTP(w, r)
		return true
	})
	f.answer.Store(&all)
}

func (f *proxy) forwardAll() { f.answer.Store(nil) }

// refuse answers every write with an error.
func (f *proxy) refuse(t *testing.T, status int, retryAfter, message string) {
	t.Helper()
	f.answerWith(t, func(w http.ResponseWriter, _ string) bool {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.Header().Set("X-Influxdb-Version", "1.8.10")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"code":"invalid","message":%q}`, message)
		return true
	})
}

func testADatabaseThatIsNotReadyPutsNothingInQuarantine(t *testing.T, b bucket) {
	f := newProxy(t, b.options())
	s := openIn(t, f.options, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	for _, c := range []struct {
		status       int
		header, want string
		after        time.Duration
	}{
		{401, "", "token_file", 0}, {403, "", "may not", 0}, {404, "", "this path", 0},
		{429, "7", "429", 7 * time.Second}, {503, "", "503", 0}, {500, "", "500", 0},
	} {
		f.refuse(t, c.status, c.header, "no")
		_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 3, 4)})
		if err == nil || errors.Is(err, store.ErrFault) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d gives %v, want %q in it", c.status, err, c.want)
		}
		var later interface{ RetryAfter() time.Duration }
		if errors.As(err, &later) != (c.after > 0) || c.after > 0 && later.RetryAfter() != c.after {
			t.Errorf("%d with Retry-After %q gives %v", c.status, c.header, err)
		}
	}
	f.forwardAll()
	if q, err := s.Quarantined(t.Context(), 0); err != nil || len(q) != 0 {
		t.Fatalf("quarantine %+v, %v", q, err)
	}
	if r := commit(t, s, storetest.Batch(1, 3, 4))[0]; r.Through != 4 {
		t.Fatalf("receipt %+v", r)
	}
}

func TestADatabaseThatDoesNotAnswerIsNotTakenForAWipedOne(t *testing.T) {
	nobody, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := openIn(t, influx.Options{URL: "http://" + nobody}, filepath.Join(t.TempDir(), "books.db"))
	_, err = s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 1, 2)})
	if err == nil || !strings.Contains(err.Error(), "does not answer: start it, or correct url") {
		t.Fatalf("error is %v", err)
	}
	if _, term, err := s.Identity(t.Context()); err != nil || term != 1 {
		t.Fatalf("term %d, %v", term, err)
	}
}

func testAPointThatIsRefusedGoesToQuarantineAndTheOthersAreStored(t *testing.T, b bucket) {
	f := newProxy(t, b.options())
	s := openIn(t, f.options, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	for i, status := range []int{400, 413, 422} {
		f.answerWith(t, func(w http.ResponseWriter, body string) bool {
			if !strings.Contains(body, "seq=5i") {
				return false
			}
			w.Header().Set("X-Influxdb-Version", "1.8.10")
			w.WriteHeader(status)
			fmt.Fprint(w, `{"code":"invalid","message":"partial write: field type conflict dropped=1"}`)
			return true
		})
		r := commit(t, s, storetest.Batch(i+2, 1, 64))[0] // each in a journal of its own
		if r.Through != 64 || len(r.Rejected) != 1 || r.Rejected[0].Seq != 5 || r.New != 63 {
			t.Errorf("%d: receipt %+v", status, r)
		}
		f.forwardAll()
	}
	q, err := s.Quarantined(t.Context(), 0)
	if err != nil || len(q) != 3 || !strings.Contains(q[0].Reason, "field type conflict") {
		t.Fatalf("quarantine %+v, %v", q, err)
	}
}

func testADatabaseThatRefusesEverythingIsAtFault(t *testing.T, b bucket) {
	f := newProxy(t, b.options())
	s := openIn(t, f.options, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	for _, message := range []string{
		"partial write: max-series-per-database limit exceeded",
		"anything",
	} {
		f.refuse(t, 422, "", message)
		_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 3, 200)})
		if !errors.Is(err, store.ErrFault) {
			t.Errorf("%q gives %v", message, err)
		}
	}
	f.forwardAll()
	if q, err := s.Quarantined(t.Context(), 0); err != nil || len(q) != 0 {
		t.Fatalf("%d rows in quarantine, %v", len(q), err)
	}
	if p, err := s.Position(t.Context(), storetest.JID(1)); err != nil || p.Through != 2 {
		t.Fatalf("position %+v, %v", p, err)
	}
}

// An answer may be lost, come too late, or be cut, while what was written is stored:
// nothing is acknowledged, and the same points are written again.
func testLateAnswer(t *testing.T, b bucket) {
	f := newProxy(t, b.options())
	s := openIn(t, f.options, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	through := uint64(2)
	for name, lose := range map[string]func(http.ResponseWriter, *http.Request){
		"lost": func(w http.ResponseWriter, _ *http.Request) { hangUp(w) },
		"late": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"half": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Influxdb-Version", "v2.7.12")
			w.Header().Set("Content-Type", "text/csv")
			fmt.Fprint(w, ",result,table,_value\r\n\r\n") // a chunk, and no end
			hangUp(w)
		},
	} {
		for _, path := range []string{"/write", "/query"} {
			f.answerAll(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				f.forward.ServeHTTP(httptest.NewRecorder(), r)
				lose(w, r)
			}))
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			_, err := s.Commit(ctx, []store.Batch{storetest.Batch(1, through+1, through+4)})
			cancel()
			if err == nil {
				t.Errorf("%s, %s: it is taken for a commit", name, path)
			}
			f.forwardAll()
			if p, err := s.Position(t.Context(), storetest.JID(1)); err != nil || p.Through != through {
				t.Errorf("%s, %s: position %+v, %v", name, path, p, err)
			}
			through += 4
			_, _ = s.Commit(t.Context(), nil) // a connection that ended may be found out now
			if r := commit(t, s, storetest.Batch(1, through-3, through))[0]; r.Through != through || r.New != 4 {
				t.Errorf("%s, %s: receipt %+v", name, path, r)
			}
			if n := count(t, s); n != int(through) {
				t.Errorf("%s, %s: %d rows, want %d", name, path, n, through)
			}
		}
	}
}

// hangUp ends the connection.
func hangUp(w http.ResponseWriter) {
	if f, is := w.(http.Flusher); is {
		f.Flush()
	}
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		conn.Close()
	}
}

func readBody(t *testing.T, r *http.Request) string {
	t.Helper()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	if r.Header.Get("Content-Encoding") != "gzip" {
		return string(raw)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Error(err)
		return ""
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}
