package wire

import (
	"maps"
	"slices"
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
	// Advice is the code of what to try, for screens in other languages, which have
	// its words (advice.<code>); With are the values in them. Empty: Text only.
	Advice string            `json:"advice,omitempty"`
	With   map[string]string `json:"with,omitempty"`
}

// Advise returns t with the code of its advice and the values in it: names and
// values by turns.
func (t Trouble) Advise(code string, with ...string) Trouble {
	t.Advice, t.With = code, nil
	for i := 0; i+1 < len(with); i += 2 {
		if t.With == nil {
			t.With = map[string]string{}
		}
		t.With[with[i]] = OneLine(with[i+1])
	}
	return t
}

// Bounds of the troubles in a message.
const (
	maxTroubles = 16
	maxLine     = 400 // bytes of a text
	maxWith     = 8   // values of an advice
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
		list[i].Advice, list[i].With = OneLine(list[i].Advice), boundedWith(list[i].With)
		list[i].Kind, list[i].Text = fact.TroubleKind(OneLine(string(list[i].Kind))), OneLine(list[i].Text)
	}
	return list
}

// boundedWith returns the first values of an advice, each in one line.
func boundedWith(with map[string]string) map[string]string {
	if with == nil {
		return nil
	}
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(with))[:min(len(with), maxWith)] {
		out[OneLine(name)] = OneLine(with[name])
	}
	return out
}
