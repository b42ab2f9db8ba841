package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// fieldsOf returns the types of a struct's fields by their keys in a file, those of
// inlined structs included.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	each(t, func(name string, f reflect.Type) { out[name] = f })
	return out
}

// names returns the keys of a struct, in the order of its fields.
func names(t reflect.Type) (out []string) {
	each(t, func(name string, _ reflect.Type) { out = append(out, name) })
	return out
}

func each(t reflect.Type, do func(name string, f reflect.Type)) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported() && !f.Anonymous, name == "-":
		case slices.Contains(strings.Split(options, ","), "inline"):
			each(f.Type, do)
		case name == "":
			do(strings.ToLower(f.Name), f.Type)
		default:
			do(name, f.Type)
		}
	}
}

// unknownKey says that a key is none of the known ones, and which one was meant.
func unknownKey(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return fmt.Sprintf("unknown key: write %s", near)
	}
	return "unknown key: it can be " + strings.Join(known, ", ")
}

// wrongValue says what to write instead of a value that is not of a type.
func wrongValue(err error, n ast.Node, t reflect.Type) string {
	is := strings.TrimSpace(n.String())
	switch {
	case own(t):
		return innermost(err).Error()
	case t == reflect.TypeFor[time.Duration]():
		return fmt.Sprintf("%s is no duration: write a number with its unit, such as 30s, 15m or 1h", is)
	case t.Kind() == reflect.Bool:
		return is + " is neither true nor false: write one of them"
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		return is + " is no whole number from 0, or too large: write one"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		return is + " is no whole number: write one"
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return is + " is no number: write one, with a point before its decimals"
	case t.Kind() == reflect.String:
		return "write one text here, no list and no keys"
	}
	return yaml.FormatError(err, false, false)
}

func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// Nearest returns the word of a list that somebody has most likely meant: the one that
// differs in the fewest letters, at most a third of them; empty: none is near.
func Nearest(word string, list []string) string {
	best, near := max(1, len(word)/3)+1, ""
	for _, w := range list {
		if d := distance(strings.ToLower(word), w); d < best {
			best, near = d, w
		}
	}
	if near == "" && len(word) >= 3 {
		for _, w := range list {
			if strings.HasPrefix(w, word) || strings.HasPrefix(word, w) {
				return w
			}
		}
	}
	return near
}

// distance counts the letters that are to be added, removed, changed, or exchanged with
// their neighbour to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
