package centre

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/county/report"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/site"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/wire"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// database runs a real InfluxDB until the test ends.
func database(t *testing.T) (url string) {
	t.Helper()
	s, err := influxd.Start(t.Context(), t.TempDir())
	must(t, err)
	t.Cleanup(s.Close)
	return s.URL
}

// A machine that reports by itself sends nothing again. What it reports after the
// InfluxDB was wiped must be stored and shown as new.
func TestReportsAfterAWipedDatabaseAreStoredAndShown(t *testing.T) {
	url, dir, log := database(t), t.TempDir(), slog.New(slog.DiscardHandler)
	held, err := archive.OpenInflux(filepath.Join(dir, StoreFile), influx.Options{URL: url, Token: influxd.Token,
		Bucket: influxd.Bucket, County: "qinghe", CheckEvery: time.Nanosecond})
	must(t, err)
	defer held.Close()
	d, err := desk.Open(desk.Options{Path: filepath.Join(dir, DeskFile), Sites: &site.County{}, Records: held,
		Losses: held, Log: log})
	must(t, err)
	defer d.Close()
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	defer func() { cancel(); wg.Wait() }()
	wg.Go(func() { _ = d.Run(ctx) }) // ends with ctx
	now := time.Now().Add(-time.Hour)
	taker, err := report.Open(ctx, report.Options{County: "qinghe", Path: filepath.Join(dir, ReportsFile),
		Store: held, Watch: d, Now: func() time.Time { return now }, Log: log})
	must(t, err)
	defer taker.Close()
	work := func(reports int) {
		t.Helper()
		for n := range reports {
			now = now.Add(2 * time.Second)
			m := mqtt.Message{Topic: wire.Topic("qinghe", "fogger-9", wire.LeafReport),
				Payload: fmt.Appendf(nil, `{"v":1,"command":true,"flow_lpm":6,"volume_l":%d,"lat":35.9,"lon":115}`, n)}
			if !taker.Take(ctx, m) {
				t.Fatal("not acknowledged")
			}
		}
		now = now.Add(20 * time.Minute)
		taker.Tick(ctx, now)
	}
	tracks := func() (n int) {
		t.Helper()
		for _, err := range held.Rows(ctx, store.Query{Kind: wire.KindTrack}) {
			must(t, err)
			n++
		}
		return n
	}
	work(30)
	awaitRuns(t, d, 1)
	must(t, influxd.DropDatabase(ctx, url))
	must(t, influxd.CreateDatabase(ctx, url))
	work(10)
	if n := tracks(); n != 40 {
		t.Errorf("the database has %d of 40 reports", n)
	}
	awaitRuns(t, d, 2)
	if _, lost, err := held.Losses(ctx); err != nil || lost != 0 {
		t.Errorf("%d records are lost, %v", lost, err)
	}
	// Nobody reports any more.
	must(t, influxd.DropDatabase(ctx, url))
	must(t, influxd.CreateDatabase(ctx, url))
	awaitBack(ctx, t, taker, tracks)
}

// awaitBack runs the taker until the database has 40 reports again.
func awaitBack(ctx context.Context, t *testing.T, taker *report.Taker, tracks func() int) {
	t.Helper()
	ctx, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer func() { end(); wg.Wait() }()
	wg.Go(func() { _ = taker.Run(ctx) }) // ends with ctx
	for deadline := time.Now().Add(20 * time.Second); tracks() != 40; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the database has %d of 40 reports", tracks())
		}
	}
}

// awaitRuns waits until the desk has as many runs of the machine, the newest of
// them closed.
func awaitRuns(t *testing.T, d *desk.Desk, want int) {
	t.Helper()
	var runs []fleet.RunSummary
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		runs, err = d.Runs.Last(t.Context(), "fogger-9", 10)
		must(t, err)
		if len(runs) == want && runs[0].State == fact.RunClosed {
			return
		}
	}
	t.Fatalf("the desk has %d runs, want %d: %+v", len(runs), want, runs)
}
