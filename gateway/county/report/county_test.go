package report

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

var begin = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

// county is a taker with a store of its own and a clock that is set.
type county struct {
	*Taker
	t     testing.TB
	store *archive.Archive
	dir   string
	now   time.Time
	known []Machine
}

func newCounty(t testing.TB, dir string, known ...Machine) *county {
	t.Helper()
	s, err := archive.OpenSQLite(filepath.Join(dir, "store.db"))
	must(t, err)
	c := &county{t: t, store: s, dir: dir, now: begin, known: known}
	c.open()
	return c
}

func (c *county) open() {
	c.t.Helper()
	var err error
	c.Taker, err = Open(context.Background(), Options{County: "qinghe", Path: filepath.Join(c.dir, "reports.db"),
		Machines: c.known, Store: c.store, Now: func() time.Time { return c.now }, Log: slog.New(slog.DiscardHandler)})
	must(c.t, err)
}

func (c *county) end() {
	must(c.t, c.Close())
	must(c.t, c.store.Close())
}

func (c *county) restart() {
	must(c.t, c.Close())
	c.open()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *county) say(topic, payload string) {
	c.t.Helper()
	if !c.Take(context.Background(), mqtt.Message{Topic: topic, Payload: []byte(payload)}) {
		c.t.Fatalf("not acknowledged: %s", payload)
	}
}

// sayAgain delivers a message of which the broker knows no acknowledgement.
func (c *county) sayAgain(topic, payload string) {
	c.t.Helper()
	if !c.Take(context.Background(), mqtt.Message{Topic: topic, Payload: []byte(payload), Duplicate: true}) {
		c.t.Fatalf("not acknowledged: %s", payload)
	}
}

const topic = "gatehouse/v1/qinghe/fogger-9/report"

// runsOf returns the runs of a machine that were not withdrawn, as text.
func (c *county) runsOf(id string) (out []string) {
	c.t.Helper()
	found, err := c.index.runs(context.Background(), id, begin.AddDate(-60, 0, 0), begin.AddDate(60, 0, 0))
	must(c.t, err)
	for _, r := range found {
		litres := "-"
		if r.MeterL != nil {
			litres = fmt.Sprintf("%.2f", *r.MeterL)
		}
		id := r.ID[strings.LastIndex(r.ID, "-")+1:]
		out = append(out, fmt.Sprintf("%s %s %s %s %s", id, r.State, r.Grade, litres, r.End.Sub(r.Start.Time)))
	}
	return out
}

func (c *county) rows(kind wire.Kind) (out []wire.Record) {
	c.t.Helper()
	for row, err := range c.store.Rows(context.Background(), store.Query{}) {
		must(c.t, err)
		r, err := wire.DecodeRecord(row.Raw)
		must(c.t, err)
		if r.Kind == kind {
			out = append(out, r)
		}
	}
	return out
}

func (c *county) poison() (out []string) {
	c.t.Helper()
	held, err := c.store.Quarantined(context.Background(), 1000)
	must(c.t, err)
	for _, p := range held {
		out = append(out, p.Reason)
	}
	return out
}

// work returns the reports of a machine that fogs: 10 s of rest, then seconds of
// work at 6 L/min, then 20 s of rest, every 2 s.
func work(from time.Time, base float64, seconds int) (out []string) {
	for s := 0; s < 10+seconds+20; s += 2 {
		on := s >= 10 && s < 10+seconds
		litres := base + float64(min(max(0, s-10), seconds))/10
		flow := 0.0
		if on {
			flow = 6
		}
		at := from.Add(time.Duration(s) * time.Second).Format(time.RFC3339)
		out = append(out, fmt.Sprintf(`{"v":1,"at":%q,"lat":%.6f,"lon":115.1,"command":%t,`+
			`"flow_lpm":%g,"volume_l":%.2f,"tank_pct":80}`, at, 35.9+float64(s)*1e-5, on, flow, litres))
	}
	return out
}
