package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// parse returns payload as JSON. Words that other languages write for a number
// that is none (NaN, Infinity, None, …) become null, and True and False become
// true and false.
func parse(payload []byte) (json.RawMessage, error) {
	if json.Valid(payload) {
		return payload, nil
	}
	mended := mend(payload)
	var out json.RawMessage
	return out, json.Unmarshal(mended, &out)
}

// mend replaces the words outside of strings that JSON does not know.
func mend(payload []byte) []byte {
	out := make([]byte, 0, len(payload))
	for i := 0; i < len(payload); {
		n := 0
		for i+n < len(payload) && wordByte(payload[i+n]) {
			n++
		}
		out = append(out, mendWord(payload[i:i+n])...)
		i += n
		n = 0
		if i < len(payload) {
			n = stringEnd(payload[i:])
		}
		out = append(out, payload[i:i+n]...)
		i += n
	}
	return out
}

// wordByte reports whether c may be part of a number or a word outside of strings.
func wordByte(c byte) bool {
	return strings.IndexByte("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-.#", c) >= 0
}

// stringEnd returns the length of the JSON string at the front of b, or of b if
// it does not end; 1 if no string is there.
func stringEnd(b []byte) int {
	if b[0] != '"' {
		return 1
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

func mendWord(word []byte) []byte {
	switch text := strings.ToLower(string(word)); text {
	case "":
		return nil
	case "true", "false":
		return []byte(text)
	default:
		if noValue(text) {
			return []byte("null")
		}
	}
	return word
}

// trim removes what firmware leaves around a text: a byte order mark, white space
// and the NULs at the end of a C string.
func trim(payload []byte) []byte {
	payload = bytes.TrimPrefix(bytes.TrimSpace(payload), []byte("\ufeff"))
	return bytes.Trim(payload, " \t\r\n\v\f\x00")
}

// Documented reads a message of the documented form.
func Documented(payload []byte) (Reading, error) {
	doc, err := parse(payload)
	if err != nil {
		doc = payload // Decode says where the fault is
	}
	var all map[string]json.RawMessage
	absent := false
	if json.Unmarshal(doc, &all) == nil {
		absent = dropAbsent(all)
	}
	r, err := wire.Decode[wire.Report](doc)
	if err != nil && absent {
		if doc, err = json.Marshal(all); err == nil {
			r, err = wire.Decode[wire.Report](doc)
		}
	}
	if err != nil {
		return Reading{}, explain(err)
	}
	out := Reading{Report: r, Fields: documentedFields(all)}
	if absent && out.Empty() && r.V == 1 && len(r.Points) == 0 {
		return out, nil // it says that there is no value
	}
	return out, r.Check()
}

// dropAbsent sets the known fields of a message to null that say that they have no
// value, and reports whether there are any.
func dropAbsent(all map[string]json.RawMessage) (absent bool) {
	for _, name := range names() {
		raw, ok := all[name]
		if !ok || name == fact.FieldFault || string(raw) != "null" && (raw[0] != '"' || !noValue(textOf(raw))) {
			continue
		}
		all[name] = json.RawMessage("null")
		absent = true
	}
	return absent
}

// documentedFields lists the known fields of a message of the documented form.
func documentedFields(all map[string]json.RawMessage) (out []Field) {
	for _, name := range names() {
		raw, ok := all[name]
		if !ok {
			continue
		}
		state := Filled
		if string(raw) == "null" {
			state = NoValue
		}
		out = append(out, Field{Name: name, Path: name, Text: textOf(raw), State: state})
	}
	return out
}

// explain rewrites an error of encoding/json for the author of a machine's
// firmware.
func explain(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("the message is not JSON: %w", syntax)
	case errors.As(err, &kind):
		if kind.Field == "" {
			return fmt.Errorf("the message is a JSON %s, not an object", kind.Value)
		}
		field := strings.ReplaceAll(kind.Field, "Values.", "") // the embedded struct has no name on the wire
		return fmt.Errorf("%s: a %s can't be a %s", field, kind.Value, kind.Type)
	}
	return err
}

// shorten returns the beginning of a text, for an error.
func shorten(text string, runes int) string {
	if utf8.RuneCountInString(text) <= runes {
		return text
	}
	return string([]rune(text)[:runes]) + "…"
}
