package report

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// backlog returns reports of a machine that works all the time, a second apart.
func backlog(n int) (out []string) {
	for s := range n {
		out = append(out, fmt.Sprintf(`{"v":1,"at":%q,"command":true,"flow_lpm":3,"volume_l":%.2f}`,
			begin.Add(time.Duration(s)*time.Second).Format(time.RFC3339), float64(s)/20))
	}
	return out
}

// late plays n late reports behind a newer one, as fast as they are taken, and returns
// how long it took until they are one run, and the longest that another machine's
// report waited meanwhile.
func late(tb testing.TB, n int) (took, waited time.Duration) {
	dir := tb.TempDir()
	held, err := archive.OpenSQLite(filepath.Join(dir, "store.db"))
	must(tb, err)
	defer held.Close()
	began := time.Now()
	arrival := begin.Add(24 * time.Hour)
	taker, err := Open(tb.Context(), Options{County: "qinghe", Path: filepath.Join(dir, "reports.db"), Store: held,
		Now: func() time.Time { return arrival.Add(time.Since(began)) }, Log: slog.New(slog.DiscardHandler)})
	must(tb, err)
	ctx, cancel := context.WithCancel(tb.Context())
	ended := make(chan error, 1)
	go func() { ended <- taker.Run(ctx) }()
	window := make(chan bool, 256) // as the broker has it
	var all sync.WaitGroup
	put := func(machine, payload string, end func()) {
		all.Add(1)
		window <- true
		m := mqtt.Message{Topic: wire.Topic("qinghe", machine, wire.LeafReport), Payload: []byte(payload)}
		taker.Put(m, func(bool) { <-window; end(); all.Done() })
	}
	put("fogger-9", fmt.Sprintf(`{"v":1,"at":%q,"command":false,"flow_lpm":0}`,
		arrival.Format(time.RFC3339)), func() {})
	for i, payload := range backlog(n) {
		put("fogger-9", payload, func() {})
		if i%100 == 50 {
			since := time.Now()
			other := fmt.Sprintf(`{"v":1,"tank_pct":%d}`, i%90)
			put("fogger-2", other, func() { waited = max(waited, time.Since(since)) })
		}
	}
	all.Wait()
	want := fmt.Sprintf(" %.2f ", float64(n-1)/20)
	x := &county{Taker: taker, t: tb}
	for {
		got := x.runsOf("fogger-9")
		if len(got) == 1 && strings.Contains(got[0], want) {
			break
		}
		if time.Since(began) > time.Minute {
			tb.Fatalf("%d reports: %q, want one run of%sL", n, got, want)
		}
		time.Sleep(20 * time.Millisecond)
	}
	took = time.Since(began)
	cancel()
	must(tb, <-ended)
	must(tb, taker.Close())
	return took, waited
}

// BenchmarkLateReports shows what a backlog costs by its length.
func BenchmarkLateReports(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var took, waited time.Duration
			for b.Loop() {
				t, w := late(b, n)
				took, waited = took+t, max(waited, w)
			}
			b.ReportMetric(took.Seconds()*1000/float64(b.N)/float64(n), "ms/report")
			b.ReportMetric(waited.Seconds(), "s-other-waited")
		})
	}
}

// R14: the backlog of an hour is one run soon, and holds up nobody else.
func TestABacklogIsOneRunSoon(t *testing.T) {
	took, waited := late(t, 3607)
	if took > 30*time.Second || waited > 10*time.Second {
		t.Errorf("it took %s; another machine waited %s", took, waited)
	}
}
