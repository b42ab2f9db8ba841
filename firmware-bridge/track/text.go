package track

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
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
// has two bytes beyond ASCII in a row, else Windows-1252.
func plain(r *bufio.Reader) (io.Reader, string) {
	b, _ := r.Peek(looked) // fewer bytes will do
	switch {
	case bytes.HasPrefix(b, []byte("\ufeff")):
		_, _ = r.Discard(3) // it was peeked
		return r, "UTF-8"
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}), zeros(b, 1):
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Reader(r), "UTF-16LE"
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}), zeros(b, 0):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Reader(r), "UTF-16BE"
	}
	if declared := label(b); declared != "" { // in bytes of 8 bits, so it is no UTF-16
		if e, name := charset.Lookup(declared); e != nil && e != encoding.Nop && !strings.HasPrefix(name, "utf-") {
			return e.NewDecoder().Reader(r), strings.ToUpper(name)
		}
	}
	if valid(b) {
		return r, "UTF-8"
	}
	for i := 1; i < len(b); i++ {
		if b[i-1] >= 0x81 && b[i] >= 0x81 {
			return simplifiedchinese.GB18030.NewDecoder().Reader(r), "GB18030"
		}
	}
	return charmap.Windows1252.NewDecoder().Reader(r), "Windows-1252"
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
