package held

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/explain"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/term"
	"gatehouse/gateway/wire"
)

// mostShown bounds the lines of a part that only counts, such as readings by other keys.
const mostShown = 200

// Print writes the report for people, in the language of the words and with the times of a
// zone.
func (r *Report) Print(out io.Writer, words explain.Words, zone *time.Location) error {
	p := &printer{words: words, zone: zone}
	p.line("title", "at", p.time(r.Made))
	p.line("asked."+r.Kind, "gates", fmt.Sprint(len(r.Limits.Epochs)))
	if r.Nothing() {
		p.line("nothing")
	}
	p.gates(&r.Gates)
	p.part("lists", len(r.Lists))
	for _, x := range r.Lists {
		p.list(x)
	}
	p.part("looks", len(r.Looks))
	for _, x := range r.Looks {
		p.item("look", "at", p.time(x.At), "n", fmt.Sprint(x.N), "actor", x.Actor, "detail", x.Detail,
			"action", p.word("audit.action."+string(x.Action)), "object", x.Object)
	}
	p.part("kept", len(r.Kept))
	for _, x := range r.Kept {
		p.item("kept.item", "what", p.word("held.kept."+x.What), "for", p.age(x.For), "why", p.word("held.why."+x.What))
	}
	p.limits(&r.Limits)
	for _, l := range p.lines {
		if _, err := fmt.Fprintln(out, term.Clean(l)); err != nil {
			return err
		}
	}
	return nil
}

// printer collects lines.
type printer struct {
	words explain.Words
	zone  *time.Location
	lines []string
}

// say returns a text of the words held.<code> with values for its holes.
func (p *printer) say(code string, with ...string) string {
	values := map[string]string{}
	for i := 0; i+1 < len(with); i += 2 {
		values[with[i]] = with[i+1]
	}
	return p.words.Text(explain.Sentence{Code: "held." + code, With: values})
}

func (p *printer) line(code string, with ...string) { p.lines = append(p.lines, p.say(code, with...)) }

func (p *printer) item(code string, with ...string) {
	p.lines = append(p.lines, "  - "+strings.TrimRight(p.say(code, with...), " "))
}

// part begins a part, and says when it is empty.
func (p *printer) part(code string, n int) {
	p.lines = append(p.lines, "", p.say("part."+code, "n", fmt.Sprint(n)))
	if n == 0 {
		p.item("none")
	}
}

func (p *printer) word(code string) string { return p.words.Text(explain.Sentence{Code: code}) }

func (p *printer) time(t time.Time) string { return t.In(p.zone).Format(time.DateTime) }

func (p *printer) age(text string) string {
	if word, known := p.words["held.for."+text]; known {
		return word
	}
	if days, is := strings.CutSuffix(text, "d"); is {
		return p.say("for.days", "n", days)
	}
	return text // 36h0m0s
}

// gates writes what gates have recorded.
func (p *printer) gates(g *Gates) {
	p.part("passages", len(g.Passages))
	for _, x := range g.Passages {
		p.item("passage", p.record(x.Record, "way", p.way(x.Passage.Direction), "class", p.class(x.Passage.Class),
			"verdict", p.word("verdict."+string(x.Passage.Verdict)), "reasons", p.reasons(x.Passage.Reasons),
			"measured", p.measured(x.Passage.Temperature, x.Passage.Entered),
			"override", p.override(x.Passage.Override))...)
	}
	p.part("readings", len(g.Readings))
	for _, x := range g.Readings {
		p.item("reading", p.record(x.Record, "device", x.Reading.Device, "model", x.Reading.Model,
			"what", p.word("held.reading."+string(x.Reading.Type)),
			"measured", p.measured(x.Reading.Temperature, x.Reading.Entered))...)
	}
	p.part("guards", len(g.Guards))
	for _, x := range g.Guards {
		p.item("guard", p.record(x.Record, "actor", x.Act.Actor, "action", p.word("guard."+x.Act.Action),
			"passage", fmt.Sprint(x.Act.Passage))...)
	}
	p.part("alarms", len(g.Alarms)+len(g.Alerts))
	for _, x := range g.Alarms {
		p.item("alarm", p.record(x.Record, "type", p.word("alert."+string(x.Alarm.Type)),
			"state", p.word("held.state."+string(x.Alarm.State)), "passage", fmt.Sprint(x.Alarm.Passage))...)
	}
	for _, x := range g.Alerts {
		acked := p.word("held.unseen")
		if x.Acked != nil {
			acked = p.say("seen", "by", x.AckedBy, "at", p.time(*x.Acked), "note", x.Note)
		}
		p.item("alert", "at", p.time(x.At), "gate", x.Agent, "type", p.word("alert."+string(x.Type)), "acked", acked,
			"n", fmt.Sprint(x.ID))
	}
	p.part("episodes", len(g.Episodes))
	for _, x := range g.Episodes {
		p.item("episode", p.record(x.Record, "first", x.Episode.First.String(), "step",
			p.word("held.step."+string(x.Episode.Step)), "since", p.time(x.Episode.Since.Time),
			"until", p.time(x.Episode.Until.Time))...)
	}
	p.part("quotas", len(g.Quotas))
	for _, x := range g.Quotas {
		code := "quota"
		if x.Household {
			code = "quota.household"
		}
		p.item(code, p.record(x.Record, "rule", x.Rule, "used", fmt.Sprint(x.Used), "times", fmt.Sprint(x.Times))...)
	}
	p.part("quarantine", len(g.Quarantine))
	for _, x := range g.Quarantine {
		p.item("isolated", "at", p.time(x.At), "gate", x.Gate, "n", fmt.Sprint(x.ID), "reason", x.Reason)
	}
}

// record returns the values that name a record, and others behind them.
func (p *printer) record(r Record, more ...string) []string {
	return append([]string{"at", p.time(r.At), "gate", r.Gate, "journal", r.Journal, "seq", fmt.Sprint(r.Seq)}, more...)
}

func (p *printer) way(d fact.Direction) string {
	if d == fact.DirectionNone {
		return "–"
	}
	return p.word("direction." + string(d))
}

func (p *printer) class(class string) string {
	if class == "" {
		return p.word("held.unlisted")
	}
	return p.word("class." + class)
}

func (p *printer) reasons(list []fact.Reason) string {
	var out []string
	for _, x := range list {
		out = append(out, p.word("reason."+string(x)))
	}
	return strings.Join(out, "; ")
}

// measured says raw and judged values.
func (p *printer) measured(t *wire.Temperature, e *wire.Entered) string {
	var out []string
	if t != nil {
		out = append(out, p.say("measured", "object", t.Object.String(), "offset", t.Offset.String(),
			"screening", t.Screening.String(), "ambient", t.Ambient.String(), "background", t.Background.String()))
	}
	if e != nil {
		out = append(out, p.say("entered", "value", e.Value.String(), "with", p.word("explain.with."+string(e.With))))
	}
	if len(out) == 0 {
		return p.word("held.unmeasured")
	}
	return strings.Join(out, "; ")
}

func (p *printer) override(o *wire.Override) string {
	if o == nil {
		return ""
	}
	return p.say("override", "guard", o.Guard, "reason", p.word("override."+o.Reason),
		"against", p.word("verdict."+string(o.Against)))
}

func (p *printer) name(n Name) string {
	kind := p.word("rules.kind." + n.List)
	if n.No == 0 {
		return p.say("file", "kind", kind, "for", n.For)
	}
	return p.say("version", "kind", kind, "for", n.For, "no", fmt.Sprint(n.No), "state", p.word("held.state."+n.State))
}

func (p *printer) list(x Listed) {
	var fields []string
	for _, column := range slices.Sorted(maps.Keys(x.Fields)) {
		fields = append(fields, column+"="+x.Fields[column])
	}
	line := ""
	if x.Line != 0 {
		line = p.say("line", "n", fmt.Sprint(x.Line))
	}
	p.item("list", "name", p.name(x.Name), "line", line, "fields", strings.Join(fields, " "))
}

// limits writes what the report can't say.
func (p *printer) limits(l *Limits) {
	p.part("epochs", len(l.Epochs))
	for _, x := range l.Epochs {
		code := "epoch.shut"
		if x.Opened {
			code = "epoch.opened"
		}
		p.item(code, "from", p.time(x.From), "until", p.time(x.Until))
	}
	p.part("unlinked", len(l.Unlinked))
	for i, x := range l.Unlinked {
		if i == mostShown {
			p.item("more", "n", fmt.Sprint(len(l.Unlinked)-i))
			break
		}
		p.item("unlinked", "gate", x.Gate, "key", x.Key, "n", fmt.Sprint(x.Records), "from", p.time(x.Oldest),
			"until", p.time(x.Newest))
	}
	p.part("removed", len(l.Removed))
	for i, x := range l.Removed {
		if i == mostShown {
			p.item("more", "n", fmt.Sprint(len(l.Removed)-i))
			break
		}
		p.item("removed", "gate", x.Gate, "kind", p.word("held.kind."+string(x.Kind)), "n", fmt.Sprint(x.Records),
			"from", p.time(x.Oldest), "until", p.time(x.Newest))
	}
	p.part("unread", len(l.Unread)+len(l.Unreadable))
	for _, x := range l.Unread {
		p.item("unread", "name", p.name(x.Name), "why", x.Why)
	}
	for _, gate := range slices.Sorted(maps.Keys(l.Unreadable)) {
		p.item("unreadable", "gate", gate, "n", fmt.Sprint(l.Unreadable[gate]))
	}
	p.lines = append(p.lines, "", p.say("elsewhere"))
}
