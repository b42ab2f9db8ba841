package journal

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

// BenchmarkAppend appends from one and from many goroutines, while fsyncs go on.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("%d writers", writers), func(b *testing.B) {
			j, _ := mustOpen(b, options(b.TempDir()))
			x := body(1)
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for n := w; n < b.N; n += writers {
						if _, err := j.Append(start, x); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			mustSync(b, j)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
			j.Close()
		})
	}
}

// BenchmarkDurable appends one record and waits until it is durable. To compare,
// it measures a plain write and fsync on the same disk.
func BenchmarkDurable(b *testing.B) {
	dir := b.TempDir()
	j, _ := mustOpen(b, options(dir))
	f, err := os.Create(dir + "/plain")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var ours, plain, worst time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := j.Append(start, body(1)); err != nil {
			b.Fatal(err)
		}
		for j.Durable() < j.Last() { // as the shipper waits
			<-j.Changed()
		}
		took := time.Since(began)
		ours, worst = ours+took, max(worst, took)
		began = time.Now()
		if _, err := f.Write(make([]byte, 300)); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		plain += time.Since(began)
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(ms(ours), "ms/durable")
	b.ReportMetric(ms(plain), "ms/fsync")
	b.ReportMetric(float64(worst.Milliseconds()), "ms-worst")
	j.Close()
}

// BenchmarkStart opens a journal of 1 GiB without any acknowledgement: the worst
// case, since all of it is read.
func BenchmarkStart(b *testing.B) {
	o := options(b.TempDir())
	j, _ := mustOpen(b, o)
	for size := int64(0); size < 1<<30; {
		fill(b, j, 2000)
		j.mu.Lock()
		size = int64(len(j.queue.segs.list)) * (8 << 20)
		j.mu.Unlock()
	}
	j.Close()
	b.ResetTimer()
	for b.Loop() {
		j, _ := mustOpen(b, o)
		b.StopTimer()
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MiB-heap")
		began, n := time.Now(), 0
		if err := j.Walk(1, func([]byte) { n++ }); err != nil || n == 0 {
			b.Fatalf("%d records, %v", n, err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/walk") // an agent walks next
		j.Close()
		b.StartTimer()
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/start")
}

// BenchmarkRead reads a backlog in batches as the shipper does. Its time per
// record must not depend on the length of the backlog.
func BenchmarkRead(b *testing.B) {
	for name, records := range map[string]int{"backlog 10k": 10_000, "backlog 100k": 100_000} {
		b.Run(name, func(b *testing.B) {
			j, _ := mustOpen(b, options(b.TempDir()))
			fill(b, j, records)
			mustSync(b, j)
			next, read := uint64(1), 0
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				c, err := j.ReadRaw(next, 256, 60<<10)
				if err != nil {
					b.Fatal(err)
				}
				read += len(c.Entries)
				if next = c.To + 1; next > j.Durable() {
					next = 1
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(read), "ns/record")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	o := options(b.TempDir())
	j, _ := mustOpen(b, o)
	fill(b, j, 50_000)
	j.Close()
	for b.Loop() {
		j, _ := mustOpen(b, o)
		j.Close()
	}
	b.ReportMetric(50_000*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
