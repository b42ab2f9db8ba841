package track

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// BenchmarkMillion reads tracks of a million points; heap-MB is what the process
// holds of the system afterwards, the text of the file included.
func BenchmarkMillion(b *testing.B) {
	const n = 1_000_000
	each := func(s *strings.Builder, format func(i int, at, lat, lon string) string) {
		for i := range n {
			at := time.UnixMilli(1581660000000 + 80*int64(i)).UTC().Format("2006-01-02T15:04:05.000Z")
			lat, lon := 35.9+float64(i%1000)*1e-6, 115.1+float64(i/1000)*1e-5
			s.WriteString(format(i, at, fmt.Sprintf("%.7f", lat), fmt.Sprintf("%.7f", lon)))
		}
	}
	for format, write := range map[string]func(s *strings.Builder){
		"csv": func(s *strings.Builder) {
			s.WriteString("time,lat,lon,flow_lpm\n")
			each(s, func(_ int, at, lat, lon string) string { return at + "," + lat + "," + lon + ",5.2\n" })
		},
		"gpx": func(s *strings.Builder) {
			s.WriteString(gpxHead)
			each(s, func(_ int, at, lat, lon string) string {
				return `<trkpt lat="` + lat + `" lon="` + lon + `"><ele>40</ele><time>` + at + "</time></trkpt>\n"
			})
			s.WriteString("</trkseg></trk></gpx>")
		},
		"kml": func(s *strings.Builder) {
			s.WriteString(kmlHead + "<gx:Track>")
			each(s, func(_ int, at, lat, lon string) string {
				return "<when>" + at + "</when><gx:coord>" + lon + " " + lat + " 40</gx:coord>\n"
			})
			s.WriteString("</gx:Track></Document></kml>")
		},
		"geojson": func(s *strings.Builder) {
			s.WriteString(`{"type":"Feature","properties":{"coordTimes":["`)
			each(s, func(i int, at, _, _ string) string { return at + `","`[:3*min(1, n-1-i)] })
			s.WriteString(`"]},"geometry":{"type":"LineString","coordinates":[`)
			each(s, func(i int, _, lat, lon string) string {
				return "[" + lon + "," + lat + ",40]" + ","[:min(1, n-1-i)]
			})
			s.WriteString("]}}")
		},
	} {
		b.Run(format, func(b *testing.B) {
			var s strings.Builder
			write(&s)
			text := []byte(s.String())
			s.Reset()
			b.SetBytes(int64(len(text)))
			b.ResetTimer()
			for range b.N {
				t, err := Read(bytes.NewReader(text), int64(len(text)), "", format, Options{})
				if err != nil || t.Len() != n {
					b.Fatal(t.Len(), err)
				}
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapSys-m.HeapReleased)/1e6, "heap-MB")
		})
	}
}
