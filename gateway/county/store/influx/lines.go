package influx

import (
	"fmt"
	"strings"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"gatehouse/gateway/fact"
)

// lines are points in InfluxDB's line protocol, a line each.
type lines struct {
	enc  lineprotocol.Encoder
	ends []int // where each line ends
}

func (l *lines) len() int { return len(l.ends) }

// bytes returns the lines from first to before end.
func (l *lines) bytes(first, end int) []byte {
	from := 0
	if first > 0 {
		from = l.ends[first-1]
	}
	if end == 0 {
		return nil
	}
	return l.enc.Bytes()[from:l.ends[end-1]]
}

// add adds the point that write makes; nothing when that fails.
func (l *lines) add(measurement string, at time.Time, write func(p point)) error {
	l.enc.StartLine(measurement)
	write(point{&l.enc})
	l.enc.EndLine(at)
	if err := l.enc.Err(); err != nil {
		l.enc.ClearErr()
		return fmt.Errorf("it is no point of InfluxDB: %w", err)
	}
	l.ends = append(l.ends, len(l.enc.Bytes()))
	return nil
}

// point adds tags, in the order of their names, and then fields to a line. What is
// empty or not known is neither.
type point struct{ enc *lineprotocol.Encoder }

func (p point) tag(name, v string) {
	if v != "" {
		p.enc.AddTag(name, v)
	}
}

func (p point) text(name, v string) {
	if v == "" {
		return
	}
	value, ok := lineprotocol.StringValue(v)
	if !ok {
		value, _ = lineprotocol.StringValue(strings.ToValidUTF8(v, "\uFFFD"))
	}
	p.enc.AddField(name, value)
}

func (p point) count(name string, v int64) { p.enc.AddField(name, lineprotocol.IntValue(v)) }

func (p point) value(name string, v float64) {
	if value, ok := lineprotocol.FloatValue(v); ok { // neither NaN nor infinite
		p.enc.AddField(name, value)
	}
}

func (p point) known(name string, v *float64) {
	if v != nil {
		p.value(name, *v)
	}
}

func (p point) celsius(name string, t *fact.Temp) {
	if t != nil {
		p.value(name, float64(*t)/100)
	}
}
