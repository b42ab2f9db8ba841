package influx_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/testkit/storetest"
)

// of returns a batch of another agent.
func of(agent string, b store.Batch) store.Batch {
	b.Agent = agent
	return b
}

// refuseAgent answers writes with points of an agent as InfluxDB does, with a
// message for all of these points.
func (f *proxy) refuseAgent(t *testing.T, agent string, status int, message string) {
	t.Helper()
	f.answerWith(t, func(w http.ResponseWriter, body string) bool {
		n := strings.Count(body, "agent="+agent)
		if n == 0 {
			return false
		}
		w.Header().Set("X-Influxdb-Version", "1.8.10")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":"partial write: %s dropped=%d"}`, message, n)
		return true
	})
}

// What the database refuses of one agent, for whatever reason, delays that agent.
func testOneAgentThatIsRefusedDelaysNoOther(t *testing.T, b bucket) {
	f := newProxy(t, b.options())
	s := openIn(t, f.options, filepath.Join(t.TempDir(), "books.db"))
	for i, c := range []struct {
		status  int
		message string
	}{
		{400, "max-values-per-tag limit exceeded (100000/100000)"},
		{422, "max-series-per-database limit exceeded: (1000000)"},
		{400, "field type conflict: input field"},
		{500, "unable to parse"},
		{413, "too large"},
	} {
		culprit, other := fmt.Sprintf("bad-%d", i), fmt.Sprintf("good-%d", i)
		f.refuseAgent(t, culprit, c.status, c.message)
		good, bad, next := storetest.Batch(2*i+1, 1, 64), storetest.Batch(2*i+2, 1, 64), storetest.Batch(2*i+2, 65, 66)
		r := commit(t, s, of(culprit, bad), of(other, good), of(culprit, next))
		if r[1].Through != 64 || r[1].Refused || r[1].New != 64 {
			t.Errorf("%s: the good agent: %+v", c.message, r[1])
		}
		if !r[0].Refused || !strings.Contains(r[0].Why, c.message) || r[0].Through != 0 || !r[2].Gap && !r[2].Refused {
			t.Errorf("%s: the bad agent: %+v, %+v", c.message, r[0], r[2])
		}
		f.forwardAll()
		if r := commit(t, s, of(culprit, bad))[0]; r.Through != 64 || r.New != 64 {
			t.Errorf("%s: when it is taken: %+v", c.message, r)
		}
	}
	if q, err := s.Quarantined(t.Context(), 0); err != nil || len(q) != 0 {
		t.Errorf("%d rows in quarantine, %v", len(q), err)
	}
}

// nginx takes requests of up to 1 MiB, unless it is told otherwise.
func testAProxyThatLimitsTheSizeOfARequestGetsSmallerOnes(t *testing.T, b bucket) {
	f := newProxy(t, b.options())
	s := openIn(t, f.options, filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 2))
	limit := 4000
	f.answerWith(t, func(w http.ResponseWriter, body string) bool {
		if len(body) <= limit {
			return false
		}
		w.Header().Set("Server", "nginx")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		fmt.Fprint(w, "<html>413 Request Entity Too Large</html>")
		return true
	})
	if r := commit(t, s, storetest.Batch(1, 3, 100))[0]; r.Through != 100 || count(t, s) != 100 {
		t.Errorf("receipt %+v, %d rows", r, count(t, s))
	}
	limit = 10
	_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 101, 102)})
	if err == nil || !strings.Contains(err.Error(), "413") {
		t.Errorf("error %v", err)
	}
}
