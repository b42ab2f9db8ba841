package journal

import (
	"testing"
)

func BenchmarkAppend(b *testing.B) {
	o := options(b.TempDir())
	j, _ := mustOpen(b, o)
	x := body(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := j.Append(start, x); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	mustSync(b, j)
}

// BenchmarkRead reads a backlog in the batches that the shipper sends; its time
// a record must not depend on how long the backlog is.
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
				c, err := j.Read(next, 256, 60<<10)
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
