package mapping

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Leaf is a single value in a JSON message.
type Leaf struct {
	Path string // as it can be written in a configuration
	Text string
}

// maxLeaves bounds how many values of a message are listed, maxDepth how deep.
const (
	maxLeaves = 200
	maxDepth  = 20
)

// Leaves lists the values of a JSON message in the order of their keys, at most
// 200; none of a message that is no JSON object or array.
func Leaves(payload []byte) []Leaf {
	doc, err := parse(trim(payload))
	if err != nil {
		return nil
	}
	w := leafWalk{}
	w.walk(doc, "", 0)
	if len(w.out) == 1 && w.out[0].Path == "" {
		return nil
	}
	return w.out
}

// Unmapped lists the values of a message that the mapping does not take. An
// element of an array that is mapped by another of its names is listed too.
func (m *Mapping) Unmapped(payload []byte) []Leaf {
	return slices.DeleteFunc(Leaves(payload), func(leaf Leaf) bool {
		at, err := parsePath(leaf.Path)
		return err == nil && slices.ContainsFunc(m.fields, func(f field) bool {
			return slices.Equal(at, f.path) || slices.Equal(at, slices.Concat(m.inner, f.path))
		})
	})
}

type leafWalk struct{ out []Leaf }

func (w *leafWalk) walk(raw json.RawMessage, at string, depth int) {
	raw = enter(raw)
	if len(w.out) >= maxLeaves || len(raw) == 0 {
		return
	}
	kind := raw[0]
	if depth == maxDepth {
		kind = 0
	}
	switch kind {
	case '{':
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return
		}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			w.walk(object[key], below(at, key), depth+1)
		}
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return
		}
		for i, element := range list {
			w.walk(element, at+"["+selector(element, i)+"]", depth+1)
		}
	default:
		w.out = append(w.out, Leaf{Path: at, Text: shorten(textOf(raw), 60)})
	}
}

// nameKeys are the keys by which lists name their elements: EdgeX, SenML, and the
// gateways that copied them.
var nameKeys = []string{"name", "resourceName", "n", "id", "key"}

// selector returns how to name an element of an array: by its name if it has one.
func selector(element json.RawMessage, index int) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(element, &object) == nil {
		for _, key := range nameKeys {
			raw, ok := object[key]
			if name := textOf(raw); ok && raw[0] == '"' && name != "" && !strings.ContainsAny(name, `]"'\`) {
				return key + "=" + name
			}
		}
	}
	return strconv.Itoa(index)
}

// below returns the path of a key below another path.
func below(at, key string) string {
	var b strings.Builder
	if at != "" {
		b.WriteString(at + ".")
	}
	for _, c := range []byte(key) {
		if strings.IndexByte(`.[\`, c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}
