package notices

import (
	"errors"
	"gatehouse/gateway/county/audit"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/testkit/committed"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2020, 2, 14, 14, 0, 0, 0, time.UTC)

// sites has two communities: gate-1 and gate-2 in a, gate-3 in b.
type sites struct{}

func (sites) Agents() []string { return []string{"gate-1", "gate-2", "gate-3"} }

func (sites) Place(gate string) (community, grid, compound string, ok bool) {
	switch gate {
	case "gate-1", "gate-2":
		return "a", "g", "k", true
	case "gate-3":
		return "b", "g", "k", true
	}
	return "", "", "", false
}

var li = audit.By{Actor: "li", From: "10.1.2.3"}

func open(t *testing.T) *Notices {
	t.Helper()
	return New(committed.Open(t, filepath.Join(t.TempDir(), "f.db"), Schema, audit.Schema), sites{})
}

func write(t *testing.T, n *Notices, zh string, w Where) uint64 {
	t.Helper()
	x, err := n.Write(t.Context(), t0, li, Notice{Where: w, Zh: zh, Until: t0.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return x.ID
}

// shown returns the texts that a gate shows at a time.
func shown(t *testing.T, n *Notices, gate string, at time.Time) (out []string) {
	t.Helper()
	list, err := n.Current(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range n.For(list, gate) {
		out = append(out, x.Zh)
	}
	return out
}

func TestANoticeIsShownWhereAndAsLongAsItSays(t *testing.T) {
	n := open(t)
	write(t, n, "全县", Where{})
	write(t, n, "社区", Where{Community: "a"})
	id := write(t, n, "东门", Where{Gate: "gate-2"})
	for gate, want := range map[string][]string{
		"gate-1": {"社区", "全县"}, "gate-2": {"东门", "社区", "全县"}, "gate-3": {"全县"}, "gate-9": {"全县"},
	} {
		if got := shown(t, n, gate, t0); !slices.Equal(got, want) {
			t.Errorf("%s shows %q", gate, got)
		}
	}
	if got := shown(t, n, "gate-1", t0.Add(time.Hour)); got != nil {
		t.Errorf("afterwards %q", got)
	}
	if err := n.Remove(t.Context(), t0, li, id); err != nil {
		t.Fatal(err)
	}
	if err := n.Remove(t.Context(), t0, li, id); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
	if got := shown(t, n, "gate-2", t0); !slices.Equal(got, []string{"社区", "全县"}) {
		t.Errorf("after the removal %q", got)
	}
	if err := n.Prune(t.Context(), t0.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if list, err := n.Current(t.Context(), t0); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestWhatANoticeMayBe(t *testing.T) {
	n := open(t)
	until := t0.Add(time.Hour)
	for name, c := range map[string]struct {
		notice Notice
		want   error
		zh     string
	}{
		"plain":           {Notice{Zh: "今晚封闭", Until: until}, nil, "今晚封闭"},
		"wide blanks":     {Notice{Zh: "　今晚\n封闭 ", Until: until}, nil, "今晚 封闭"},
		"HTML is text":    {Notice{Zh: "<b>今晚</b>", Until: until}, nil, "<b>今晚</b>"},
		"no text":         {Notice{Zh: " ", En: "Tonight", Until: until}, ErrText, ""},
		"too long":        {Notice{Zh: strings.Repeat("字", 201), Until: until}, ErrText, ""},
		"too long in en":  {Notice{Zh: "今晚", En: strings.Repeat("x", 201), Until: until}, ErrText, ""},
		"control":         {Notice{Zh: "今晚\x1b[2J", Until: until}, ErrText, ""},
		"reversed":        {Notice{Zh: "今晚\u202e", Until: until}, ErrText, ""},
		"over":            {Notice{Zh: "今晚", Until: t0}, ErrUntil, ""},
		"no end":          {Notice{Zh: "今晚"}, ErrUntil, ""},
		"for a year":      {Notice{Zh: "今晚", Until: t0.Add(365 * 24 * time.Hour)}, ErrUntil, ""},
		"unknown gate":    {Notice{Zh: "今晚", Where: Where{Gate: "gate-9"}, Until: until}, ErrWhere, ""},
		"unknown place":   {Notice{Zh: "今晚", Where: Where{Community: "c"}, Until: until}, ErrWhere, ""},
		"gate of another": {Notice{Zh: "今晚", Where: Where{Community: "b", Gate: "gate-1"}, Until: until}, ErrWhere, ""},
	} {
		x, err := n.Write(t.Context(), t0, li, c.notice)
		if !errors.Is(err, c.want) || err == nil && x.Zh != c.zh {
			t.Errorf("%s: %q, %v", name, x.Zh, err)
		}
	}
}

func TestNoticesAreBounded(t *testing.T) {
	n := open(t)
	for range wire.MaxDeskNotices {
		write(t, n, "东门", Where{Gate: "gate-1"})
	}
	for name, w := range map[string]Where{"the gate": {Gate: "gate-1"}, "its community": {Community: "a"}, "all": {}} {
		if _, err := n.Write(t.Context(), t0, li, Notice{Where: w, Zh: "多了", Until: t0.Add(1)}); !errors.Is(
			err,
			ErrMany,
		) {
			t.Errorf("%s: %v", name, err)
		}
	}
	write(t, n, "西门", Where{Community: "b"})
	later := t0.Add(time.Hour)
	if _, err := n.Write(t.Context(), later, li, Notice{Zh: "新", Until: later.Add(time.Hour)}); err != nil {
		t.Errorf("those of before are over: %v", err)
	}
}
