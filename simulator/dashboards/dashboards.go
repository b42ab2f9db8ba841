// Package dashboards renders the dashboards for Grafana in deploy/grafana: County, Gate,
// Machines and Delivery, for an InfluxDB that is asked in InfluxQL or in Flux, and for a
// county without InfluxDB, by Prometheus alone. All come from one source, so that they
// show the same.
package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Language is what the queries of a set of dashboards are written in. Panels about
// delivery and health ask Prometheus in each.
type Language string

// The languages.
const (
	InfluxQL   Language = "influxql"
	Flux       Language = "flux"
	Prometheus Language = "prometheus" // for a county that stores in SQLite
)

// Languages returns all languages.
func Languages() []Language { return []Language{InfluxQL, Flux, Prometheus} }

// The data sources, which deploy/grafana/provisioning defines.
const (
	influxUID     = "gatehouse-influx"
	prometheusUID = "gatehouse-prometheus"
)

// board is the source of a dashboard.
type board struct {
	id, zh, en string
	about      string
	from       string // the time range is from here to now
	vars       []choice
	panels     []chart
}

// choice is a variable of a board: tag values, or label values of a metric.
type choice struct {
	name, label           string
	measurement, tag      string
	metric, promLabel     string
	many                  bool
	withoutPrometheusOnly bool // it is left out of the boards of Prometheus alone
}

// chart is the source of a panel. Its queries are for one kind of source: Prometheus, or
// InfluxDB in both languages.
type chart struct {
	zh, en, about  string
	kind           kind
	w, h           int // of 24 columns; rows of 30 pixels
	unit, noValue  string
	steps          []step
	words          map[string]word
	prom           []ask
	influxql, flux string
	label          string      // the tag by which series are told apart; "": they are columns
	split          []transform // what InfluxQL's table needs in addition
}

// ask is one query of Prometheus.
type ask struct{ expr, legend string }

// kind is how a panel draws.
type kind struct {
	name            string
	options, custom string
	table           bool
	instant         bool // the last value is asked, not a range
	color           string
}

// Render returns the dashboards of all languages, by path below deploy/grafana.
func Render() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, lang := range Languages() {
		for _, b := range boards() {
			d := b.render(lang)
			if len(d.Panels) == 0 {
				continue
			}
			text, err := encode(d)
			if err != nil {
				return nil, fmt.Errorf("render the dashboard %s: %w", b.id, err)
			}
			out["dashboards/"+string(lang)+"/"+b.id+".json"] = text
		}
	}
	return out, nil
}

func boards() []board { return []board{county(), gate(), machines(), delivery()} }

func encode(d dashboard) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(struct {
		dashboard
		surrounding
	}{d, d.Surroundings})
	return b.Bytes(), err
}

func (b board) render(lang Language) dashboard {
	d := dashboard{UID: "gatehouse-" + b.id + "-" + string(lang), Title: b.zh + " " + b.en, Description: b.about,
		Tags: []string{"gatehouse", string(lang)}, Timezone: "Asia/Shanghai", Editable: false,
		Time: timeRange{b.from, "now"}, Refresh: "30s", SchemaVersion: 39, Panels: []panel{}}
	d.Surroundings = surrounding{annotations{List: []struct{}{}}, []link{{Title: "其他面板 Other dashboards",
		Type: "dashboards", Icon: "external link", Tags: []string{"gatehouse", string(lang)}, AsDropdown: true,
		IncludeVars: false, KeepTime: true}}}
	d.Templating.List = []variable{}
	for _, v := range b.vars {
		if lang != Prometheus || !v.withoutPrometheusOnly {
			d.Templating.List = append(d.Templating.List, v.render(lang))
		}
	}
	flow := flow{}
	for _, c := range b.panels {
		if targets := c.targets(lang); len(targets) > 0 {
			p := c.render(len(d.Panels)+1, targets)
			p.Grid = flow.place(c.w, c.h)
			if len(c.prom) == 0 {
				c.name(&p, lang)
			}
			d.Panels = append(d.Panels, p)
		}
	}
	return d
}

func (v choice) render(lang Language) variable {
	out := variable{Type: "query", Name: v.name, Label: v.label, Refresh: 2, Sort: 1, Multi: v.many,
		IncludeAll: v.many, Datasource: source{"influxdb", influxUID}}
	if v.many {
		out.AllValue = ".*"
	}
	switch lang {
	case InfluxQL:
		out.Query = fmt.Sprintf(`SHOW TAG VALUES FROM %q WITH KEY = %q`, v.measurement, v.tag)
	case Flux:
		out.Query = fmt.Sprintf("import \"influxdata/influxdb/v1\"\nv1.tagValues(bucket: v.defaultBucket, tag: %q, "+
			"predicate: (r) => r._measurement == %q, start: -30d)", v.tag, v.measurement)
	case Prometheus:
		out.Datasource = source{"prometheus", prometheusUID}
		out.Query = fmt.Sprintf("label_values(%s, %s)", v.metric, v.promLabel)
	}
	out.Definition = out.Query
	return out
}

// targets returns a chart's queries in a language; none: it has no such.
func (c chart) targets(lang Language) (out []target) {
	if len(c.prom) > 0 {
		for i, a := range c.prom {
			t := target{RefID: string(rune('A' + i)), Datasource: source{"prometheus", prometheusUID}, Expr: a.expr,
				LegendFormat: a.legend, Instant: c.kind.instant, Range: !c.kind.instant, Format: "time_series"}
			if c.kind.table {
				t.Format = "table"
			}
			out = append(out, t)
		}
		return out
	}
	t := target{RefID: "A", Datasource: source{"influxdb", influxUID}}
	switch lang {
	case InfluxQL:
		t.Query, t.RawQuery, t.ResultFormat, t.Alias = strings.TrimSpace(c.influxql), true, "time_series", "$col"
		if c.label != "" {
			t.Alias = "$tag_" + c.label
		}
		if c.kind.table || len(c.split) > 0 {
			t.ResultFormat, t.Alias = "table", ""
		}
	case Flux:
		t.Query = strings.TrimSpace(c.flux)
	case Prometheus:
	}
	if t.Query == "" {
		return nil
	}
	return []target{t}
}

func (c chart) render(id int, targets []target) panel {
	mode := c.kind.color
	f := fieldConfig{Overrides: []struct{}{}, Defaults: defaults{Unit: c.unit, NoValue: c.noValue,
		Color: color{mode}}}
	if c.kind.custom != "" {
		f.Defaults.Custom = json.RawMessage(c.kind.custom)
	}
	steps := c.steps
	if len(steps) == 0 {
		steps = []step{{nil, "blue"}}
	}
	f.Defaults.Thresholds = &thresholds{"absolute", steps}
	if len(c.words) > 0 {
		f.Defaults.Mappings = []mapping{{"value", c.words}}
	}
	return panel{ID: id, Type: c.kind.name, Title: c.zh + " " + c.en, Description: c.about,
		Datasource: targets[0].Datasource, Targets: targets, FieldConfig: f,
		Options: json.RawMessage(c.kind.options)}
}

// name tells the series of an InfluxDB apart.
func (c chart) name(p *panel, lang Language) {
	switch {
	case lang == InfluxQL:
		p.Transforms = c.split
	case c.label != "" && !c.kind.table:
		p.FieldConfig.Defaults.DisplayName = "${__field.labels." + c.label + "}"
	}
}

// flow places panels from left to right, and then below the highest of the row.
type flow struct{ x, y, tall int }

const columns = 24

func (f *flow) place(w, h int) grid {
	if f.x+w > columns {
		f.x, f.y, f.tall = 0, f.y+f.tall, 0
	}
	g := grid{f.x, f.y, w, h}
	f.x, f.tall = f.x+w, max(f.tall, h)
	return g
}
