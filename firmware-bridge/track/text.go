package track

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// looked is how many bytes of a file its encoding is judged by.
const looked = 32 << 10

// plain returns a reader of the file's text in UTF-8 without a byte order mark,
// and the name of its encoding. A byte order mark decides; without one, text with
// a zero in every second byte is UTF-16, and what is no UTF-8 is GB18030 when it
// has two bytes beyond ASCII in a row, else Windows-1252. A file that is no UTF-8 and
// says itself that it is in an encoding that is not known here is an error: its text
// would be read wrongly.
func plain(r *bufio.Reader) (io.Reader, string, error) {
	b, _ := r.Peek(looked) // fewer bytes will do
	switch {
	case bytes.HasPrefix(b, []byte("\ufeff")):
		_, _ = r.Discard(3) // it was peeked
		return r, "UTF-8", nil
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}), zeros(b, 1):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(r), "UTF-16LE", nil
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}), zeros(b, 0):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Reader(r), "UTF-16BE", nil
	}
	declared := label(b)
	if e, name := labelled(declared); e != nil {
		return e.NewDecoder().Reader(r), name, nil
	}
	if valid(b) {
		return r, "UTF-8", nil
	}
	if declared != "" && !strings.HasPrefix(simple(declared), "utf") {
		return nil, "", fmt.Errorf("it is in %q, which is not read: save it in UTF-8 or GB18030", declared)
	}
	for i := 1; i < len(b); i++ {
		if b[i-1] >= 0x81 && b[i] >= 0x81 {
			return simplifiedchinese.GB18030.NewDecoder().Reader(r), "GB18030", nil
		}
	}
	return charmap.Windows1252.NewDecoder().Reader(r), "Windows-1252", nil
}

// simple returns the name of an encoding as names are compared: in small letters and
// digits alone.
func simple(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

// labelled returns the encoding of 8 bits that a declaration names, and its name in
// capitals; nil: it names none, UTF-8 or UTF-16, or one that is not read here. Those
// are the encodings of simplified Chinese and of one byte a character: what the tables
// of all others need would be a hundredth of the program.
func labelled(declared string) (encoding.Encoding, string) {
	switch name := simple(declared); name {
	case "":
		return nil, ""
	case "gb2312", "gbk", "cp936", "ms936", "windows936", "euccn", "xgbk", "csgb2312", "gb231280":
		return simplifiedchinese.GBK, "GBK"
	case "gb18030":
		return simplifiedchinese.GB18030, "GB18030"
	case "usascii", "ascii", "latin1", "iso88591": // as browsers read them
		return charmap.Windows1252, "WINDOWS-1252"
	default:
		for _, e := range charmap.All {
			if m, ok := e.(*charmap.Charmap); ok && simple(m.String()) == name {
				return m, strings.ToUpper(declared)
			}
		}
	}
	return nil, ""
}

// zeros reports whether b is UTF-16 of ASCII text: its zeros stand at the places
// whose parity is odd (1) or even (0).
func zeros(b []byte, parity int) bool {
	b = b[:min(len(b), 64)&^1]
	for i := range b {
		if (b[i] == 0) != (i%2 == parity) {
			return false
		}
	}
	return len(b) > 0
}

// valid reports whether b is UTF-8, apart from a character cut off at its end.
func valid(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(b)
		}
		b = b[n:]
	}
	return true
}

// label returns the encoding that an XML declaration names; empty: none.
func label(b []byte) string {
	if !bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("<?xml")) {
		return ""
	}
	head, _, _ := strings.Cut(string(b), "?>")
	_, name, ok := strings.Cut(head, "encoding")
	if !ok {
		return ""
	}
	name = strings.TrimLeft(name, " \t\r\n=")
	if name == "" || name[0] != '"' && name[0] != '\'' {
		return ""
	}
	name, _, _ = strings.Cut(name[1:], name[:1])
	return strings.TrimSpace(name)
}
