package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// decode reads a report of the documented form.
func decode(payload []byte) (wire.Report, error) {
	r, err := wire.Decode[wire.Report](payload)
	if err != nil {
		return r, explain(err)
	}
	return r, r.Check()
}

// explain rewrites an error of encoding/json for the author of a machine's
// firmware.
func explain(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("the message is not JSON: %w", syntax)
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("the message is a JSON %s, not an object", kind.Value)
	case errors.As(err, &kind):
		field := strings.ReplaceAll(kind.Field, "Values.", "") // the embedded struct has no name on the wire
		return fmt.Errorf("%s: a %s can't be a %s", field, kind.Value, kind.Type)
	}
	return err
}

// value returns the value at a path such as SENSOR.Rate in JSON.
func value(doc map[string]json.RawMessage, path string) (json.RawMessage, bool) {
	key, rest, deeper := strings.Cut(path, ".")
	raw, ok := doc[key]
	if !ok || !deeper {
		return raw, ok
	}
	var below map[string]json.RawMessage
	if json.Unmarshal(raw, &below) != nil {
		return nil, false
	}
	return value(below, rest)
}

// decode reads a message of a mapped form; zone is that of times without one.
func (t Topic) decode(payload []byte, zone *time.Location) (wire.Report, error) {
	out := wire.Report{V: 1}
	if t.Value != "" {
		if err := t.put(&out, t.Value, string(bytes.TrimSpace(payload)), zone); err != nil {
			return out, err
		}
		return out, out.Check()
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(payload, &doc); err != nil {
		return out, fmt.Errorf("the message is not a JSON object: %w", err)
	}
	for name, path := range t.Fields {
		raw, ok := value(doc, path)
		if !ok || string(raw) == "null" {
			continue // not in every message
		}
		text := string(raw)
		var unquoted string
		if json.Unmarshal(raw, &unquoted) == nil {
			text = unquoted
		}
		if err := t.put(&out, name, text, zone); err != nil {
			return out, fmt.Errorf("%s: %w", path, err)
		}
	}
	return out, out.Check()
}

var errNumber = errors.New("is not a number")

// put sets the field of a name from its text.
func (t Topic) put(r *wire.Report, name, text string, zone *time.Location) error {
	if n, ok := fact.NumberNamed(name); ok {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s: %.40q %w", name, text, errNumber)
		}
		if scale, ok := t.Scale[name]; ok {
			v *= scale
		}
		*n.Of(&r.Values) = &v
		return nil
	}
	if f, ok := fact.FlagNamed(name); ok {
		*f.Of(&r.Values) = new(t.yes(text))
		return nil
	}
	switch name {
	case fact.FieldFault:
		r.Fault = text
	case "at":
		at, err := parseTime(text, zone)
		if err != nil {
			return err
		}
		r.At = &at
	}
	return nil
}

func (t Topic) yes(text string) bool {
	for _, on := range append([]string{"true", "on", "1", "yes"}, t.On...) {
		if strings.EqualFold(text, on) {
			return true
		}
	}
	return false
}

// parseTime reads RFC 3339, seconds or milliseconds since 1970, and a local time
// without a zone, as Tasmota writes it.
func parseTime(text string, zone *time.Location) (wire.Time, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n > 1e11 {
			return wire.At(time.UnixMilli(n)), nil
		}
		return wire.At(time.Unix(n, 0)), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05"} {
		if v, err := time.ParseInLocation(layout, text, zone); err == nil {
			return wire.At(v), nil
		}
	}
	return wire.Time{}, fmt.Errorf("at: %.40q is not a time", text)
}

// Limits of a machine's clock.
const (
	tooEarly = 10 * time.Minute    // ahead of the collector's
	tooLate  = 14 * 24 * time.Hour // behind it: reports may wait for a link so long
)

// when returns the time of a report. If its own can't be right, wrong is true and
// the time is that of its arrival.
func when(r wire.Report, received time.Time) (at time.Time, wrong bool) {
	if r.At == nil {
		return received, false
	}
	if r.At.After(received.Add(tooEarly)) || r.Import == nil && r.At.Before(received.Add(-tooLate)) {
		return received, true
	}
	return r.At.Time, false
}

// points returns a report's points without the values that can't be true, and
// what is wrong with those.
func points(r wire.Report) (out []wire.TrackPoint, bad []error) {
	out = r.Points
	if r.Import == nil {
		out = []wire.TrackPoint{{Values: r.Values}}
	}
	for i := range out {
		bad = append(bad, runs.Clean(&out[i].Values)...)
	}
	return out, bad
}
