package feed

import (
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/explain"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/term"
	"gatehouse/gateway/wire"
)

// describe returns the item of a record; false when records of its kind are not
// shown, or it can't be decoded.
func describe(agent string, r wire.Record) (Item, bool) {
	body, err := r.DecodeBody()
	if err != nil {
		return Item{}, false
	}
	item := Item{At: r.At, Agent: agent, What: string(r.Kind), Seq: r.Seq}
	switch b := body.(type) {
	case *wire.Passage:
		item.Verdict, item.Direction, item.Class = b.Verdict, string(b.Direction), b.Class
		item.Detail = fact.JoinReasons(b.Reasons, " ")
		item.Screening, item.passage = b.Screening(), b
	case *wire.Alarm:
		item.Type, item.State, item.Screening, item.Detail = string(b.Type), string(b.State), b.Screening, b.Detail
		if item.Detail == "" {
			item.Detail = b.Device
		}
	case *wire.Run:
		if b.State != fact.RunClosed { // an open one is written every 10 s
			return Item{}, false
		}
		item.Type, item.State, item.Class, item.Detail = b.Grade, string(b.State), b.Machine, runDetail(b)
	default:
		return Item{}, false
	}
	return item, true
}

func runDetail(r *wire.Run) string {
	text := r.Name
	if litres := r.MeterL; litres != nil {
		text += fmt.Sprintf(" %.1f L", *litres)
	}
	return text + fmt.Sprintf(" %.0f m", r.DistanceM)
}

// verdicts are the words of the verdicts, Chinese first, and their styles.
var verdicts = map[fact.Verdict]struct {
	text  string
	style term.Style
}{
	fact.VerdictPass:    {"通行 pass", term.Good},
	fact.VerdictFever:   {"发热 FEVER", term.Danger},
	fact.VerdictInvalid: {"无效 invalid", term.Warn},
	fact.VerdictRetest:  {"复测 retest", term.Warn},
	fact.VerdictRefuse:  {"拒绝 refuse", term.Warn},
}

// oldAfter is the age from which on a line says how old its fact is: it comes
// from a backlog.
const oldAfter = 15 * time.Second

// Line returns the item as one line, in words, and its style. The times in it are those of
// this computer's zone.
func (i Item) Line(now time.Time, words explain.Words) (string, term.Style) {
	what, style := i.what(words)
	at := i.At.Time
	if i.What == "status" && i.State == string(fact.Offline) {
		at = now // a last will has the time of the connection that left it
	}
	screening := ""
	if i.Screening != nil {
		screening = i.Screening.String() + " °C"
	}
	who, detail := i.Class, i.Detail
	if i.passage != nil {
		who, detail = word(words, "class.", i.Class), why(i.passage, words)
	}
	who = strings.TrimSpace(word(words, "direction.", i.Direction) + " " + who)
	line := fmt.Sprintf("%s  %s  %s  %s  %s %s", at.Local().Format("15:04:05"), term.Pad(term.Clean(i.Agent), 10),
		term.Pad(term.Clean(what), 18), term.Pad(screening, 9), term.Pad(term.Clean(who), 13), term.Clean(detail))
	if age := now.Sub(i.At.Time); age > oldAfter && i.What != "status" && i.What != "collector" {
		line += fmt.Sprintf("  (%s late)", age.Round(time.Second))
	}
	return strings.TrimRight(line, " "), style
}

// why says why a passage was decided as it was, in the sentences of explain. Of a value
// that is normal it says no more than that.
func why(p *wire.Passage, words explain.Words) string {
	var out []string
	for _, s := range explain.Passage(p, time.Local) {
		switch {
		case s.Part != explain.PartBecause:
		case s.Code == "explain.reason."+string(fact.ReasonNormal):
			out = append(out, word(words, "reason.", string(fact.ReasonNormal)))
		default:
			out = append(out, words.Text(s))
		}
	}
	return strings.Join(out, "; ")
}

// word returns the text of a code; one without words is shown as it is.
func word(words explain.Words, prefix, code string) string {
	if code == "" {
		return ""
	}
	return words.Text(explain.Sentence{Code: prefix + code})
}

// what returns the words for what the item is of, and its style.
func (i Item) what(words explain.Words) (string, term.Style) {
	switch i.What {
	case "alarm":
		text := word(words, "alert.", i.Type)
		if i.State == string(fact.AlarmCleared) {
			return "恢复 " + text, term.Good
		}
		return "告警 " + text, term.Danger
	case "run":
		text := "作业 " + word(words, "grade.", i.Type)
		if i.Type == "dry" || i.Type == "leak" || i.Type == "disputed" {
			return text, term.Warn
		}
		return text, term.Good
	case "status", "collector":
		if i.State == string(fact.Online) {
			return i.State, term.Good
		}
		return i.State, term.Warn
	}
	v := verdicts[i.Verdict]
	return v.text, v.style
}
