package config

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

// Faults returns each error of a check as a fault of a file's text, with the line of the
// key that it begins with. The errors are those that errors.Join or fmt.Errorf has put
// together.
func Faults(text []byte, err error) (out []Fault) {
	for _, line := range flatten(err) {
		f := Fault{Text: line}
		f.Line, f.Key = Place(text, line)
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b Fault) int { return a.Line - b.Line })
	return out
}

// flatten returns the texts of all errors that are joined in one.
func flatten(err error) (out []string) {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok && isJoined(err, many.Unwrap()) {
		for _, e := range many.Unwrap() {
			out = append(out, flatten(e)...)
		}
		return out
	}
	inner := errors.Unwrap(err)
	parts := flatten(inner)
	prefix, ends := strings.CutSuffix(err.Error(), errorText(inner))
	if len(parts) < 2 || !ends {
		return []string{err.Error()}
	}
	for _, p := range parts {
		out = append(out, prefix+p)
	}
	return out
}

// isJoined reports whether an error says no more than its parts.
func isJoined(err error, parts []error) bool { return err.Error() == errors.Join(parts...).Error() }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// keyWord finds what may be a key at the begin of a part of a message.
var keyWord = regexp.MustCompile(`^[a-z0-9_]+(\[\d+\])?(\.[a-z0-9_]+(\[\d+\])?)*$`)

// Place returns the line and the key of a file's text that a message is about: messages
// begin with keys that lead to the value, like "machines[0] fogger-20: topics[1]: …".
// line is 0 when the file has no such key.
func Place(text []byte, message string) (line int, key string) {
	var path []string
	for _, part := range strings.Split(message, ": ") {
		for i, word := range strings.Fields(part) {
			if i > 1 || !keyWord.MatchString(word) {
				break
			}
			next := append(slices.Clone(path), strings.Split(word, ".")...)
			if at := Line(text, next...); at > 0 {
				path, line = next, at
			}
		}
	}
	return line, strings.Join(path, ".")
}
