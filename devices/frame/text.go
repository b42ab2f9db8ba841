package frame

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Scanners put before the text, depending on their set-up, the AIM identifier of the
// symbology (]Q1; ISO/IEC 15424) and the ECI designators of the code as text (\000026
// for UTF-8, \000029 for GB18030; AIM ITS/04-001); code makers put a byte order mark.
var (
	aimPrefix = regexp.MustCompile(`^\][A-Za-z][0-9A-Za-z]`)
	eciPrefix = regexp.MustCompile(`^\\(\d{6})`)
	eciInside = regexp.MustCompile(`\\\d{6}|\\\\`)
)

// eciLast is the highest number in use for a character set; other digits after a
// backslash are text.
const eciLast = 899

// Text returns the text of a code: without prefixes and suffixes, in UTF-8, its lines
// ended by LF. Text that is no UTF-8 is read as GB18030. It returns an error that wraps
// ErrFrame when the bytes are no text.
func Text(raw []byte) (string, error) {
	raw = bytes.TrimLeft(bytes.TrimRight(raw, suffixes), suffixes+"\x02")
	raw = aimPrefix.ReplaceAll(raw, nil)
	eci := false
	for m := eciPrefix.FindSubmatch(raw); m != nil; m = eciPrefix.FindSubmatch(raw) {
		if n, err := strconv.Atoi(string(m[1])); err != nil || n > eciLast {
			break
		}
		raw, eci = raw[len(m[0]):], true
	}
	text, err := decode(bytes.TrimPrefix(raw, []byte("\ufeff")))
	if err != nil {
		return "", err
	}
	if eci {
		text = unescape(text)
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	switch i := strings.IndexFunc(text, noText); {
	case text == "":
		return "", fmt.Errorf("a code without text: %w", ErrFrame)
	case i >= 0:
		r, _ := utf8.DecodeRuneInString(text[i:])
		return "", fmt.Errorf("a code with %U in it: %w", r, ErrFrame)
	}
	return text, nil
}

// unescape removes further designators from text that had one, and the second of two
// backslashes.
func unescape(text string) string {
	return eciInside.ReplaceAllStringFunc(text, func(s string) string {
		if s == `\\` {
			return `\`
		}
		return ""
	})
}

// decode returns raw as UTF-8.
func decode(raw []byte) (string, error) {
	if utf8.Valid(raw) && (!strange(string(raw)) || !chinese(raw)) {
		return string(raw), nil
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw)
	if err != nil || bytes.ContainsRune(out, utf8.RuneError) || !chinese(raw) {
		return "", fmt.Errorf("a code of %d bytes that is neither UTF-8 nor GB18030: %w", len(raw), ErrFrame)
	}
	return string(out), nil
}

// strange reports whether text is UTF-8 by chance: GB18030 such as 证证 is Hebrew accents
// then, and has no character of three bytes.
func strange(text string) bool {
	found := false
	for _, r := range text {
		if r >= 0x800 {
			return false
		}
		found = found || r >= 0x250 && !unicode.In(r, unicode.Greek, unicode.Cyrillic)
	}
	return found
}

// chinese reports whether half of the characters that are not ASCII are among the common
// ones of GB 2312 (its symbols and its first level): of noise that is GB18030 by chance
// it is a fifth.
func chinese(raw []byte) bool {
	common, all := 0, 0
	for i := 0; i < len(raw); i++ {
		if raw[i] < utf8.RuneSelf {
			continue
		}
		all++
		lead := raw[i]
		i++
		switch {
		case i == len(raw):
		case raw[i] < 0x40: // of four bytes
			i += 2
		case raw[i] >= 0xA1 && (lead >= 0xA1 && lead <= 0xA9 || lead >= 0xB0 && lead <= 0xD7):
			common++
		}
	}
	return 2*common >= all
}

// noText reports whether r stands in no text: noise that is UTF-8 or GB18030 by chance.
// The separators of GS1 and ISO/IEC 15434 (FS, GS, RS, US, EOT) are text.
func noText(r rune) bool {
	switch r {
	case '\n', '\t', 0x1C, 0x1D, 0x1E, 0x1F, 0x04, '\u200d', '\ufeff':
		return false
	}
	return unicode.IsControl(r) || !unicode.IsPrint(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r)
}
