package config

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// Text returns the text of a file that a person has written, in UTF-8 without a byte
// order mark. It takes what editors and spreadsheets of Windows save: UTF-8, UTF-16 with
// a byte order mark, and GB18030 (GBK). The error names the first line that can't be
// read, and says what to do.
func Text(b []byte) ([]byte, error) {
	b, wide := bytes.CutPrefix(b, []byte("\xef\xbb\xbf"))
	if !wide && (bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff"))) {
		return decode(b, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM))
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return nil, fmt.Errorf("line %d has a zero byte: this is no text, or UTF-16 without its mark; "+
			"save the file as UTF-8", lineOf(b, i))
	}
	if utf8.Valid(b) {
		return b, nil
	}
	at, legacy := survey(b)
	if legacy {
		if text, err := decode(b, simplifiedchinese.GB18030); err == nil {
			return text, nil
		}
	}
	return nil, fmt.Errorf("line %d is neither UTF-8 nor GB18030: save the file as UTF-8", lineOf(b, at))
}

// survey returns where the first byte is that is not UTF-8, and whether such bytes are
// more than the characters of three bytes and more that are: then the text is in another
// encoding, and otherwise damaged.
func survey(b []byte) (at int, legacy bool) {
	at = -1
	wrong, right := 0, 0
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			if wrong++; at < 0 {
				at = i
			}
		case n >= 3:
			right++
		}
		i += n
	}
	return at, wrong > right
}

func decode(b []byte, e encoding.Encoding) ([]byte, error) {
	text, err := e.NewDecoder().Bytes(b)
	if err == nil && bytes.ContainsRune(text, utf8.RuneError) {
		err = errors.New("the file is damaged: save it as UTF-8")
	}
	return text, err
}

func lineOf(b []byte, at int) int { return 1 + bytes.Count(b[:at], []byte("\n")) }
