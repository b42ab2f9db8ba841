package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Reading is what one message says.
type Reading struct {
	Report wire.Report
	// Zoneless reports whether the time of the report was written without a zone:
	// that of the topic was taken.
	Zoneless bool
	// Fields says what became of each field of the mapping, or of each known one in a
	// message of the documented form.
	Fields []Field
}

// Empty reports whether the message says nothing of the machine: it holds none of
// the mapped fields, besides a time, or they say that there is no value. It is for
// somebody else, and no fault.
func (r Reading) Empty() bool { return r.Report.Import == nil && r.Report.Empty() }

// Field is what one field found in a message.
type Field struct {
	Name  string // ours, such as flow_lpm
	Path  string // in the message, as configured; empty: the whole message
	Text  string // what is there
	State State
}

// State is what became of a field.
type State uint8

// States of a field.
const (
	Missing State = iota // the message does not have it
	NoValue              // it says that there is no value: nan, unavailable, null
	Filled               // it has a value
)

// Read reads a message of the topic's form. The error says what can't be
// understood, and what to change.
func (m *Mapping) Read(payload []byte) (Reading, error) {
	out := Reading{Report: wire.Report{V: 1}}
	payload = trim(payload)
	find := func(field) (json.RawMessage, bool) { return payload, true }
	switch {
	case m.value:
		if !composed(payload) && !bytes.HasPrefix(payload, []byte(`"`)) {
			payload, _ = json.Marshal(string(payload)) // a string can be marshalled
		}
	case noValue(string(payload)):
		find = func(field) (json.RawMessage, bool) { return nil, false }
	default:
		doc, err := parse(payload)
		if err != nil {
			return out, fmt.Errorf("the message is not a JSON object: %w", err)
		}
		if find, err = m.finder(doc); err != nil {
			return out, err
		}
	}
	for _, f := range m.fields {
		raw, found := find(f)
		read := Field{Name: f.name, Path: f.text}
		if found {
			if err := m.put(&out, &read, f, raw); err != nil {
				return out, err
			}
		}
		out.Fields = append(out.Fields, read)
	}
	if out.Empty() {
		return out, nil
	}
	return out, out.Report.Check()
}

// finder returns how to find a field in a message.
func (m *Mapping) finder(doc json.RawMessage) (func(field) (json.RawMessage, bool), error) {
	doc = enter(doc)
	if !composed(doc) {
		return nil, fmt.Errorf("the message is not a JSON object: it is %s; give value instead of fields",
			shorten(string(doc), 40))
	}
	var inside json.RawMessage
	if m.inner != nil {
		raw, ok := m.inner.find(doc)
		inside = enter(raw)
		if text := textOf(inside); ok && !noValue(text) && !composed(inside) {
			return nil, fmt.Errorf("json: %q is no JSON object", shorten(text, 40))
		}
	}
	return func(f field) (json.RawMessage, bool) {
		if raw, ok := f.path.find(inside); ok {
			return raw, true
		}
		return f.path.find(doc)
	}, nil
}

// put sets the field f from what the message has for it, and says in read what
// became of it.
func (m *Mapping) put(r *Reading, read *Field, f field, raw json.RawMessage) error {
	read.Text = string(trim([]byte(textOf(raw))))
	if inside := enter(raw); f.name != fact.FieldFault && composed(inside) {
		return f.fault(notOne(inside, f.text))
	}
	known, err := m.set(r, f, read.Text)
	if err != nil {
		return f.fault(err)
	}
	read.State = NoValue
	if known {
		read.State = Filled
	}
	return nil
}

// set sets the field f from a text. known is false when the text says that there
// is no value.
func (m *Mapping) set(r *Reading, f field, text string) (known bool, err error) {
	if n, ok := fact.NumberNamed(f.name); ok {
		v, known, err := number(n, text, f.scale)
		if known {
			*n.Of(&r.Report.Values) = &v
		}
		return known, err
	}
	if flag, ok := fact.FlagNamed(f.name); ok {
		yes, known, err := m.words.flag(text)
		if known {
			*flag.Of(&r.Report.Values) = &yes
		}
		return known, err
	}
	if f.name == fact.FieldFault {
		yes, known, err := m.words.flag(text)
		if err == nil && (!known || !yes) || text == "[]" || text == "{}" {
			return false, nil // no fault
		}
		r.Report.Fault = text
		return true, nil
	}
	at, zoneless, known, err := parseTime(text, m.zone)
	if known {
		r.Report.At, r.Zoneless = new(wire.At(at)), zoneless
	}
	return known, err
}

// fault returns an error of the field with its path and name.
func (f field) fault(err error) error {
	if f.text == "" {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	return fmt.Errorf("%s: %s: %w", f.text, f.name, err)
}

// notOne says that a value is an object or an array, and how to name one in it.
func notOne(raw json.RawMessage, where string) error {
	var paths []string
	for _, leaf := range Leaves(raw) {
		path := leaf.Path
		if where != "" && !strings.HasPrefix(path, "[") {
			path = "." + path
		}
		if paths = append(paths, where+path); len(paths) == 3 {
			break
		}
	}
	such := strings.Join(paths, ", ")
	if where == "" {
		return fmt.Errorf("the message is JSON: give fields with a path instead of value (it has %s)", such)
	}
	if such == "" {
		return errors.New("is empty, and no value")
	}
	return fmt.Errorf("is not one value: give a path such as %s", such)
}
