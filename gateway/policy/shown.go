package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shownColumn is the roster's column of what the guard sees of a person: building, staircase
// and a masked name, such as 3栋2单元 王**. It decides nothing, and is on the gate's own screen
// only: neither in records nor in messages, but for the encrypted set of rules.
const shownColumn = "shown"

// MaxShown bounds what the guard sees of a person, so that it has room on a small screen: a
// Chinese character counts twice.
const MaxShown = 18

// What may not be in a line of a person: six digits in a row, or nine with blanks, points or
// hyphens between them, are no address; nor are ten hex digits, which are a card.
var (
	longNumber = regexp.MustCompile(`[0-9〇零一二三四五六七八九幺]{6}|[0-9](?:[ .\-]?[0-9]){8}`)
	cardNumber = regexp.MustCompile(`[0-9A-Fa-f]{10}`)
)

// checkShown returns an error when a line of a person is too long, or may be a number that a
// guard need not see. It does not repeat the line.
func checkShown(text string) error {
	if widthOf(text) > MaxShown {
		return fmt.Errorf("shown has more than %d characters, or %d Chinese ones: write building, staircase and a "+
			"masked name, such as 3栋2单元 王**", MaxShown, MaxShown/2)
	}
	plain := strings.Map(func(c rune) rune {
		switch {
		case c >= '！' && c <= '～': // the same, as wide as a Chinese character
			return c - '！' + '!'
		case unicode.IsDigit(c) && c > unicode.MaxASCII:
			return '0' // of another script
		}
		return c
	}, text)
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }):
		return errors.New("shown has characters that are not printed: type it again")
	case strings.Contains(strings.ToLower(plain), codePrefix), longNumber.MatchString(plain),
		cardNumber.MatchString(plain):
		return errors.New("shown looks like the number of an ID card, a telephone or a card: write building, " +
			"staircase and a masked name, such as 3栋2单元 王**")
	}
	return nil
}

// widthOf returns how many columns a text has: a Chinese character has two.
func widthOf(text string) (n int) {
	for _, c := range text {
		if n++; c >= '⺀' {
			n++
		}
	}
	return n
}

// lines are the lines of people, one after the other: a byte with the length, then the text.
type lines struct{ text []byte }

// add adds a line, and returns where it is; 0: it is empty.
func (l *lines) add(text string) int32 {
	if text == "" {
		return 0
	}
	if len(l.text) == 0 {
		l.text = append(l.text, 0)
	}
	at := int32(len(l.text)) //nolint:gosec // a roster has 64 MiB at most
	l.text = append(append(l.text, byte(len(text))), text...)
	return at
}

// at returns the line at a place.
func (l *lines) at(i int32) string {
	if i == 0 {
		return ""
	}
	return string(l.text[i+1 : i+1+int32(l.text[i])])
}

// Shown returns what the guard sees of somebody with a credential; empty: the roster says
// nothing. Nobody but the gate's own screen may get it.
func (r *Rules) Shown(credential string) string {
	i, known := r.byCard[credential]
	if !known {
		return ""
	}
	return r.people.lines.at(r.people.rows[i].shown)
}

// shown returns what a row says for the guard.
func (r *roster) shown(row []string) (string, error) {
	i := slices.Index(r.more, shownColumn)
	if i < 0 {
		return "", nil
	}
	text := strings.TrimSpace(row[len(columns)+i])
	return text, checkShown(text)
}

// WithoutShown returns a roster of which the guard sees no person, for a file that is not
// encrypted. Its lines are as they were.
func WithoutShown(text []byte) ([]byte, error) {
	rd, err := rows(text)
	if err != nil {
		return nil, err
	}
	all, err := rd.ReadAll()
	if err != nil || len(all) == 0 || !slices.Contains(all[0], shownColumn) {
		return text, err
	}
	at := slices.Index(all[0], shownColumn)
	for _, row := range all[1:] {
		row[at] = ""
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	err = w.WriteAll(all)
	return b.Bytes(), err
}
