package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Reading is what one message says.
type Reading struct {
	Report wire.Report
	// Zoneless reports whether the time of the report was written without a zone:
	// that of the topic was taken.
	Zoneless bool
}

// Documented reads a message of the documented form.
func Documented(payload []byte) (Reading, error) {
	r, err := wire.Decode[wire.Report](payload)
	if err != nil {
		return Reading{}, explain(err)
	}
	return Reading{Report: r}, r.Check()
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

// Read reads a message of the topic's form; zone is that of times without one.
func (t Topic) Read(payload []byte, zone *time.Location) (Reading, error) {
	out := Reading{Report: wire.Report{V: 1}}
	if t.Value != "" {
		if err := t.put(&out, t.Value, string(bytes.TrimSpace(payload)), zone); err != nil {
			return out, err
		}
		return out, out.Report.Check()
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
	return out, out.Report.Check()
}

var errNumber = errors.New("is not a number")

// put sets the field of a name from its text.
func (t Topic) put(r *Reading, name, text string, zone *time.Location) error {
	if n, ok := fact.NumberNamed(name); ok {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s: %.40q %w", name, text, errNumber)
		}
		if scale, ok := t.Scale[name]; ok {
			v *= scale
		}
		*n.Of(&r.Report.Values) = &v
		return nil
	}
	if f, ok := fact.FlagNamed(name); ok {
		*f.Of(&r.Report.Values) = new(t.yes(text))
		return nil
	}
	switch name {
	case fact.FieldFault:
		r.Report.Fault = text
	case "at":
		at, zoneless, err := parseTime(text, zone)
		if err != nil {
			return err
		}
		r.Report.At, r.Zoneless = &at, zoneless
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
func parseTime(text string, zone *time.Location) (at wire.Time, zoneless bool, err error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n > 1e11 {
			return wire.At(time.UnixMilli(n)), false, nil
		}
		return wire.At(time.Unix(n, 0)), false, nil
	}
	if v, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return wire.At(v), false, nil
	}
	if v, err := time.ParseInLocation("2006-01-02T15:04:05", text, zone); err == nil {
		return wire.At(v), true, nil
	}
	return wire.Time{}, false, fmt.Errorf("at: %.40q is not a time", text)
}
