package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// words are the words of a topic that mean yes and no.
type words struct {
	on, off []string // of the configuration, in lower case
}

func newWords(on, off []string) words { return words{lower(on), lower(off)} }

func lower(list []string) []string {
	out := make([]string, 0, len(list))
	for _, word := range list {
		out = append(out, canonical(word))
	}
	return out
}

// canonical returns a word in lower case; of a number, its shortest form, because
// 1 also comes as 1.0.
func canonical(word string) string {
	word = strings.ToLower(strings.TrimSpace(word))
	if n, err := strconv.ParseFloat(word, 64); err == nil && !noValue(word) {
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	return word
}

// both returns a word that means yes and no; empty: there is none.
func (w words) both() string {
	for _, word := range w.on {
		if slices.Contains(w.off, word) {
			return word
		}
	}
	return ""
}

// flag returns what a text means. known is false when it says that there is no
// value.
func (w words) flag(text string) (yes, known bool, err error) {
	word := canonical(text)
	switch {
	case slices.Contains(w.on, word):
		return true, true, nil
	case slices.Contains(w.off, word):
		return false, true, nil
	case noValue(text):
		return false, false, nil
	}
	switch word {
	case "true", "on", "1", "yes":
		return true, true, nil
	case "false", "off", "0", "no":
		return false, true, nil
	}
	//nolint:revive,staticcheck // on: and off: are keys of the configuration
	return false, false, fmt.Errorf("%q is neither on nor off; add it to on: or off:", shorten(text, 40))
}

// noValue reports whether a text says that there is no value: the words of Home
// Assistant, openHAB, Python and JavaScript, and what printf makes in C libraries
// and on Arduino of a number that is none or too large.
func noValue(text string) bool {
	word := strings.ToLower(strings.TrimSpace(text))
	if strings.Trim(word, "-") == "" {
		return true
	}
	switch strings.TrimLeft(word, "+-") {
	case "nan", "nan(ind)", "nan(snan)", "1.#ind", "1.#qnan", "1.#inf", "inf", "infinity", "ovf",
		"none", "null", "nil", "undef", "undefined",
		"unavailable", "unknown", "n/a", "na", "#n/a":
		return true
	}
	return false
}
