package station

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// When an agent is killed while somebody comes.
const (
	neverKilled    = "never"
	afterTheCard   = "between card and measurement"
	beforeVerdict  = "between measurement and verdict"
	insideVerdict  = "while the verdict is written"
	afterVerdict   = "after the verdict"
	cardHouseAlone = "62E3086CEF"
)

// onceInTwoDays returns rules by which each household goes out once in two days: cards A
// and B are of one household, the third is of another.
func onceInTwoDays(t *testing.T) *policy.Rules {
	t.Helper()
	p := twoResidents(t, ", quota: {exits: 1, days: 2, per: household}").Policy
	list := "card,class,status,household,from,until\n" + cardA + ",resident,active,7,,\n" +
		cardB + ",resident,active,7,,\n" + cardHouseAlone + ",resident,active,8,,\n"
	r, err := policy.ParseRoster(p, strings.NewReader(list), identity.SiteKey{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tear cuts n bytes off the end of the journal, or the whole last record if that is
// shorter, as a power cut does.
func (g *rig) tear(n int) {
	g.t.Helper()
	if err := g.j.Sync(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	last, err := g.j.Read(g.j.Last(), 1, 1<<20)
	if err != nil || len(last.Entries) != 1 {
		g.t.Fatal(last, err)
	}
	g.stop()
	segments, err := filepath.Glob(filepath.Join(g.dir, "*.seg"))
	if err != nil || len(segments) == 0 {
		g.t.Fatal("the journal has no segment", err)
	}
	file := slices.Max(segments)
	info, err := os.Stat(file)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()-int64(min(n, len(last.Entries[0].Raw)))); err != nil {
		g.t.Fatal(err)
	}
}

// goOut lets somebody tap and be measured, and the agent be killed at a moment; it is dead
// for some seconds then.
func (g *rig) goOut(card, kill string, torn, dead int) {
	killed := func(when string) bool {
		if kill != when {
			return false
		}
		if when == insideVerdict {
			g.tear(torn)
		} else {
			g.stop()
		}
		g.wait(float64(dead))
		g.start(func(string) bool { return true })
		return true
	}
	tap := g.tapped(card)
	tap.Direction = fact.DirectionOut
	g.observe(tap)
	killed(afterTheCard)
	g.wait(1)
	x := g.measured(3650)
	seq := g.st.keep(g.h.now, x)
	if killed(beforeVerdict) {
		return
	}
	before := g.j.Last()
	g.st.apply(g.h.now, time.Time{}, g.st.gate.Observe(g.h.now, seq, *x))
	if g.j.Last() > before {
		killed(insideVerdict)
	}
	killed(afterVerdict)
}

// exits returns the days on which each household went out, as the journal has them.
func (g *rig) exits() map[string][]time.Time {
	var all []*wire.Passage
	for _, b := range g.bodies() {
		p, is := b.(*wire.Passage)
		if !is {
			continue
		}
		all = slices.DeleteFunc(all, func(x *wire.Passage) bool { // it is amended
			return slices.ContainsFunc(x.Readings, func(r uint64) bool { return slices.Contains(p.Readings, r) })
		})
		all = append(all, p)
	}
	out := map[string][]time.Time{}
	for _, p := range all {
		if p.Verdict == fact.VerdictPass {
			day := p.Basis.At.Truncate(24 * time.Hour)
			out[p.Basis.Household] = append(out[p.Basis.Household], day)
		}
	}
	return out
}

// Whoever goes out, and whenever the agent is killed: between a card and its measurement,
// between a reading and its verdict, in the middle of a verdict that is being written: no
// household goes out more often than once in two days.
func TestAQuotaHoldsWhateverIsTorn(t *testing.T) {
	rules := onceInTwoDays(t)
	rapid.Check(t, func(r *rapid.T) {
		g := newRig(t)
		g.rules = rules
		g.restart()
		defer g.stop()
		for range rapid.IntRange(2, 8).Draw(r, "people") {
			g.wait(float64(rapid.SampledFrom([]int{2, 10, 61, 6 * 3600, 20 * 3600}).Draw(r, "seconds")))
			card := rapid.SampledFrom([]string{cardA, cardB, cardHouseAlone}).Draw(r, "card")
			kill := rapid.SampledFrom([]string{neverKilled, afterTheCard, beforeVerdict, insideVerdict,
				afterVerdict}).Draw(r, "killed")
			g.goOut(card, kill, rapid.IntRange(1, 400).Draw(r, "torn"),
				rapid.SampledFrom([]int{0, 1, 5, 59, 61}).Draw(r, "dead"))
		}
		for household, days := range g.exits() {
			for i := 1; i < len(days); i++ {
				if days[i].Sub(days[i-1]) < 48*time.Hour {
					r.Fatalf("household %s went out on %v", household, days)
				}
			}
		}
	})
}
