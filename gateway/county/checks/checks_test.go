package checks

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

func day(n int) time.Time { return t0.AddDate(0, 0, n) }

// check returns a check that began on a day; one that is done is due 14 days later.
func check(device string, on int, state fact.CheckState) *wire.FieldCheck {
	c := &wire.FieldCheck{Device: device, Began: wire.At(day(on)), State: state, Pairs: make([]wire.CheckPair, 10)}
	if state == fact.CheckDone {
		c.Result = &wire.CheckResult{Mean: 20, Passed: true, Due: wire.At(day(on + 14))}
	}
	return c
}

func health(device, model string) *wire.Health {
	return &wire.Health{Device: device, Model: model, State: fact.DeviceOK}
}

// brief says of each check when it began, and how far it has come.
func (l Last) brief() string {
	var out []string
	for _, c := range []*wire.FieldCheck{l.Done, l.Now} {
		if c != nil {
			out = append(out, fmt.Sprintf("%s %s", c.Began.Format("02"), c.State))
		}
	}
	return strings.Join(out, ", ")
}

func TestTheNewestCheckCountsInWhateverOrderTheyCome(t *testing.T) {
	for want, list := range map[string][]*wire.FieldCheck{
		"14 done":          {check("t", 0, fact.CheckOpen), check("t", 0, fact.CheckDone)},
		"15 done":          {check("t", 0, fact.CheckDone), check("t", 1, fact.CheckDone)},
		"14 open":          {check("t", 0, fact.CheckOpen)},
		"14 done, 16 open": {check("t", 0, fact.CheckDone), check("t", 2, fact.CheckOpen)},
		"17 done":          {check("t", 2, fact.CheckGivenUp), check("t", 3, fact.CheckDone)},
		"14 done, 18 given-up": {check("t", 0, fact.CheckDone), check("t", 3, fact.CheckGivenUp),
			check("t", 4, fact.CheckGivenUp)},
	} {
		for range 2 {
			var l Last
			for _, c := range list {
				l.Take(c)
			}
			if got := l.brief(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			slices.Reverse(list)
		}
	}
}

func TestOverdueThermometersComeFirstAndThoseWithoutACheckAreListed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.db")
	open := func() (*Checks, *committed.Way) {
		file := committed.Open(t, path, follow.Schema, follow.SchemaNewest, Schema)
		c := New(file)
		return c, committed.NewWay(t, file, &committed.Store{}, c)
	}
	c, way := open()
	bodies := []wire.Body{health("never", "mlx90614"), health("reader", "rdm6300"), health("agent", ""),
		health("strange", "of-a-newer-agent"), health("b", "mlx90614"), check("a", -20, fact.CheckDone),
		check("b", -30, fact.CheckDone), health("b", "mlx90614"), check("c", -3, fact.CheckDone),
		check("d", -5, fact.CheckDone), check("d", 0, fact.CheckOpen)}
	var entries []wire.Entry
	for i, b := range bodies {
		entries = append(entries, committed.Entry(t, uint64(i+1), t0, b))
	}
	way.Commit(t0, committed.Batch(entries...))
	want := []string{"b: 15 done overdue", "a: 25 done overdue", "never: ", "d: 09 done, 14 open", "c: 11 done"}
	for range 2 {
		all, err := c.All(t.Context(), t0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range all {
			got = append(got, x.Device+": "+x.brief()+map[bool]string{true: " overdue"}[x.Overdue])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		c, _ = open() // after a restart
	}
}
