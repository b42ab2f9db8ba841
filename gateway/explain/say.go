package explain

import (
	"regexp"
	"strings"
)

// Words are texts by code, of one language.
type Words map[string]string

// Text returns the text of a sentence. A code without words is shown without what stands
// before its first dot: a later version may have more codes.
func (w Words) Text(s Sentence) string {
	return holes.ReplaceAllStringFunc(w.of(s.Code), func(hole string) string {
		name := hole[1 : len(hole)-1]
		if code, is := s.Words[name]; is {
			return w.of(code)
		}
		return s.With[name]
	})
}

// holes are the places of values in a text.
var holes = regexp.MustCompile(`\{\w+\}`)

func (w Words) of(code string) string {
	if text, known := w[code]; known {
		return text
	}
	return code[strings.IndexByte(code, '.')+1:]
}
