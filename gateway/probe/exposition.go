package probe

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// exposition returns the metrics in Prometheus' text format 0.0.4, in the order of
// their names, after the one that names the running version.
func exposition(version string, all []Metric) []byte {
	all = slices.Concat([]Metric{{Name: "gatehouse_build_info", Help: "The running version.", Label: "version",
		Value: map[string]float64{version: 1}}}, all)
	slices.SortStableFunc(all, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	for i, m := range all {
		if i == 0 || all[i-1].Name != m.Name { // a name has one header, and its samples follow it
			fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", m.Name, helpEscapes.Replace(m.Help), m.Name, m.kind())
		}
		if m.Histogram != nil {
			m.Histogram.write(&out, m.Name)
		}
		for _, value := range slices.Sorted(maps.Keys(m.Value)) {
			name := m.Name
			if m.Label != "" {
				name += "{" + m.Label + `="` + labelEscapes.Replace(value) + `"}`
			}
			sample(&out, name, m.Value[value])
		}
	}
	return out.Bytes()
}

var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// kind returns the metric's type as the format names it.
func (m Metric) kind() string {
	switch {
	case m.Histogram != nil:
		return "histogram"
	case m.Counter:
		return "counter"
	}
	return "gauge"
}

// write appends the samples of a histogram.
func (h *Histogram) write(out *bytes.Buffer, name string) {
	for _, bound := range slices.Sorted(maps.Keys(h.UpTo)) {
		sample(out, name+`_bucket{le="`+number(bound)+`"}`, float64(h.UpTo[bound]))
	}
	sample(out, name+`_bucket{le="+Inf"}`, float64(h.Count))
	sample(out, name+"_sum", h.Sum)
	sample(out, name+"_count", float64(h.Count))
}

func sample(out *bytes.Buffer, name string, v float64) {
	out.WriteString(name + " " + number(v) + "\n")
}

// number returns v as the format writes it: infinities are +Inf and -Inf.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
