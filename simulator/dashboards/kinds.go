package dashboards

// The kinds of panels, with the options of Grafana's plugins.
var (
	stat = kind{name: "stat", color: "thresholds", options: `{"reduceOptions":{"values":false,` +
		`"calcs":["lastNotNull"],"fields":""},"orientation":"auto","textMode":"auto","colorMode":"value",` +
		`"graphMode":"area","justifyMode":"auto","wideLayout":true,"showPercentChange":false,` +
		`"percentChangeColorMode":"standard"}`}
	lines = kind{name: "timeseries", color: "palette-classic",
		options: `{"legend":{"displayMode":"list","placement":"bottom","showLegend":true,"calcs":[]},` +
			`"tooltip":{"mode":"multi","sort":"desc"}}`,
		custom: `{"drawStyle":"line","lineInterpolation":"linear","lineWidth":1,"fillOpacity":10,"spanNulls":false,` +
			`"showPoints":"auto","stacking":{"mode":"none","group":"A"}}`}
	bars = kind{name: "timeseries", color: "palette-classic", options: lines.options,
		custom: `{"drawStyle":"bars","lineWidth":1,"fillOpacity":80,"spanNulls":false,"showPoints":"never",` +
			`"stacking":{"mode":"normal","group":"A"}}`}
	gauges = kind{name: "bargauge", color: "thresholds", instant: true,
		options: `{"displayMode":"basic","valueMode":"color","namePlacement":"auto","showUnfilled":true,` +
			`"sizing":"auto","minVizWidth":8,"minVizHeight":16,"maxVizHeight":300,"orientation":"horizontal",` +
			`"legend":{"calcs":[],"displayMode":"list","placement":"bottom","showLegend":false},` +
			`"reduceOptions":{"values":false,"calcs":["lastNotNull"],"fields":""}}`}
	table = kind{name: "table", color: "thresholds", table: true, instant: true,
		options: `{"showHeader":true,"cellHeight":"sm","frameIndex":0}`,
		custom:  `{"align":"auto","cellOptions":{"type":"auto"},"inspect":false,"filterable":true}`}
	states = kind{name: "state-timeline", color: "thresholds",
		options: `{"showValue":"never","rowHeight":0.9,"mergeValues":true,"alignValue":"left",` +
			`"legend":{"displayMode":"list","placement":"bottom","showLegend":false,"calcs":[]},` +
			`"tooltip":{"mode":"single","sort":"none"}}`,
		custom: `{"lineWidth":0,"fillOpacity":80}`}
)

const (
	red, amber, green, blue = "red", "orange", "green", "blue"
	// In place of a number.
	unknown = "未知 not known"
	none    = "没有 none"
)

// rising returns the thresholds of a value that is good until the first limit; from the
// last it is red.
func rising(limits ...float64) []step {
	steps := []step{{nil, green}}
	for i := range limits {
		steps = append(steps, step{&limits[i], []string{amber, red}[min(1, i+2-len(limits))]})
	}
	return steps
}

// good returns the thresholds of a value that must be 1.
func good() []step { one := 1.0; return []step{{nil, red}, {&one, green}} }

// single returns a panel of one figure; absent is shown when it is not known.
func single(zh, en, expr, absent string, steps []step) chart {
	return chart{zh: zh, en: en, kind: stat, w: 4, h: 4, noValue: absent, steps: steps, prom: []ask{{expr, ""}}}
}

// in gives the figures a unit.
func (c chart) in(unit string) chart { c.unit = unit; return c }

// as gives words in place of figures.
func (c chart) as(words map[string]word) chart { c.words = words; return c }

func yesNo(yes, no string) map[string]word {
	return map[string]word{"1": {yes, green, 0}, "0": {no, red, 1}}
}

// place is the filter by the variable community.
const (
	placeQL   = `"community" =~ /^${community:regex}$/`
	placeFlux = `r.community =~ /^${community:regex}$/`
	gateQL    = `"agent" =~ /^${gate:regex}$/`
	gateFlux  = `r.agent =~ /^${gate:regex}$/`
)

// byMachine splits a table of InfluxQL into a series for each machine, whose name is a field.
var byMachine = []transform{{ID: "partitionByValues",
	Options: []byte(`{"fields":["machine"],"keepFields":false,"naming":{"asLabels":true}}`)}}
