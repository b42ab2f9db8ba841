package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/config"
)

// codePrefix marks what a scanner reads; a card number stands alone.
const codePrefix = "code:"

// MaxRoster bounds a roster's file, in bytes, so that a wrong path does not exhaust the
// memory.
const MaxRoster = 64 << 20

// rows returns a reader of the roster's rows, as spreadsheets write them: in any
// encoding that config.Text takes, separated by commas, semicolons or tabs.
func rows(text []byte) (*csv.Reader, error) {
	if len(text) > MaxRoster {
		return nil, fmt.Errorf("it is larger than %d MiB: is this the roster?", MaxRoster>>20)
	}
	b, err := config.Text(text)
	if err != nil {
		return nil, err
	}
	rd := csv.NewReader(bytes.NewReader(b))
	for _, mark := range []rune{';', '\t'} {
		if bytes.HasPrefix(b, []byte(columns[0]+string(mark))) {
			rd.Comma = mark
		}
	}
	return rd, nil
}

// day returns a day as 2020-02-14. Spreadsheets in Chinese write 2020/2/14.
func day(text string) string {
	if !strings.Contains(text, "/") {
		return text
	}
	if t, err := time.Parse("2006/1/2", text); err == nil {
		return t.Format(time.DateOnly)
	}
	return text
}

// credential distinguishes a card from a code. A card is ten hex digits, as the reader
// sends it.
func credential(s string) (kind, code string, err error) {
	if text, ok := strings.CutPrefix(s, codePrefix); ok {
		if strings.TrimSpace(text) == "" {
			return "", "", errors.New("the code is empty")
		}
		return "code", text, nil
	}
	if len(s) != 10 || strings.Trim(strings.ToUpper(s), "0123456789ABCDEF") != "" {
		return "", "", fmt.Errorf("the card has %d characters; it must be 10 hex digits, or code:TEXT for a scanner%s",
			len(s), spoilt(s))
	}
	return "card", s, nil
}

// spoilt says what a spreadsheet has made of a card's number, if it looks like that.
func spoilt(card string) string {
	const text = "; a spreadsheet has changed it: format the column as text, and type the numbers again"
	if _, err := strconv.ParseFloat(card, 64); err != nil {
		return ""
	}
	if len(card) < 10 || strings.ContainsAny(card, ".+") {
		return text
	}
	return ""
}
