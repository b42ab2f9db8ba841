package feed

import (
	"fmt"
	"strings"
	"time"

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
		item.Screening = b.Screening()
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

// Line returns the item as one line, and its style.
func (i Item) Line(now time.Time) (string, term.Style) {
	what, style := i.what()
	at := i.At.Time
	if i.What == "status" && i.State == string(fact.Offline) {
		at = now // a last will has the time of the connection that left it
	}
	screening := ""
	if i.Screening != nil {
		screening = i.Screening.String() + " °C"
	}
	line := fmt.Sprintf("%s  %s  %s  %s  %s %s", at.Local().Format("15:04:05"), term.Pad(term.Clean(i.Agent), 10),
		term.Pad(term.Clean(what), 18), term.Pad(screening, 9),
		term.Pad(strings.TrimSpace(i.Direction+" "+term.Clean(i.Class)), 13), term.Clean(i.Detail))
	if age := now.Sub(i.At.Time); age > oldAfter && i.What != "status" && i.What != "collector" {
		line += fmt.Sprintf("  (%s late)", age.Round(time.Second))
	}
	return strings.TrimRight(line, " "), style
}

// what returns the words for what the item is of, and its style.
func (i Item) what() (string, term.Style) {
	switch i.What {
	case "alarm":
		if i.State == string(fact.AlarmCleared) {
			return "恢复 " + i.Type, term.Good
		}
		return "告警 " + i.Type, term.Danger
	case "run":
		if i.Type == "dry" || i.Type == "leak" || i.Type == "disputed" {
			return "作业 " + i.Type, term.Warn
		}
		return "作业 " + i.Type, term.Good
	case "status", "collector":
		if i.State == string(fact.Online) {
			return i.State, term.Good
		}
		return i.State, term.Warn
	}
	v := verdicts[i.Verdict]
	return v.text, v.style
}
