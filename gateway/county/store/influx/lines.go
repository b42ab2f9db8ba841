package influx

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"gatehouse/gateway/fact"
)

// lines are points in InfluxDB's line protocol, a line each.
type lines struct {
	buf   []byte
	ends  []int           // where each line ends
	heads map[series]head // of records' points
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
	return l.buf[from:l.ends[end-1]]
}

// tag is a tag of a point; it has none whose value is empty.
type tag struct{ name, value string }

// head is how the lines of a series begin: its measurement and its tags.
type head string

// headOf returns the head of points with these tags, which are in the order of their
// names.
func headOf(measurement string, tags ...tag) (head, error) {
	var enc lineprotocol.Encoder
	enc.StartLine(measurement)
	for _, t := range tags {
		if t.value != "" {
			enc.AddTag(t.name, t.value)
		}
	}
	if err := enc.Err(); err != nil {
		return "", fmt.Errorf("it is no point of InfluxDB: %w", err)
	}
	return head(enc.Bytes()), nil
}

// add adds a point with the fields that write adds, one at least.
func (l *lines) add(h head, at time.Time, write func(p *point)) {
	p := point{buf: append(l.buf, h...), separator: ' '}
	write(&p)
	l.buf = append(strconv.AppendInt(append(p.buf, ' '), at.UnixNano(), 10), '\n')
	l.ends = append(l.ends, len(l.buf))
}

// point adds fields to a line. What is empty or not known is none. Names are
// constants that need no escapes.
type point struct {
	buf       []byte
	separator byte // before the next field
}

func (p *point) field(name string, v lineprotocol.Value) {
	p.buf = append(append(append(p.buf, p.separator), name...), '=')
	p.buf = v.AppendBytes(p.buf)
	p.separator = ','
}

func (p *point) text(name, v string) {
	if v == "" {
		return
	}
	value, ok := lineprotocol.StringValue(v)
	if !ok {
		value, _ = lineprotocol.StringValue(strings.ToValidUTF8(v, "\uFFFD"))
	}
	p.field(name, value)
}

func (p *point) count(name string, v int64) { p.field(name, lineprotocol.IntValue(v)) }

func (p *point) value(name string, v float64) {
	if value, ok := lineprotocol.FloatValue(v); ok { // neither NaN nor infinite
		p.field(name, value)
	}
}

func (p *point) known(name string, v *float64) {
	if v != nil {
		p.value(name, *v)
	}
}

func (p *point) celsius(name string, t *fact.Temp) {
	if t != nil {
		p.value(name, float64(*t)/100)
	}
}
