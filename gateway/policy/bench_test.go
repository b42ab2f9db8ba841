package policy

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"gatehouse/gateway/identity"
)

// sixtyThousand returns a roster of so many cards in households of four.
func sixtyThousand() []byte {
	var b bytes.Buffer
	b.WriteString("card,class,status,household,from,until,shown\n")
	for i := range 60_000 {
		fmt.Fprintf(&b, "62%08X,resident,active,%d-%d,2020-02-01,2020-06-30,%d栋%d单元 王**\n", i, i/400, i/4, i/400,
			i%4+1)
	}
	return b.Bytes()
}

// A roster of 60,000 is read in less than a second, and takes a few MB.
func BenchmarkParseRoster(b *testing.B) {
	p, err := Parse([]byte(full))
	if err != nil {
		b.Fatal(err)
	}
	roster := sixtyThousand()
	var key identity.SiteKey
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var r *Rules
	for b.Loop() {
		if r, err = ParseRoster(p, bytes.NewReader(roster), key); err != nil || r.People() != 60_000 {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-min(before.HeapAlloc, after.HeapAlloc))/1e6, "MB")
	runtime.KeepAlive(r)
	runtime.KeepAlive(roster)
}
