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
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// server runs a real influxd until the test ends.
func server(t testing.TB) string {
	t.Helper()
	path, err := influxd.Find()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // another program may take the port before the server does
		conf, url, err := influxd.Configure(t.Context(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		cmd := exec.Command(path, "run", "-config", conf)
		cmd.Stdout, cmd.Stderr = &said, &said
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ctx, ended := context.WithTimeout(context.Background(), 30*time.Second)
		gone := make(chan struct{})
		go func() { defer close(gone); _ = cmd.Wait(); ended() }() // how it ended it says itself
		stop := func() { _ = cmd.Process.Kill(); <-gone }
		t.Cleanup(stop)
		if err := influxd.CreateDatabase(ctx, url); err == nil {
			return url
		}
		stop()
		t.Logf("influxd did not come up at %s:\n%s", url, said.Bytes())
	}
	t.Fatal("influxd did not come up")
	return ""
}

func open(t testing.TB, url, books string) *archive.Archive {
	t.Helper()
	s, err := archive.OpenInflux(books, influx.Options{URL: url, Token: influxd.Token, Bucket: influxd.Bucket,
		County: filepath.Base(filepath.Dir(books)), CheckEvery: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func opened(a *archive.Archive) storetest.Opened {
	return storetest.Opened{Store: a.Store, Books: a.Books}
}

func TestStore(t *testing.T) {
	url := server(t)
	storetest.Run(t, func(t *testing.T) (storetest.Opened, func() storetest.Opened) {
		books := filepath.Join(t.TempDir(), strings.ReplaceAll(t.Name(), "/", "_"), "books.db")
		if err := os.MkdirAll(filepath.Dir(books), 0o700); err != nil {
			t.Fatal(err)
		}
		s := open(t, url, books)
		return opened(s), func() storetest.Opened {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return opened(open(t, url, books))
		}
	})
}

func TestACrashBetweenPointsAndBooksRewritesThemIdentically(t *testing.T) {
	url := server(t)
	books := filepath.Join(t.TempDir(), "books.db")
	s := open(t, url, books)
	commit(t, s, storetest.Batch(1, 1, 2))
	s.Close()
	backup, err := os.ReadFile(books) // the books before the crash; closing left no WAL
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, url, books)
	commit(t, s, storetest.Batch(1, 3, 8)) // points and books
	s.Close()
	if err := os.WriteFile(books, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, url, books) // points, and no books of them
	if r := commit(t, s, storetest.Batch(1, 3, 8))[0]; r.Through != 8 || len(r.Rejected) != 0 {
		t.Fatalf("receipt %+v", r)
	}
	if n := count(t, s); n != 8 {
		t.Fatalf("%d rows after the rewrite", n)
	}
}

func TestAWipedDatabaseBeginsANewTermAndAsksForEverything(t *testing.T) {
	url := server(t)
	s := open(t, url, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 4))
	_, before, _ := s.Identity(t.Context())
	if err := influxd.DropDatabase(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if err := influxd.CreateDatabase(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if r := commit(t, s, storetest.Batch(1, 5, 6))[0]; !r.Gap || r.Through != 0 {
		t.Fatalf("after the wipe a later batch gives %+v", r)
	}
	if _, after, _ := s.Identity(t.Context()); after <= before {
		t.Fatalf("the term is %d, it was %d", after, before)
	}
	if r := commit(t, s, storetest.Batch(1, 1, 6))[0]; r.Through != 6 || count(t, s) != 6 {
		t.Fatalf("replayed: %+v, %d rows", r, count(t, s))
	}
}

// The marker of a database that was restored from a backup is the right one, and
// what came after the backup is missing: only somebody who knows can say so.
func TestADatabaseOutOfABackupGetsWhatItLacksAfterARewind(t *testing.T) {
	url := server(t)
	s := open(t, url, filepath.Join(t.TempDir(), "books.db"))
	at := func(d time.Duration, from, to uint64) store.Batch {
		b := storetest.Batch(1, from, to)
		b.Received = storetest.T0.Add(d)
		return b
	}
	reports := storetest.Batch(2, 1, 3) // nobody sends these again
	sent := []store.Batch{at(0, 1, 4), at(2*time.Hour, 5, 8), at(2*time.Hour+time.Minute, 9, 12)}
	for _, b := range append(sent, reports) {
		commit(t, s, b)
	}
	since := storetest.Entry(5, storetest.Reading(3600)).Record.At.Format(time.RFC3339Nano)
	if err := influxd.Delete(t.Context(), url, "time >= '"+since+"' AND agent = 'gate-001'"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); n != 7 {
		t.Fatalf("the backup has %d rows", n)
	}
	if commit(t, s, sent...); count(t, s) != 7 {
		t.Fatal("what is in the books was written again: this test proves nothing")
	}
	n, err := s.Rewind(t.Context(), storetest.T0.Add(2*time.Hour+30*time.Second), func(p store.Position) bool { return p.Agent == "gate-002" })
	if err != nil || n != 1 {
		t.Fatalf("%d journals were taken back, %v", n, err)
	}
	if r := commit(t, s, sent[2])[0]; !r.Gap || r.Through != 4 {
		t.Fatalf("a later batch gives %+v", r)
	}
	for _, r := range commit(t, s, sent...) {
		if r.Gap || len(r.Rejected) != 0 {
			t.Fatalf("sent again: %+v", r)
		}
	}
	if pos, err := s.Position(t.Context(), storetest.JID(2)); err != nil || pos.Through != 3 || count(t, s) != 15 {
		t.Fatalf("the reports are at %d, %v; %d rows", pos.Through, err, count(t, s))
	}
}

func commit(t testing.TB, s store.Store, batches ...store.Batch) []store.Receipt {
	t.Helper()
	r, err := s.Commit(context.Background(), batches)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func count(t testing.TB, s store.Store) (n int) {
	t.Helper()
	for _, err := range s.Rows(context.Background(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// front stands before a real influxd and answers writes as the test says.
type front struct {
	url     string
	answer  atomic.Pointer[func(w http.ResponseWriter, r *http.Request, body string) bool] // true: answered
	refused atomic.Int64
}

func newFront(t *testing.T) *front {
	t.Helper()
	target, err := url.Parse(server(t))
	if err != nil {
		t.Fatal(err)
	}
	f := &front{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer := f.answer.Load(); answer != nil && strings.HasSuffix(r.URL.Path, "/write") {
			if (*answer)(w, r, readBody(t, r)) {
				f.refused.Add(1)
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(ts.Close)
	f.url = ts.URL
	return f
}

func (f *front) answers(status int, header, message string) {
	a := func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if header != "" {
			w.Header().Set("Retry-After", header)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"code":"invalid","message":%q}`, message)
		return true
	}
	f.answer.Store(&a)
}

func TestADatabaseThatIsNotReadyIsTriedAgainAndNothingIsQuarantined(t *testing.T) {
	f := newFront(t)
	s := open(t, f.url, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	for _, c := range []struct {
		status       int
		header, want string
		after        time.Duration
	}{
		{401, "", "token_file", 0}, {403, "", "token_file", 0}, {404, "", "create the database", 0},
		{429, "7", "429", 7 * time.Second}, {503, "", "503", 0}, {500, "", "500", 0},
	} {
		f.answers(c.status, c.header, "no")
		_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 3, 4)})
		if err == nil || errors.Is(err, store.ErrFault) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d gives %v, want %q in it", c.status, err, c.want)
		}
		var later interface{ RetryAfter() time.Duration }
		if errors.As(err, &later) != (c.after > 0) || c.after > 0 && later.RetryAfter() != c.after {
			t.Errorf("%d with Retry-After %q gives %v", c.status, c.header, err)
		}
	}
	f.answer.Store(nil)
	if q, err := s.Quarantined(t.Context(), 0); err != nil || len(q) != 0 {
		t.Fatalf("quarantine %+v, %v", q, err)
	}
	if r := commit(t, s, storetest.Batch(1, 3, 4))[0]; r.Through != 4 {
		t.Fatalf("receipt %+v", r)
	}
}

func TestADatabaseThatIsDownSaysSo(t *testing.T) {
	nobody, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, "http://"+nobody, filepath.Join(t.TempDir(), "books.db"))
	_, err = s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 1, 2)})
	if err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Fatalf("error is %v", err)
	}
	if _, term, err := s.Identity(t.Context()); err != nil || term != 1 {
		t.Fatalf("a database that is down was held to be wiped: term %d, %v", term, err)
	}
}

func TestALoneOffenderGoesToQuarantineAndTheRestIsStored(t *testing.T) {
	f := newFront(t)
	s := open(t, f.url, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	for _, status := range []int{400, 413, 422} {
		n := status // each in a journal of its own
		offends := "seq=5i"
		refuse := func(w http.ResponseWriter, _ *http.Request, body string) bool {
			if !strings.Contains(body, offends) {
				return false
			}
			w.WriteHeader(status)
			fmt.Fprint(w, `{"code":"invalid","message":"partial write: field type conflict dropped=1"}`)
			return true
		}
		f.answer.Store(&refuse)
		r := commit(t, s, storetest.Batch(n%7+2, 1, 64))[0]
		if r.Through != 64 || len(r.Rejected) != 1 || r.Rejected[0].Seq != 5 || r.New != 63 {
			t.Errorf("%d: receipt %+v", status, r)
		}
		f.answer.Store(nil)
	}
	if q, err := s.Quarantined(t.Context(), 0); err != nil || len(q) != 3 || !strings.Contains(q[0].Reason, "field type conflict") {
		t.Fatalf("quarantine %+v, %v", q, err)
	}
}

func TestLimitsAndManyOffendersAreTheStoresFault(t *testing.T) {
	f := newFront(t)
	s := open(t, f.url, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	for _, message := range []string{"partial write: max-series-per-database limit exceeded", "partial write: points beyond retention policy dropped=1", "anything"} {
		f.answers(422, "", message)
		_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 3, 200)})
		if !errors.Is(err, store.ErrFault) {
			t.Errorf("%q gives %v", message, err)
		}
	}
	f.answer.Store(nil)
	if q, err := s.Quarantined(t.Context(), 0); err != nil || len(q) != 0 {
		t.Fatalf("quarantine %+v, %v", q, err)
	}
	if p, err := s.Position(t.Context(), storetest.JID(1)); err != nil || p.Through != 2 {
		t.Fatalf("position %+v, %v", p, err)
	}
}

func TestAnAnswerThatIsLostCostsARewrite(t *testing.T) {
	f := newFront(t)
	s := open(t, f.url, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	drop := func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
		return true
	}
	f.answer.Store(&drop)
	if _, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 3, 8)}); err == nil {
		t.Fatal("a lost answer is taken for a commit")
	}
	f.answer.Store(nil)
	commit(t, s, storetest.Batch(1, 3, 8))
	if n := count(t, s); n != 8 {
		t.Fatalf("%d rows", n)
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

func TestCredentialsAreNeverTags(t *testing.T) {
	url := server(t)
	s := open(t, url, filepath.Join(t.TempDir(), "books.db"))
	b := storetest.Batch(1, 1, 2)
	b.Entries[0] = storetest.Entry(1, &wire.Reading{Device: "r", Model: "m", Type: fact.ReadingCard, Credential: "k-secret", BootID: "b"})
	commit(t, s, b)
	res, err := http.Get(url + "/query?db=" + influxd.Database + "&q=SHOW+SERIES")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text := make([]byte, 1<<16)
	n, _ := res.Body.Read(text)
	if series := string(text[:n]); strings.Contains(series, "k-") || !strings.Contains(series, "card_reading") {
		t.Fatalf("series: %s", series)
	}
}
