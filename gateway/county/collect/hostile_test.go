package collect_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"
)

// BenchmarkOneBadAgent measures how long commits of the good agents take without
// the bad one and beside it, in turns. The ratios count: they must not be above 2.
func BenchmarkOneBadAgent(b *testing.B) {
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			c, stop := startCounty(b, open)
			defer stop()
			c.awaitGood()
			for n, kind := range slices.Sorted(maps.Keys(kinds())) {
				b.Run(kind, func(b *testing.B) {
					for b.Loop() {
						c.compare(b, n, kind)
					}
				})
			}
		})
	}
}

// phase is how long commits are measured without the bad agent, and beside it.
const phase = time.Second

func (c *realCounty) compare(b *testing.B, n int, kind string) {
	b.Helper()
	var without, beside []time.Duration
	for range 2 {
		without = append(without, c.during(func(ctx context.Context) { <-ctx.Done() })...)
		beside = append(beside, c.during(func(ctx context.Context) {
			c.play(ctx, n, kinds()[kind], make(chan struct{}))
		})...)
	}
	if len(without) == 0 || len(beside) == 0 {
		b.Fatalf("%d commits without it, %d beside it", len(without), len(beside))
	}
	for name, q := range map[string]int{"p50": 50, "p95": 95} {
		a, z := quantile(without, q), quantile(beside, q)
		b.ReportMetric(a.Seconds()*1000, name+"-ms")
		b.ReportMetric(z.Seconds()/a.Seconds(), name+"-ratio")
	}
	b.ReportMetric(0, "ns/op")
}

// during returns how long commits took while do ran.
func (c *realCounty) during(do func(context.Context)) []time.Duration {
	ctx, cancel := context.WithTimeout(context.Background(), phase)
	defer cancel()
	from := time.Now()
	var wg sync.WaitGroup
	wg.Go(func() { do(ctx) })
	wait(ctx, phase)
	to := time.Now()
	wg.Wait()
	c.awaitGood() // commits that were on their way
	return c.took(from, to)
}

func quantile(all []time.Duration, q int) time.Duration {
	slices.Sort(all)
	return all[min(len(all)-1, len(all)*q/100)]
}
