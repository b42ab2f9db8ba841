package influx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/klauspost/compress/gzip"

	"gatehouse/gateway/county/store"
)

// poster writes lines to the database.
type poster struct {
	http influxhttp.Service
	to   string // the URL
	zip  bool   // the database is not on this computer
}

func newPoster(o Options, service influxhttp.Service) poster {
	p := poster{http: service, zip: true}
	p.to = service.ServerAPIURL() + "write?" + url.Values{"org": {o.Org}, "bucket": {o.Bucket},
		"precision": {"ns"}}.Encode()
	if u, err := url.Parse(o.URL); err == nil {
		host := u.Hostname()
		p.zip = host != "localhost" && host != "::1" && !strings.HasPrefix(host, "127.")
	}
	return p
}

func (p poster) post(ctx context.Context, body []byte) error {
	packed := body
	if p.zip {
		var buf bytes.Buffer
		z, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
		if err == nil {
			_, err = z.Write(body)
		}
		if err == nil {
			err = z.Close()
		}
		if err != nil {
			return fmt.Errorf("compress points: %w", err)
		}
		packed = buf.Bytes()
	}
	err := p.http.DoPostRequest(ctx, p.to, bytes.NewReader(packed), func(r *http.Request) {
		if p.zip {
			r.Header.Set("Content-Encoding", "gzip")
		}
	}, nil)
	if err != nil { // not a nil pointer in an interface
		return err
	}
	return nil
}

// refusal says why the database refuses a point.
type refusal struct {
	text      string
	retention bool // it is older than the bucket keeps it
}

// writing writes points. It finds those because of which a write is refused
// without the server's message: versions differ in what they store of a partial
// write and in which point they name.
type writing struct {
	s       *Store
	ctx     context.Context
	points  *lines
	owners  []owner           // of the points
	refused map[int]refusal   // by index of the point
	held    map[string]string // agents of which nothing more is written, and why
	count   map[string]int    // refused points that are not too old, by agent
}

// owner says whose a point is.
type owner struct {
	agent string
	at    time.Time // the point's
}

// mostRefused is how many points of an agent may be refused in one commit: beyond
// that its batches wait. They belong into quarantine otherwise.
const mostRefused = 3

func (s *Store) write(ctx context.Context, points *lines, owners []owner) (*writing, error) {
	w := &writing{s: s, ctx: ctx, points: points, owners: owners, refused: map[int]refusal{},
		held: map[string]string{}, count: map[string]int{}}
	if err := w.all(); err != nil {
		return nil, err
	}
	if len(w.held) > 0 {
		return w, s.takes(ctx)
	}
	return w, nil
}

// takes fails with store.ErrFault when the database takes nothing at all, not even
// the marker.
func (s *Store) takes(ctx context.Context) error {
	want, err := s.books.Marker(ctx)
	if err != nil {
		return err
	}
	err = s.renewMarker(ctx, want, s.opts.Now(), marker{written: s.marked})
	if e := statusOf(err); e != nil && refusesContent(e) {
		return fmt.Errorf("%w: InfluxDB refuses to take more, raise its limit or free room: %w", store.ErrFault, err)
	}
	return err
}

// apart is how many points are written in two posts at the same time, or more: the
// server works on one with one processor.
const apart = 1000

// all writes all points.
func (w *writing) all() error {
	n := w.points.len()
	if n < apart {
		return w.try(0, n)
	}
	second := make(chan error, 1)
	go func() { second <- w.s.poster.post(w.ctx, w.points.bytes(n/2, n)) }()
	errs := [2]error{w.s.poster.post(w.ctx, w.points.bytes(0, n/2)), <-second}
	for i, err := range errs {
		if err == nil {
			continue
		}
		// Once more, with a look at what is refused: points that are written again change
		// nothing.
		if err := w.try(i*(n/2), n/2+i*(n-n/2)); err != nil {
			return err
		}
	}
	return nil
}

// try writes the points from first to before end that are not refused yet.
func (w *writing) try(first, end int) error {
	body, n := w.body(first, end)
	if n == 0 {
		return nil
	}
	err := w.s.poster.post(w.ctx, body)
	if err == nil {
		return nil
	}
	text, content := whyRefused(err)
	switch {
	case !content:
		return w.s.explain(w.ctx, err)
	case n == 1 || dropped(text) == n:
		for i := first; i < end; i++ {
			w.refuse(i, text)
		}
		return nil
	}
	half := (first + end) / 2
	if err := w.try(first, half); err != nil {
		return err
	}
	return w.try(half, end)
}

// body returns the lines from first to before end, and their number, without those
// that are refused or whose agents wait.
func (w *writing) body(first, end int) (body []byte, n int) {
	if len(w.refused) == 0 && len(w.held) == 0 {
		return w.points.bytes(first, end), end - first
	}
	for i := first; i < end; i++ {
		if !w.skips(i) {
			body = append(body, w.points.bytes(i, i+1)...)
			n++
		}
	}
	return body, n
}

func (w *writing) skips(i int) bool {
	_, refused := w.refused[i]
	return refused || w.held[w.owners[i].agent] != ""
}

func (w *writing) refuse(i int, text string) {
	if w.skips(i) {
		return
	}
	agent, lower := w.owners[i].agent, strings.ToLower(text)
	switch {
	case limits(lower):
		w.held[agent] = "InfluxDB refuses its records, raise the limit or free room: " + text
		return
	case tooOld(lower):
		w.s.keeps.stale = true
		w.s.LookAtRetention(w.ctx)
		if w.s.keeps.surely(w.owners[i].at, w.s.opts.Now()) {
			w.held[agent] = "InfluxDB refuses records of the last hour as too old, look at its clock: " + text
			return
		}
		w.refused[i] = refusal{text: text, retention: true}
		return
	}
	w.refused[i] = refusal{text: text}
	if w.count[agent]++; w.count[agent] > max(mostRefused, w.of(agent)/100) {
		w.held[agent] = "InfluxDB refuses more than 1 in 100 of its records: " + text
	}
}

// of returns how many points are an agent's.
func (w *writing) of(agent string) (n int) {
	for _, o := range w.owners {
		if o.agent == agent {
			n++
		}
	}
	return n
}

// whyRefused returns what an error says of the points that were written; content
// is false when it is not about them.
func whyRefused(err error) (text string, content bool) {
	if other, is := errors.AsType[*stranger](err); is {
		// A proxy that limits the size of a request takes smaller ones.
		return "limit of a proxy before InfluxDB (nginx: client_max_body_size) exceeded: " + other.text,
			other.status == http.StatusRequestEntityTooLarge
	}
	e := statusOf(err)
	if e == nil || !refusesContent(e) {
		return "", false
	}
	return e.Error(), true
}

// refusesContent reports whether an answer is about what was written. InfluxDB 2.0
// to 2.6 answer 500 for points that they do not keep.
func refusesContent(e *influxhttp.Error) bool {
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	case http.StatusInternalServerError:
		return strings.Contains(e.Error(), "partial write")
	}
	return false
}

// dropped returns how many points the message of a partial write says are not
// stored; 0 when it does not say.
func dropped(text string) int {
	_, n, _ := strings.Cut(text, "dropped=")
	end := strings.IndexFunc(n, func(c rune) bool { return c < '0' || c > '9' })
	if end < 0 {
		end = len(n)
	}
	i, err := strconv.Atoi(n[:end])
	if err != nil {
		return 0
	}
	return i
}

// tooOld reports whether a refusal, in lower case, says that the bucket does not keep
// points of such a time. 1.8: "points beyond retention policy dropped=4"; 2.7.12:
// "dropped 4 points outside retention policy of duration 24h0m0s - oldest point …".
// Other refusals of 2.7.12 may end with "for retention policy: autogen".
func tooOld(message string) bool {
	return strings.Contains(message, "beyond retention policy") ||
		strings.Contains(message, "outside retention policy") ||
		strings.Contains(message, "retention policy lower bound")
}

// limits reports whether a refusal, in lower case, is about the state of the
// database, not about a point. A write window is a limit that an operator has set
// beside the retention.
func limits(message string) bool {
	for _, word := range []string{"max-series", "max-values", "series limit", "limit exceeded", "exceeded",
		"capacity", "no space", "max_", "write window"} {
		if strings.Contains(message, word) {
			return true
		}
	}
	return false
}
