package desk

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// ofDays returns a desk with the history of so many days: 184 gates, 20 alerts and 60
// runs a day.
func ofDays(b *testing.B, days int) *Desk {
	b.Helper()
	file, err := OpenFile(filepath.Join(b.TempDir(), "desk.db"))
	if err != nil {
		b.Fatal(err)
	}
	hour := t0.Unix() / 3600
	for _, x := range []struct {
		statement string
		n         int
	}{
		{`INSERT INTO hours SELECT 'gate-' || (i % 184), ?2 - i / 184, 50, 1, 1, 1, 0, 50, 182500 FROM n`,
			days * 24 * 184},
		{`INSERT INTO alerts (agent, jid, alarm, type, device, detail, passage, seq, at, cleared, acked)
			SELECT 'gate-' || (i % 184), 'j', i, 'device-fault', '', '', 0, i, (?2 * 3600 - i * 4320) * 1000000000, 1, 1
			FROM n`, days * 20},
		{`INSERT INTO runs SELECT 'fogger-' || (i % 20), i, 'j', i, 'closed', (?2 * 3600 - i * 1440) * 1000000000,
			(?2 * 3600 - i * 1440 + 600) * 1000000000, '{"machine":"m","run":"r"}' FROM n`, days * 60},
		{`INSERT INTO runs SELECT 'fogger-idle', i, 'j', i, 'closed', (?2 * 3600 - 24 * 3600 * ?3) * 1000000000, 1,
			'{"machine":"fogger-idle","run":"r"}' FROM n`, 1},
	} {
		const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "
		_, err := file.Exec(b.Context(), numbers+x.statement, x.n, hour, days)
		if err != nil {
			b.Fatal(err)
		}
	}
	d := &Desk{opts: Options{Sites: counties(), Now: func() time.Time { return t0 }}, file: file}
	if err := d.open(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { file.Close() })
	return d
}

// The desk's pages after a year, relative to those after a day.
func BenchmarkPagesAfterAYear(b *testing.B) {
	day, year := ofDays(b, 1), ofDays(b, 365)
	pages := map[string]func(context.Context, *Desk) error{
		"hours of the county": func(ctx context.Context, d *Desk) error {
			_, err := d.Passages.Hours(ctx, "", t0.Add(-24*time.Hour))
			return err
		},
		"hours of a gate": func(ctx context.Context, d *Desk) error {
			_, err := d.Passages.Hours(ctx, "gate-7", t0.Add(-24*time.Hour))
			return err
		},
		"alerts": func(ctx context.Context, d *Desk) error {
			_, err := d.Alerts.Last(ctx, "", 20)
			return err
		},
		"open alerts": func(ctx context.Context, d *Desk) error {
			_, err := d.Alerts.Open(ctx)
			return err
		},
		"runs": func(ctx context.Context, d *Desk) error {
			_, err := d.Runs.Last(ctx, "", 50)
			return err
		},
		"a machine's last run": func(ctx context.Context, d *Desk) error {
			_, err := d.Runs.Last(ctx, "fogger-idle", 1)
			return err
		},
	}
	for name, page := range pages {
		b.Run(name, func(b *testing.B) {
			var days, years []time.Duration
			for b.Loop() {
				for _, x := range []struct {
					d    *Desk
					took *[]time.Duration
				}{{day, &days}, {year, &years}} {
					begin := time.Now()
					if err := page(b.Context(), x.d); err != nil {
						b.Fatal(err)
					}
					*x.took = append(*x.took, time.Since(begin))
				}
			}
			slices.Sort(days)
			slices.Sort(years)
			b.ReportMetric(float64(years[len(years)/2])/float64(days[len(days)/2]), "year/day")
		})
	}
}
