// Package complaint keeps one machine, port or peer that complains without end from
// filling the log. Of each complaint the log says when it begins, once a minute how
// often it came while it lasts, and when it has ended.
package complaint

import "time"

const (
	// Every is how often a complaint that lasts is summarised. A complaint that has
	// not come for so long has ended.
	Every = time.Minute
	// most is how many complaints are told apart at a time: a county of 200 machines
	// with two complaints each fits. Further ones share one group.
	most = 512
)

// Kind is what is grouped: one text about one machine, port or peer.
type Kind struct {
	Message string
	Who     string // such as machine=fogger-3
}

// Line is what the log is to say of a complaint that was grouped.
type Line struct {
	Kind

	Count  int       // since the complaint was last in the log; of an ended one: in all
	First  time.Time // of those that are counted
	Last   time.Time
	Newest string // what the newest said
	Ended  bool   // none has come for Every, or the program ends
	Shared bool   // several complaints, beyond those that are told apart
}

// Book counts complaints. It has no clock: the times given to it never step back.
// It is for one goroutine; its zero value is ready to use.
type Book struct {
	groups map[Kind]*group
	shared *group // of those beyond most
}

// group is a complaint that lasts.
type group struct {
	kind    Kind
	said    time.Time // when the log last said something of it
	first   time.Time // since the log last said something of it; zero: none has come
	last    time.Time // the newest of all
	count   int       // since the log last said something of it
	began   time.Time
	total   int
	newest  string
	sharing bool
}

// Note counts a complaint that says text. It reports whether the log is to say it at
// once, because it is the first.
func (b *Book) Note(now time.Time, k Kind, text string) bool {
	if g := b.groups[k]; g != nil {
		g.add(now, text)
		return false
	}
	if len(b.groups) < most {
		if b.groups == nil {
			b.groups = map[Kind]*group{}
		}
		b.groups[k] = begin(now, k, text)
		return true
	}
	if b.shared != nil {
		b.shared.add(now, text)
		return false
	}
	b.shared = begin(now, k, text)
	b.shared.sharing = true
	return true
}

func begin(now time.Time, k Kind, text string) *group {
	return &group{kind: k, said: now, began: now, last: now, total: 1, newest: text}
}

func (g *group) add(now time.Time, text string) {
	if g.count == 0 {
		g.first = now
	}
	g.count++
	g.total++
	g.last, g.newest = now, text
}

// Due returns what the log is to say by now: call it every few seconds. What came
// once and not again within Every is not mentioned again.
func (b *Book) Due(now time.Time) (lines []Line) {
	return b.collect(func(g *group) (say, end bool) {
		end = now.Sub(g.last) >= Every
		return end || now.Sub(g.said) >= Every, end
	}, now)
}

// End ends all complaints, and returns what the log is to say of them.
func (b *Book) End(now time.Time) []Line {
	return b.collect(func(*group) (say, end bool) { return true, true }, now)
}

func (b *Book) collect(due func(*group) (say, end bool), now time.Time) (lines []Line) {
	take := func(g *group) (gone bool) {
		say, end := due(g)
		line := Line{Kind: g.kind, Count: g.count, First: g.first, Last: g.last, Newest: g.newest, Ended: end,
			Shared: g.sharing}
		switch {
		case end && g.total > 1:
			line.Count, line.First = g.total, g.began
			lines = append(lines, line)
		case say && !end:
			lines = append(lines, line)
			g.said, g.count = now, 0
		}
		return end
	}
	for k, g := range b.groups {
		if take(g) {
			delete(b.groups, k)
		}
	}
	if b.shared != nil && take(b.shared) {
		b.shared = nil
	}
	return lines
}
