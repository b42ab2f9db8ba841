package dashboards

import (
	"fmt"
	"strings"
)

// points returns the beginning of a query in Flux: the points of fields of a measurement.
func points(measurement, where string, fields ...string) string {
	var any []string
	for _, f := range fields {
		any = append(any, fmt.Sprintf("r._field == %q", f))
	}
	if where != "" {
		where = " and " + where
	}
	return fmt.Sprintf(`from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == %q and (%s)%s)
`, measurement, strings.Join(any, " or "), where)
}

// each returns the rest of a query in Flux: fn of what is in each interval, by a tag.
func each(fn, tag string) string {
	return fmt.Sprintf(`  |> group(columns: [%q])
  |> aggregateWindow(every: v.windowPeriod, fn: %s, createEmpty: false)
  |> keep(columns: ["_time", "_value", %q])
`, tag, fn, tag)
}

// rows returns the rest of a query in Flux: the last points as rows, the newest first.
func rows(limit int, columns ...string) string {
	quoted := `"` + strings.Join(columns, `", "`) + `"`
	return fmt.Sprintf(`  |> pivot(rowKey: ["_time", "agent", "compound", "outcome"], columnKey: ["_field"],
    valueColumn: "_value")
  |> group()
  |> sort(columns: ["_time"], desc: true)
  |> limit(n: %d)
  |> keep(columns: ["_time", %s])
`, limit, quoted)
}

// spread returns mean, lowest and highest of a field of each interval, in Flux.
func spread(measurement, where, field string) string {
	out := "data = " + points(measurement, where, field) + "  |> group()\n"
	var names []string
	for _, fn := range []string{"mean", "min", "max"} {
		out += fmt.Sprintf(`of_%s = data
  |> aggregateWindow(every: v.windowPeriod, fn: %s, createEmpty: false)
  |> set(key: "stat", value: %q)
  |> group(columns: ["stat"])
  |> keep(columns: ["_time", "_value", "stat"])
`, fn, fn, fn)
		names = append(names, "of_"+fn)
	}
	return out + "union(tables: [" + strings.Join(names, ", ") + "])\n"
}

// spreadQL returns the same in InfluxQL.
func spreadQL(measurement, where, field string) string {
	return fmt.Sprintf(`SELECT mean(%[1]q) AS "mean", min(%[1]q) AS "min", max(%[1]q) AS "max" FROM %[2]q WHERE %[3]s `+
		`AND $timeFilter GROUP BY time($__interval) fill(none)`, field, measurement, where)
}

// counted returns how many points there are by tags, in Flux.
func counted(tags ...string) string {
	quoted := `"` + strings.Join(tags, `", "`) + `"`
	return fmt.Sprintf(`  |> group(columns: [%s])
  |> count()
  |> group()
  |> sort(columns: ["_value"], desc: true)
`, quoted)
}
