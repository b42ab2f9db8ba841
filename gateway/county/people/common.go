package people

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Passwords that many people choose are refused by rules instead of a list: they
// are made of few parts that a guesser tries first. A part is a word below, the
// user's own name, a row of the keyboard or alphabet (also backwards), one
// character repeated, or a number such as a date or telephone number.
const (
	leastParts = 6 // parts and single other characters of a password
	leastRow   = 3 // characters of a row
	digitsPart = 4 // digits of a number count as one part
	leastWord  = 2 // characters of the user's name to be a part
)

// commonWords are those of many passwords, with the names and numbers that are
// popular in China.
var commonWords = []string{
	"password", "passwort", "passwd", "pass", "secret", "letmein", "welcome", "changeme", "default", "login",
	"administrator", "admin", "root", "user", "guest", "test", "demo", "master", "super", "system", "server",
	"computer", "internet", "windows", "linux", "oracle", "hello", "world", "iloveyou", "love", "monkey", "dragon",
	"football", "baseball", "princess", "sunshine", "shadow", "superman", "batman", "michael", "trustno", "freedom",
	"whatever", "company", "office", "china", "beijing", "wuhan", "hubei", "county", "gatehouse", "gateway", "gate",
	"desk", "collector", "guard", "duty", "officer", "police", "community", "corona", "virus", "covid", "summer",
	"winter", "spring", "autumn", "woaini", "woaiwojia", "aini", "wodemima", "mima", "nihao", "asdf", "zxcv", "qwer",
	"qaz", "wsx", "edc", "rfv", "tgb", "yhn", "ujm", "qwe", "asd", "zxc", "zaq", "xsw", "cde", "abc", "abcd",
	"zhang", "wang", "zhao", "chen", "yang", "huang", "zhou", "liu", "sun", "zhu", "guo", "lin", "gao", "luo",
	"xiao", "zhongguo", "qinghe", "shequ", "menwei", "zhiban", "fangyi", "yiqing", "jiayou", "baoan", "xiaoqu",
	"520", "1314", "168", "888", "666", "5201314", "110", "119", "120", "12306",
	"密码", "管理员", "社区", "门岗", "值班", "防疫", "疫情", "加油", "武汉", "中国", "小区", "你好", "我爱你",
}

// keyRows are the rows of which a guesser tries pieces.
var keyRows = []string{"01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm",
	"!@#$%^&*()", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;", "零一二三四五六七八九十"}

// common reports whether a guesser tries a user's password early.
func common(name, password string) bool {
	text := once(strings.ToLower(norm.NFKC.String(password)))
	words := commonWords
	if name = strings.ToLower(norm.NFKC.String(name)); utf8.RuneCountInString(name) >= leastWord {
		words = append([]string{name}, words...)
	}
	return parts(text, words) < leastParts
}

// once returns what a text repeats: abc of abcabcabc.
func once(text string) string {
	for n := 1; n <= len(text)/2; n++ {
		if strings.HasPrefix(text[n:]+text, text) && len(text)%n == 0 && strings.Repeat(text[:n], len(text)/n) == text {
			return text[:n]
		}
	}
	return text
}

// parts counts the parts of a text and its other characters.
func parts(text string, words []string) (n int) {
	for text != "" {
		taken := longest(text, words)
		switch _, size := utf8.DecodeRuneInString(text); {
		case taken > 0:
			text = text[taken:]
		default:
			digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
			if digits >= digitsPart {
				n, text = n+digits/digitsPart, text[digits:]
				continue
			}
			text = text[size:]
		}
		n++
	}
	return n
}

// longest returns the size of the longest word, row or repetition with which a
// text begins; 0: there is none.
func longest(text string, words []string) (size int) {
	plain := strings.Map(letter, text)
	for _, w := range words {
		if strings.HasPrefix(text, w) || len(plain) == len(text) && strings.HasPrefix(plain, w) {
			size = max(size, len(w))
		}
	}
	first, width := utf8.DecodeRuneInString(text)
	if rest := strings.TrimLeft(text, string(first)); len(text)-len(rest) >= leastRow*width {
		size = max(size, len(text)-len(rest))
	}
	for _, row := range keyRows {
		size = max(size, along(text, row), along(text, backwards(row)))
	}
	return size
}

// letter returns the letter for which a digit or sign often stands.
func letter(r rune) rune {
	switch r {
	case '0':
		return 'o'
	case '1', '!':
		return 'i'
	case '3':
		return 'e'
	case '4', '@':
		return 'a'
	case '5', '$':
		return 's'
	}
	return unicode.ToLower(r)
}

// along returns the size of the piece of a row with which a text begins; 0: it is
// shorter than leastRow.
func along(text, row string) (size int) {
	first, _ := utf8.DecodeRuneInString(text)
	for at, r := range row {
		if r != first {
			continue
		}
		n, same := 0, 0
		for rest := row[at:]; n < len(rest) && n < len(text); same++ {
			r, width := utf8.DecodeRuneInString(rest[n:])
			if other, _ := utf8.DecodeRuneInString(text[n:]); other != r {
				break
			}
			n += width
		}
		if same >= leastRow {
			size = max(size, n)
		}
	}
	return size
}

func backwards(row string) string {
	runes := []rune(row)
	slices.Reverse(runes)
	return string(runes)
}
