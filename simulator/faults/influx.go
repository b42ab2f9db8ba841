package faults

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/retry"
)

// Answer is how an Influx proxy treats writes. Its zero value passes them on.
type Answer struct {
	Status     int                    // answered instead of writing; 0: write
	RetryAfter int                    // seconds, sent with Status
	Refuse     func(line string) bool // points to refuse; the others of the write are written
	Lose       bool                   // write, but break the connection instead of answering
	Slow       time.Duration          // wait before anything else
	Page       bool                   // answer everything, queries too, with a page and 200
}

// Influx is a proxy in front of a real InfluxDB server. Only writes are changed.
type Influx struct {
	server   *http.Server
	listener net.Listener
	pass     *httputil.ReverseProxy
	done     chan struct{}

	mu     sync.Mutex
	answer Answer
	times  []time.Time // of the writes since the answer was set
}

// NewInflux listens on a loopback port for clients of the server at target.
func NewInflux(ctx context.Context, target string) (*Influx, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("proxy for %s: %w", target, err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("proxy for %s: %w", target, err)
	}
	i := &Influx{
		listener: l,
		done:     make(chan struct{}),
		pass:     &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }},
	}
	i.pass.ErrorLog = log.New(io.Discard, "", 0) // tests stop the server on purpose
	i.server = &http.Server{Handler: http.HandlerFunc(i.serve), ReadHeaderTimeout: time.Minute}
	go func() { defer close(i.done); _ = i.server.Serve(l) }() // ends with Close
	return i, nil
}

// URL returns the address that clients connect to.
func (i *Influx) URL() string { return "http://" + i.listener.Addr().String() }

// Set changes how writes are treated.
func (i *Influx) Set(a Answer) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer, i.times = a, nil
}

// Writes returns the times of the writes since the last Set.
func (i *Influx) Writes() []time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]time.Time(nil), i.times...)
}

// Close ends the proxy.
func (i *Influx) Close() {
	i.server.Close()
	<-i.done
}

func (i *Influx) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	a := i.answer
	write := strings.HasSuffix(r.URL.Path, "/write")
	if write {
		i.times = append(i.times, time.Now())
	}
	i.mu.Unlock()
	switch {
	case a.Page:
		_, _ = io.Copy(io.Discard, r.Body) // the page is the same for every request
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html><title>Maintenance</title></html>")
		return
	case !write:
		i.pass.ServeHTTP(w, r)
		return
	}
	retry.Sleep(r.Context(), a.Slow)
	switch {
	case a.Status != 0:
		if a.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(a.RetryAfter))
		}
		refuse(w, a.Status, "injected fault")
	case a.Refuse != nil:
		i.partly(w, r, a.Refuse)
	case a.Lose:
		i.pass.ServeHTTP(discard{http.Header{}}, r)
		panic(http.ErrAbortHandler) // the connection breaks without an answer
	default:
		i.pass.ServeHTTP(w, r)
	}
}

// partly writes the points that are not refused and answers with the error that
// InfluxDB sends for a partial write.
func (i *Influx) partly(w http.ResponseWriter, r *http.Request, refused func(string) bool) {
	text, err := lines(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	var kept []string
	first := ""
	for _, line := range text {
		switch {
		case !refused(line):
			kept = append(kept, line)
		case first == "":
			first = line
		}
	}
	r.Header.Del("Content-Encoding")
	body := strings.Join(kept, "\n")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	if first == "" {
		i.pass.ServeHTTP(w, r)
		return
	}
	if len(kept) > 0 {
		i.pass.ServeHTTP(discard{http.Header{}}, r)
	}
	refuse(w, http.StatusBadRequest, fmt.Sprintf("partial write: field type conflict: %.60s dropped=1", first))
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("X-Influxdb-Version", "1.8.10") // of every answer of an InfluxDB
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"code":"refused","message":%q,"error":%q}`, text, text)
}

// lines returns the points of a write, a line each.
func lines(r *http.Request) ([]string, error) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		defer z.Close()
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range bytes.Lines(b) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out = append(out, string(line))
		}
	}
	return out, nil
}

// discard is a ResponseWriter that drops the response.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)               {}
