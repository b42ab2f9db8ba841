package influx

import (
	"bytes"
	"errors"
	"fmt"
	"gatehouse/gateway/proxied"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Headers of which every answer of an InfluxDB has one or both, from 1.0 to 2.x: some
// releases of 2.0 have an empty version, InfluxDB Cloud has a build.
const (
	headerVersion = "X-Influxdb-Version"
	headerBuild   = "X-Influxdb-Build"
)

// ofInflux reports whether an answer has a header of InfluxDB.
func ofInflux(res *http.Response) bool {
	return len(res.Header.Values(headerVersion))+len(res.Header.Values(headerBuild)) > 0
}

// Bounds of what is read of an answer that is an error, and shown of one that is
// no answer of an InfluxDB.
const (
	mostOfError = 16 << 10
	mostOfPage  = 4 << 10
	mostShown   = 120
)

// answers is an http.RoundTripper that passes on the answers of an InfluxDB only:
// a write is done at 204, a query at 200 with all of its result, both with
// InfluxDB's own header. Instead of InfluxDB a proxy may answer, with a page of
// its own and any status; that is a *stranger. The client of InfluxDB would take
// any status from 200 to 299 for a success.
type answers struct{ next http.RoundTripper }

func newHTTPClient(through proxied.Finder) *http.Client {
	t := &http.Transport{
		Proxy:               func(r *http.Request) (*url.URL, error) { return through(r.URL) },
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     90 * time.Second,
	}
	return &http.Client{Timeout: requestTimeout, Transport: answers{t}}
}

// RoundTrip implements http.RoundTripper.
func (a answers) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Del("Accept-Encoding") // the transport asks for gzip, and unpacks it
	res, err := a.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	own := ofInflux(res)
	if own && res.StatusCode >= 400 {
		res.Body = bounded{io.LimitReader(res.Body, mostOfError), res.Body}
		return res, nil
	}
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case !own:
	case strings.HasSuffix(req.URL.Path, "/write"):
		if res.StatusCode == http.StatusNoContent {
			return res, nil
		}
	case strings.HasSuffix(req.URL.Path, "/api/v2/query"):
		if res.StatusCode == http.StatusOK && (media == "text/csv" || media == "application/csv") {
			res.Body = &wholeCSV{ReadCloser: res.Body}
			return res, nil
		}
	case res.StatusCode == http.StatusOK && media == "application/json":
		return res, nil
	}
	defer res.Body.Close()
	return nil, newStranger(res, media)
}

// bounded reads a part of a body and closes all of it.
type bounded struct {
	io.Reader
	io.Closer
}

// stranger is an answer that is not an InfluxDB's.
type stranger struct {
	status int
	text   string // what came
	after  time.Duration
}

func (s *stranger) Error() string { return s.text }

// newStranger describes an answer in one line.
func newStranger(res *http.Response, media string) *stranger {
	s := &stranger{status: res.StatusCode}
	if n, err := strconv.ParseUint(res.Header.Get("Retry-After"), 10, 16); err == nil {
		s.after = time.Duration(n) * time.Second
	}
	if to := res.Header.Get("Location"); to != "" && res.StatusCode/100 == 3 {
		to, _, _ = strings.Cut(to, "?")
		for _, end := range []string{"/api/v2/", "/query", "/write"} {
			to, _, _ = strings.Cut(to, end)
		}
		s.text = fmt.Sprintf("%s is a redirect to %.200s: put that address into url if it is the InfluxDB's",
			res.Status, to)
		return s
	}
	s.text = "what answers there is not an InfluxDB, or a proxy answers in its place: " + res.Status
	if ofInflux(res) {
		s.text = "InfluxDB answers with something else, url must be its address and nothing more: " + res.Status
	}
	if media != "" {
		s.text += ", " + media
	}
	if by := res.Header.Get("Server"); by != "" {
		s.text += fmt.Sprintf(", by %.40q", by)
	}
	if !ofInflux(res) {
		s.text += ", without the header " + headerVersion
		if media != "text/html" && res.StatusCode < http.StatusMultipleChoices {
			s.text += " (if a proxy before an InfluxDB removes it, let it pass; InfluxDB 2.0 must be updated)"
		}
	}
	page, _ := io.ReadAll(io.LimitReader(res.Body, mostOfPage)) // what came before an error is shown
	if words := wordsOf(page); words != "" {
		s.text += fmt.Sprintf(": %q", words)
	}
	return s
}

var (
	htmlHead = regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)>`)
	htmlTag  = regexp.MustCompile(`(?s)<[^>]*>?`)
)

// wordsOf returns the first words of a page, without the tags of HTML.
func wordsOf(page []byte) string {
	page = htmlTag.ReplaceAll(htmlHead.ReplaceAll(page, []byte(" ")), []byte(" "))
	text := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(string(page), "\uFFFD")), " "))
	if len(text) > mostShown {
		return string(text[:mostShown]) + "…"
	}
	return string(text)
}

// wholeCSV fails at the end of a Flux result that is not whole: each table ends
// with an empty line, and a result without tables is one.
type wholeCSV struct {
	io.ReadCloser
	last []byte // the last 4 bytes read
}

var errCut = errors.New("the answer to a query ends in the middle: something on the way has cut it")

// Read implements io.Reader.
func (w *wholeCSV) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.last = append(w.last, p[max(0, n-4):n]...)
	w.last = w.last[max(0, len(w.last)-4):]
	if err == io.EOF && !bytes.Equal(w.last, []byte("\r\n")) && !bytes.Equal(w.last, []byte("\r\n\r\n")) {
		return n, errCut
	}
	return n, err
}
