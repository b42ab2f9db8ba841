package dashboards

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gatehouse/gateway/county/store/influx"
	"gatehouse/gateway/testkit/influxd"
)

// shows is what a panel must show of the sample: the columns that are compared, and
// their rows, in any order.
type shows struct {
	columns string
	rows    []string
}

// expected has what each panel of InfluxDB shows, by dashboard and English title. In a
// panel of series, value is what the series has, and name what tells it apart.
func expected() map[string]shows {
	verdicts := shows{"name value", []string{"pass 3", "fever 1", "retest 1"}}
	return map[string]shows{
		"county Passages by verdict": verdicts,
		"county Screening temperature: mean, lowest, highest": {"name value",
			[]string{"mean 36.92", "min 36.2", "max 38.4"}},
		"county Fevers": {"agent compound screening_c ambient_c reason",
			[]string{"gate-001 丽景苑 38.4 20 fever"}},
		"county Alarms raised by type": {"name value", []string{"fever 1", "device-gone 1"}},
		"county Passages by compound": {"compound outcome value",
			[]string{"丽景苑 pass 2", "丽景苑 fever 1", "金和新村 pass 1", "金和新村 retest 1"}},
		"county Mean temperature by gate": {"agent compound mean count",
			[]string{"gate-001 丽景苑 37.13 3", "gate-002 金和新村 36.6 2"}},
		"gate Passages by verdict": {"name value", []string{"pass 2", "fever 1"}},
		"gate Screening temperature: mean, lowest, highest": {"name value",
			[]string{"mean 37.13", "min 36.4", "max 38.4"}},
		"gate Ambient temperature":                  {"name value", []string{"gate-001 20"}},
		"gate Longest time from reading to verdict": {"name value", []string{"gate-001 1200"}},
		"gate What devices reported": {"device outcome detail agent",
			[]string{"reader gone unplugged gate-001"}},
		"gate Alarms": {"type outcome device", []string{"fever raised -", "device-gone raised reader",
			"device-gone cleared reader"}},
		"gate What the guard did": {"name value", []string{"retest 1"}},
		"gate Thermometer checks": {"device outcome pairs mean_error_c spread_c proposed_offset_c",
			[]string{"thermometer done 10 0.2 0.15 3"}},
		"machines Runs": {"machine run outcome meter_l distance_m flow_s",
			[]string{"fogger-1 r1 measured 12.5 120 60", "drone-2 r2 proven 8 120 60"}},
		"machines Runs by grade": {"outcome value", []string{"measured 1", "proven 1"}},
		"machines Litres by day": {"name value", []string{"depot-1 20.5"}},
		"machines Tank":          {"name value", []string{"fogger-1 80", "drone-2 50"}},
		"machines Flow":          {"name value", []string{"fogger-1 6.5", "drone-2 1.5"}},
		"machines Battery":       {"name value", []string{"drone-2 70"}},
	}
}

// rows asks what a panel asks.
func (s server) rows(t *testing.T, at sample, q target, of picked) []row {
	t.Helper()
	query := of.expand(q.Query)
	if q.RawQuery {
		return s.influxQL(t, query, at.from, at.to)
	}
	return s.flux(t, query, at.from, at.to)
}

// named gives series the columns name and value, as Grafana names them.
func named(rows []row, p panel) (out []row) {
	q := p.Targets[0]
	tag := strings.TrimPrefix(q.Alias, "$tag_")
	if len(p.Transforms) > 0 {
		tag = "machine"
	}
	label := strings.TrimSuffix(strings.TrimPrefix(p.FieldConfig.Defaults.DisplayName, "${__field.labels."), "}")
	for _, r := range rows {
		switch {
		case !q.RawQuery:
			out = append(out, row{"name": r[cmp.Or(label, "stat")], "value": r["_value"]})
		case q.Alias == "$col":
			for column, v := range r {
				if column != "time" {
					out = append(out, row{"name": column, "value": v})
				}
			}
		default:
			for column, v := range r {
				if column != "time" && column != tag {
					out = append(out, row{"name": r[tag], "value": v})
				}
			}
		}
	}
	return out
}

// lines returns the rows as text, with figures of two digits.
func (s shows) lines(rows []row) (out []string) {
	for _, r := range rows {
		var cells []string
		for _, column := range strings.Fields(s.columns) {
			v := r[column]
			if column == "value" && v == "" {
				v = cmp.Or(r["_value"], r["count"])
			}
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				v = strconv.FormatFloat(f, 'f', 2, 64)
				v = strings.TrimSuffix(strings.TrimRight(v, "0"), ".")
			}
			cells = append(cells, cmp.Or(v, "-"))
		}
		out = append(out, strings.Join(cells, " "))
	}
	slices.Sort(out)
	return out
}

// testQueries asks an InfluxDB that holds the sample everything that the dashboards ask.
func testQueries(t *testing.T, s server, at sample) {
	t.Helper()
	want := expected()
	seen := map[string]int{}
	chosen := picked{"community": nil, "gate": {"gate-001"}}
	for _, lang := range []Language{InfluxQL, Flux} {
		for _, b := range boards() {
			for _, p := range b.render(lang).Panels {
				q := p.Targets[0]
				if q.Datasource.Type != "influxdb" {
					continue
				}
				_, title, _ := strings.Cut(p.Title, " ")
				key := b.id + " " + title
				seen[key]++
				w, known := want[key]
				if !known {
					t.Errorf("nobody says what %q shows", key)
				}
				rows := s.rows(t, at, q, chosen)
				if strings.HasPrefix(w.columns, "name") {
					rows = named(rows, p)
				}
				slices.Sort(w.rows)
				if got := w.lines(rows); !slices.Equal(got, w.rows) {
					t.Errorf("%s, %s: %q\nwant %q\nquery %s", lang, key, got, w.rows, q.Query)
				}
			}
		}
	}
	for key := range want {
		if seen[key] != 2 {
			t.Errorf("%q is asked %d times", key, seen[key])
		}
	}
}

// testVariables asks for the values of the variables, and what the dashboards show of
// one community, and of two gates.
func testVariables(t *testing.T, s server, at sample) {
	t.Helper()
	for _, lang := range []Language{InfluxQL, Flux} {
		got := map[string][]string{}
		for _, b := range boards() {
			for _, v := range b.render(lang).Templating.List {
				q := target{Query: v.Query, RawQuery: lang == InfluxQL}
				for _, r := range s.rows(t, at, q, nil) {
					got[v.Name] = append(got[v.Name], cmp.Or(r["value"], r["_value"]))
				}
				slices.Sort(got[v.Name])
			}
		}
		want := map[string][]string{"community": {"东城社区", "西关社区"}, "gate": {"gate-001", "gate-002"}}
		if !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: variables %q", lang, got)
		}
		for _, c := range []struct {
			of   picked
			want []string
		}{
			{picked{"community": {"西关社区"}}, []string{"pass 1", "retest 1"}},
			{picked{"community": {"西关社区", "东城社区"}}, []string{"fever 1", "pass 3", "retest 1"}},
			{picked{"community": {"no.community"}}, nil},
		} {
			for _, p := range county().render(lang).Panels {
				if strings.HasSuffix(p.Title, " Passages by verdict") {
					rows := named(s.rows(t, at, p.Targets[0], c.of), p)
					if got := (shows{columns: "name value"}).lines(rows); !slices.Equal(got, c.want) {
						t.Errorf("%s, %v: %q", lang, c.of, got)
					}
				}
			}
		}
	}
}

// Each query of each panel shows what is stored, in a real InfluxDB 1.8.
func TestPanelsShowWhatInfluxDBHolds(t *testing.T) {
	db, err := influxd.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	at := newSample()
	at.store(t, influx.Options{URL: db.URL, Token: influxd.Token, Bucket: influxd.Bucket})
	s := server{url: db.URL, database: influxd.Database, bucket: influxd.Bucket}
	testQueries(t, s, at)
	testVariables(t, s, at)
}

func TestVariablesAreExpandedAsGrafanaDoes(t *testing.T) {
	for want, of := range map[string]picked{
		"a =~ /^.*$/":            {"gate": nil},
		`a =~ /^a\.b\/c$/`:       {"gate": {"a.b/c"}},
		"a =~ /^(x-1|x-2)$/":     {"gate": {"x-1", "x-2"}},
		`a =~ /^${gate:regex}$/`: {},
	} {
		if got := of.expand("a =~ /^${gate:regex}$/"); got != want {
			t.Errorf("%v: %s", of, got)
		}
	}
}
