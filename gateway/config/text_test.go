package config

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

const written = "name: 丽景苑东门\ncount: 3\n"

func TestWhatEditorsOfWindowsSaveIsRead(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(written)
	if err != nil {
		t.Fatal(err)
	}
	wide := func(e unicode.Endianness) string {
		s, err := unicode.UTF16(e, unicode.UseBOM).NewEncoder().String(written)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, text := range map[string]string{
		"UTF-8": written, "with a byte order mark": "\xef\xbb\xbf" + written, "GBK": gbk,
		"UTF-16, little end first": wide(unicode.LittleEndian), "UTF-16, big end first": wide(unicode.BigEndian),
		"marks of begin and end": "%YAML 1.2\n---\n" + written + "---\n",
		"line ends of Windows":   strings.ReplaceAll(written, "\n", "\r\n"),
	} {
		got, err := Parse[sample]([]byte(text))
		if err != nil || got != (sample{"丽景苑东门", 3}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestTextThatCannotBeReadNamesItsLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"one damaged byte among Chinese": {written + "# 东\xe9门\n", "line 3"},
		"no encoding at all":             {"name: a\n\xff\xff\xff\n", "line 2"},
		"zero bytes":                     {"name: a\ncount\x00: 1\n", "line 2"},
		"half of UTF-16":                 {"\xff\xfen\x00\xd8\xd8a", "save it as UTF-8"},
		"two documents":                  {written + "---\n" + written, "second document"},
		"a colon of Chinese keyboards":   {"name：a\n", "“：”"},
		"a comma of Chinese keyboards":   {"{name: a，count: 3\n", "“，”"},
	} {
		_, err := Parse[sample]([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{written, "\xc1\xaa\xcd\xa8", "\xff\xfea\x00", "\xfe\xff\xd8\x00", "\xe4\xb8"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text, err := Text(b)
		if err == nil && (!utf8.Valid(text) || utf8.Valid(b) && !bytes.HasSuffix(b, text)) {
			t.Errorf("%q becomes %q", b, text)
		}
	})
}
