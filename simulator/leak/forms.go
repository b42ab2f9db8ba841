package leak

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// forms returns how a secret could stand in data, by name: as it is, in small and capital
// letters, in base64 at any offset, in UTF-16, escaped as in JSON and in URLs; a card's
// number, which is ten hex digits, also as bytes in both orders, as decimal numbers, and as a
// Wiegand 26 code in its usual ways of writing. A form of less than five bytes is left out:
// it would be found by chance.
func forms(secret string) map[string][]byte {
	out := map[string][]byte{
		"as it is":           []byte(secret),
		"in small letters":   []byte(strings.ToLower(secret)),
		"in capital letters": []byte(strings.ToUpper(secret)),
		"in hex":             []byte(hex.EncodeToString([]byte(secret))),
		"in UTF-16":          wide(secret, binary.LittleEndian),
		"in UTF-16, big":     wide(secret, binary.BigEndian),
	}
	for offset := range 3 {
		out[fmt.Sprint("in base64 at ", offset)] = inBase64(secret, offset)
	}
	var escapes strings.Builder
	for _, b := range []byte(secret) {
		fmt.Fprintf(&escapes, "%%%02X", b)
	}
	out["in a URL"] = []byte(url.QueryEscape(secret))
	out["in a URL, with a blank as %20"] = []byte(url.PathEscape(secret))
	out["in a URL, all of it escaped"] = []byte(escapes.String())
	turned := []byte(secret)
	slices.Reverse(turned)
	out["turned round"] = turned
	if ascii := strconv.QuoteToASCII(secret); ascii != strconv.Quote(secret) {
		out["escaped"] = []byte(ascii[1 : len(ascii)-1])
	}
	if card, err := hex.DecodeString(secret); err == nil && len(card) == 5 {
		number := uint64(card[0])<<32 | uint64(binary.BigEndian.Uint32(card[1:]))
		low, facility, id := number&0xffffffff, number>>16&0xff, number&0xffff
		out["in decimal"] = fmt.Appendf(nil, "%d", number)
		out["its last four bytes in decimal"] = fmt.Appendf(nil, "%010d", low)
		out["as Wiegand 26, with a comma"] = fmt.Appendf(nil, "%03d,%05d", facility, id)
		out["as Wiegand 26, in one"] = fmt.Appendf(nil, "%03d%05d", facility, id)
		out["its last three bytes in decimal"] = fmt.Appendf(nil, "%08d", number&0xffffff)
		out["its last four bytes in hex"] = []byte(strings.ToUpper(secret[2:]))
		out["its last four bytes in small hex"] = []byte(strings.ToLower(secret[2:]))
		out["as bytes"] = card
		out["as bytes, turned round"] = []byte{card[4], card[3], card[2], card[1], card[0]}
		out["with colons"] = []byte(spaced(secret, ":"))
		out["with blanks"] = []byte(spaced(secret, " "))
	}
	for name, form := range out {
		if len(form) < 5 {
			delete(out, name)
		}
	}
	return out
}

// spaced puts a separator between bytes in hex.
func spaced(digits, separator string) string {
	var pairs []string
	for ; len(digits) > 1; digits = digits[2:] {
		pairs = append(pairs, digits[:2])
	}
	return strings.Join(pairs, separator)
}

func wide(s string, order binary.AppendByteOrder) (out []byte) {
	for _, unit := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, unit)
	}
	return out
}

// inBase64 returns the characters of base64 that only the secret decides when it stands
// offset bytes after the begin of a group of three.
func inBase64(secret string, offset int) []byte {
	text := base64.RawStdEncoding.EncodeToString(append(make([]byte, offset), secret...))
	begin := []int{0, 2, 3}[offset]
	end := len(text)
	if (offset+len(secret))%3 != 0 {
		end--
	}
	return []byte(text[begin:end])
}
