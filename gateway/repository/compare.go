package repository

import (
	"cmp"
	"strings"
)

// Compare orders two versions as dpkg does (deb-version(7)): negative when a is earlier.
func Compare(a, b string) int {
	aEpoch, aRest := epoch(a)
	bEpoch, bRest := epoch(b)
	aUp, aRev := revision(aRest)
	bUp, bRev := revision(bRest)
	return cmp.Or(digits(aEpoch, bEpoch), part(aUp, bUp), part(aRev, bRev))
}

func epoch(v string) (epoch, rest string) {
	if e, rest, ok := strings.Cut(v, ":"); ok {
		return e, rest
	}
	return "", v
}

func revision(v string) (upstream, revision string) {
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], v[i+1:]
	}
	return v, ""
}

// part compares what is no number and what is one in turn.
func part(a, b string) int {
	for a != "" || b != "" {
		aText, aRest := span(a, false)
		bText, bRest := span(b, false)
		if c := texts(aText, bText); c != 0 {
			return c
		}
		aNumber, aMore := span(aRest, true)
		bNumber, bMore := span(bRest, true)
		if c := digits(aNumber, bNumber); c != 0 {
			return c
		}
		a, b = aMore, bMore
	}
	return 0
}

// span cuts the longest begin of v that is of digits, or of none.
func span(v string, number bool) (begin, rest string) {
	i := strings.IndexFunc(v, func(r rune) bool { return (r >= '0' && r <= '9') != number })
	if i < 0 {
		return v, ""
	}
	return v[:i], v[i:]
}

// digits compares numbers of any length; no digits are 0.
func digits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// texts compares what is no number: ~ before the end, the end before letters, letters before
// the rest.
func texts(a, b string) int {
	for i := range max(len(a), len(b)) {
		if c := cmp.Compare(weight(a, i), weight(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

func weight(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] == '~':
		return -1
	case s[i] >= 'A' && s[i] <= 'Z', s[i] >= 'a' && s[i] <= 'z':
		return int(s[i])
	}
	return int(s[i]) + 256
}
