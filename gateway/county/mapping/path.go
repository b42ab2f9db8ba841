package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// path leads to a value in JSON, step by step. As text:
//
//	FLOW.Rate                     the key Rate in the object FLOW
//	params.switch:0.output        a key may contain anything but . [ and \
//	flow\.rate  ["flow.rate"]     the key flow.rate
//	readings[0].value             the first element of an array; [-1] is the last
//	readings[name=flow].value     the element whose name is flow; the last of several
//
// A leading $ stands for the message itself, as in JSONPath. A string that holds
// JSON is entered like the object or array in it.
type path []step

// step is a key, an index, or a key and what its value must be.
type step struct {
	kind  stepKind
	key   string
	index int
	value string
}

type stepKind uint8

const (
	stepKey stepKind = iota
	stepIndex
	stepMatch
)

// maxSteps bounds a path.
const maxSteps = 32

var errPath = errors.New(`write a path as FLOW.Rate, readings[0].value, readings[name=flow].value or flow\.rate`)

func parsePath(text string) (out path, err error) {
	rest := text
	if strings.HasPrefix(rest, "$.") || strings.HasPrefix(rest, "$[") {
		rest = strings.TrimPrefix(rest[1:], ".")
	}
	for first := true; rest != "" || first; first = false {
		var s step
		if rest != "" && rest[0] == '[' {
			s, rest, err = bracket(rest)
		} else {
			if !first {
				after, dot := strings.CutPrefix(rest, ".")
				if !dot {
					return nil, fmt.Errorf("%q: %w", text, errPath)
				}
				rest = after
			}
			s, rest, err = plain(rest)
		}
		if err != nil || len(out) == maxSteps {
			return nil, fmt.Errorf("%q: %w", text, errPath)
		}
		out = append(out, s)
	}
	return out, nil
}

// plain reads a key up to the next dot or bracket; a backslash takes the
// character behind it as it is.
func plain(text string) (s step, rest string, err error) {
	var key strings.Builder
	i := 0
	for ; i < len(text) && text[i] != '.' && text[i] != '['; i++ {
		if text[i] == '\\' {
			if i++; i == len(text) {
				return s, "", errPath
			}
		}
		key.WriteByte(text[i])
	}
	if i == 0 {
		return s, "", errPath
	}
	return step{key: key.String()}, text[i:], nil
}

// bracket reads [0], ["a key"], [name=flow] or [name="a value"].
func bracket(text string) (s step, rest string, err error) {
	if key, after, ok := quoted(text[1:]); ok && strings.HasPrefix(after, "]") {
		return step{key: key}, after[1:], nil
	}
	name, after, match := strings.Cut(text[1:], "=")
	name, after = strings.TrimSpace(name), strings.TrimLeft(after, " ")
	if match && !strings.Contains(name, "]") {
		value, end, ok := quoted(after)
		if ok && strings.HasPrefix(end, "]") {
			return step{kind: stepMatch, key: name, value: value}, end[1:], checkKey(name)
		}
		value, end, ok = strings.Cut(after, "]")
		if !ok {
			return s, "", errPath
		}
		return step{kind: stepMatch, key: name, value: strings.TrimSpace(value)}, end, checkKey(name)
	}
	inside, rest, ok := strings.Cut(text[1:], "]")
	if !ok {
		return s, "", errPath
	}
	if n, err := strconv.Atoi(inside); err == nil {
		return step{kind: stepIndex, index: n}, rest, nil
	}
	return step{key: inside}, rest, checkKey(inside)
}

func checkKey(key string) error {
	if key == "" {
		return errPath
	}
	return nil
}

// quoted reads a text in quotes, single or double.
func quoted(text string) (inside, rest string, ok bool) {
	if text == "" || text[0] != '"' && text[0] != '\'' {
		return "", "", false
	}
	return strings.Cut(text[1:], text[:1])
}

// find returns the value at a path.
func (p path) find(raw json.RawMessage) (json.RawMessage, bool) {
	for _, s := range p {
		var ok bool
		if raw, ok = s.take(enter(raw)); !ok {
			return nil, false
		}
	}
	return raw, true
}

// enter returns the JSON object or array that a string holds, or raw.
func enter(raw json.RawMessage) json.RawMessage {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return raw
	}
	inside := bytes.TrimSpace([]byte(text))
	if !composed(inside) {
		return raw
	}
	if inside, err := parse(inside); err == nil {
		return inside
	}
	return raw
}

// composed reports whether raw begins like an object or an array.
func composed(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte("{")) || bytes.HasPrefix(raw, []byte("["))
}

// take returns the value that the step leads to.
func (s step) take(raw json.RawMessage) (json.RawMessage, bool) {
	if bytes.HasPrefix(raw, []byte("{")) && s.kind == stepKey {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return nil, false
		}
		below, ok := object[s.key]
		return below, ok
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	switch s.kind {
	case stepMatch:
		for i := len(list) - 1; i >= 0; i-- {
			if value, ok := (step{key: s.key}).take(enter(list[i])); ok && textOf(value) == s.value {
				return list[i], true
			}
		}
		return nil, false
	case stepKey:
		n, err := strconv.Atoi(s.key)
		if err != nil || n < 0 {
			return nil, false
		}
		s.index = n
	case stepIndex:
		if s.index < 0 {
			s.index += len(list)
		}
	}
	if s.index < 0 || s.index >= len(list) {
		return nil, false
	}
	return list[s.index], true
}

// textOf returns a value of JSON as text, a string without its quotes.
func textOf(raw json.RawMessage) string {
	var text string
	if string(raw) == "null" || json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return text
}
