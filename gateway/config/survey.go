package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Fault is one thing that is wrong with a file.
type Fault struct {
	Line int    `json:"line,omitempty"` // from 1; 0: the whole file
	Key  string `json:"key,omitempty"`  // where, like devices[0].port; empty: the whole file
	Text string `json:"text"`           // the key, what is wrong, and what to write instead
}

// Survey reads YAML text into a T like Parse, and returns all faults at once, by line: keys
// that T does not have, values of another type, keys that are there twice. v holds
// what is right. Without faults v is what Parse returns.
func Survey[T any](b []byte) (v T, faults []Fault) {
	defer func() { // the library panics at some texts that are no YAML
		if p := recover(); p != nil {
			faults = []Fault{{Text: fmt.Sprintf(
				"this is no YAML (%v): look for a stray ! & * or | at the begin of a word", p)}}
		}
	}()
	text, err := Text(b)
	if err != nil {
		return v, []Fault{{Text: err.Error()}}
	}
	if err := checkAliases(text); err != nil {
		return v, []Fault{{Text: err.Error()}}
	}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return v, []Fault{{Line: lineOfError(err), Text: yaml.FormatError(err, false, false) + wideMarks(text)}}
	}
	if len(file.Docs) == 1 && file.Docs[0].Body != nil {
		s := surveyor{anchors: anchorsOf(file.Docs[0].Body)}
		s.walk(file.Docs[0].Body, reflect.TypeFor[T](), "")
		if len(s.faults) > 0 {
			_ = yaml.NodeToValue(file.Docs[0].Body, &v) // what is wrong was taken out
			slices.SortStableFunc(s.faults, func(a, b Fault) int { return a.Line - b.Line })
			return v, s.faults
		}
	}
	if v, err = Parse[T](b); err != nil {
		return v, []Fault{{Line: lineOfError(err), Text: err.Error()}}
	}
	return v, nil
}

// lineOfError returns the line that an error of the library names; 0: none.
func lineOfError(err error) int {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
		return e.GetToken().Position.Line
	}
	return 0
}

// anchorsOf returns the values of a file's anchors (&name).
func anchorsOf(n ast.Node) map[string]ast.Node {
	out := map[string]ast.Node{}
	for _, a := range ast.Filter(ast.AnchorType, n) {
		if a, ok := a.(*ast.AnchorNode); ok {
			out[a.Name.String()] = a.Value
		}
	}
	return out
}

// surveyor compares the nodes of a file with a type, and takes out what does not fit.
type surveyor struct {
	anchors map[string]ast.Node
	faults  []Fault
}

func (s *surveyor) add(n ast.Node, key, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if key != "" {
		text = key + ": " + text
	}
	s.faults = append(s.faults, Fault{n.GetToken().Position.Line, key, text})
}

// walk reports whether the value of a key fits a type. Of one that fits in part it takes
// out the rest.
func (s *surveyor) walk(n ast.Node, t reflect.Type, key string) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		return s.walk(n.Value, t, key)
	case *ast.AliasNode:
		if a := s.anchors[n.Value.String()]; a != nil {
			return s.leaf(a, t, key)
		}
		s.add(n, key, "*%s stands for nothing: no &%[1]s is in the file", n.Value)
		return false
	case *ast.NullNode:
		return true
	}
	switch {
	case own(t):
		return s.leaf(n, t, key)
	case t.Kind() == reflect.Struct:
		return s.object(n, t, key)
	case t.Kind() == reflect.Map:
		return s.table(n, t, key)
	case t.Kind() == reflect.Slice:
		return s.list(n, t, key)
	}
	return s.leaf(n, t, key)
}

// own reports whether a type reads its text itself.
func own(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	for _, i := range []reflect.Type{reflect.TypeFor[interface{ UnmarshalText([]byte) error }](),
		reflect.TypeFor[yaml.BytesUnmarshaler](), reflect.TypeFor[yaml.InterfaceUnmarshaler]()} {
		if p.Implements(i) {
			return true
		}
	}
	return false
}

func (s *surveyor) object(n ast.Node, t reflect.Type, key string) bool {
	m, ok := mapping(n)
	if !ok {
		s.add(n, key, "write its keys below it (%s)", strings.Join(names(t), ", "))
		return false
	}
	fields := fieldsOf(t)
	s.filter(m, key, func(name string, v *ast.MappingValueNode) bool {
		f, known := fields[name]
		if !known {
			s.add(v.Key, join(key, name), "%s", unknownKey(name, names(t)))
			return false
		}
		return s.walk(v.Value, f, join(key, name))
	})
	return true
}

func (s *surveyor) table(n ast.Node, t reflect.Type, key string) bool {
	m, ok := mapping(n)
	if !ok {
		s.add(n, key, "write names and values below it")
		return false
	}
	s.filter(m, key, func(name string, v *ast.MappingValueNode) bool {
		return s.walk(v.Value, t.Elem(), join(key, name))
	})
	return true
}

// filter keeps the entries of a mapping that fit. Merged ones (<<) are left to the decoder.
func (s *surveyor) filter(m *ast.MappingNode, key string, fits func(string, *ast.MappingValueNode) bool) {
	seen := map[string]int{}
	m.Values = slices.DeleteFunc(m.Values, func(v *ast.MappingValueNode) bool {
		if v.Key.IsMergeKey() {
			return false
		}
		name := nameOf(v.Key)
		if at := seen[name]; at > 0 {
			s.add(v.Key, join(key, name), "the key is there already, in line %d: keep one of them", at)
			return true
		}
		seen[name] = v.Key.GetToken().Position.Line
		return !fits(name, v)
	})
}

func (s *surveyor) list(n ast.Node, t reflect.Type, key string) bool {
	l, ok := n.(*ast.SequenceNode)
	if !ok {
		s.add(n, key, "write a list: one line for each, which begins with -")
		return false
	}
	i := -1
	l.Values = slices.DeleteFunc(l.Values, func(item ast.Node) bool {
		i++
		return !s.walk(item, t.Elem(), fmt.Sprintf("%s[%d]", key, i))
	})
	return true
}

// leaf reads one value.
func (s *surveyor) leaf(n ast.Node, t reflect.Type, key string) bool {
	err := yaml.NodeToValue(n, reflect.New(t).Interface(), yaml.Strict())
	if err == nil {
		return true
	}
	s.add(n, key, "%s", wrongValue(err, n, t))
	return false
}

// nameOf returns a key as the decoder reads it.
func nameOf(k ast.Node) string {
	switch k := k.(type) {
	case *ast.MappingKeyNode:
		return nameOf(k.Value)
	case *ast.StringNode:
		return k.Value
	}
	return strings.Trim(k.String(), `"'`)
}

// mapping returns the entries of a node.
func mapping(n ast.Node) (*ast.MappingNode, bool) {
	m, ok := n.(*ast.MappingNode)
	return m, ok
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// Keys returns the keys at the top of a file that is read into a T, in the order of the
// fields.
func Keys[T any]() []string { return names(reflect.TypeFor[T]()) }

// Tops returns the keys at the top of YAML text; nil: it has none, or is no YAML.
func Tops(b []byte) (out []string) {
	text, err := Text(b)
	if err != nil {
		return nil
	}
	file, err := parser.ParseBytes(bytes.TrimSpace(text), 0, parser.AllowDuplicateMapKey())
	if err != nil || len(file.Docs) == 0 {
		return nil
	}
	m, ok := mapping(file.Docs[0].Body)
	if !ok {
		return nil
	}
	for _, v := range m.Values {
		out = append(out, nameOf(v.Key))
	}
	return out
}
