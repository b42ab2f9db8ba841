package wire

import (
	"strings"
	"unicode/utf8"

	"gatehouse/gateway/fact"
)

// Trouble is something about a program that somebody should know of.
type Trouble struct {
	Kind    fact.TroubleKind `json:"kind"`
	Problem bool             `json:"problem,omitempty"` // the program does not do its work; otherwise a warning
	Since   *Time            `json:"since,omitempty"`   // nil: not known
	Text    string           `json:"text"`              // one line for people: what, and what to try
}

// Bounds of the troubles in a message.
const (
	maxTroubles = 16
	maxLine     = 400 // bytes of a text
)

// OneLine returns text as one line of valid UTF-8 of at most 400 bytes.
func OneLine(text string) string {
	text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "\uFFFD")
	if len(text) <= maxLine {
		return text
	}
	end := maxLine
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// Bounded returns at most 16 troubles with texts of one line, as they are sent,
// and as one shows those that somebody else has sent.
func Bounded(list []Trouble) []Trouble {
	list = append([]Trouble(nil), list[:min(len(list), maxTroubles)]...)
	for i := range list {
		list[i].Kind, list[i].Text = fact.TroubleKind(OneLine(string(list[i].Kind))), OneLine(list[i].Text)
	}
	return list
}
