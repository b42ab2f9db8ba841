package audit

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var t0 = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)

// chain draws a chain of entries.
func chain(t *rapid.T) (list []Entry) {
	var h Head
	for range rapid.IntRange(1, 12).Draw(t, "entries") {
		e := follow(h, Entry{At: t0.Add(time.Duration(rapid.Int64Range(-1e18, 1e18).Draw(t, "at"))),
			By: By{rapid.String().Draw(t, "actor"), rapid.String().Draw(t, "role"), rapid.String().Draw(t, "from")},
			Act: Act{
				Action(rapid.String().Draw(t, "action")),
				rapid.String().Draw(t, "object"),
				rapid.String().Draw(t, "detail"),
			}})
		list, h = append(list, e), Head{e.N, e.Hash}
	}
	return list
}

// faultsOf returns what is wrong with a chain.
func faultsOf(list []Entry) (faults []Fault, end Head) {
	var c Check
	for _, e := range list {
		faults = append(faults, c.Next(e)...)
	}
	return faults, c.End()
}

// edits are what somebody may do to a chain.
var edits = map[string]func(t *rapid.T, list []Entry) []Entry{
	"a changed entry": func(t *rapid.T, list []Entry) []Entry {
		e := &list[rapid.IntRange(0, len(list)-1).Draw(t, "which")]
		switch rapid.IntRange(0, 9).Draw(t, "field") {
		case 0:
			e.At = e.At.Add(1)
		case 1:
			e.Actor += "x"
		case 2:
			e.Role, e.From = e.Role+e.From+"x", ""
		case 3:
			e.From += "x"
		case 4:
			e.Action += "x"
		case 5:
			e.Object = "x" + e.Object
		case 6:
			e.Detail = e.Object + "x" + e.Detail
		case 7:
			e.Prev[0]++
		case 8:
			e.Hash[31]++
		case 9:
			e.N += 100
		}
		return list
	},
	"a changed entry with its hash": func(t *rapid.T, list []Entry) []Entry {
		i := rapid.IntRange(0, len(list)-1).Draw(t, "which")
		if i == len(list)-1 { // the next entry shows it
			list = append(list, follow(Head{list[i].N, list[i].Hash}, Entry{}))
		}
		list[i].Actor += "x"
		list[i].Hash = Sum(list[i])
		return list
	},
	"a removed entry": func(t *rapid.T, list []Entry) []Entry {
		i := rapid.IntRange(0, len(list)-1).Draw(t, "which")
		if i == len(list)-1 {
			list = append(list, follow(Head{list[i].N, list[i].Hash}, Entry{}))
		}
		return slices.Delete(list, i, i+1)
	},
	"a removed entry, and the others counted again": func(t *rapid.T, list []Entry) []Entry {
		i := rapid.IntRange(0, len(list)-1).Draw(t, "which")
		list = append(list, follow(Head{list[len(list)-1].N, list[len(list)-1].Hash}, Entry{}))
		list = slices.Delete(list, i, i+1)
		for k := i; k < len(list); k++ {
			list[k].N--
			list[k].Hash = Sum(list[k])
		}
		return list
	},
	"an added entry": func(t *rapid.T, list []Entry) []Entry {
		i := rapid.IntRange(0, len(list)-1).Draw(t, "where")
		before := Head{N: uint64(i)}
		if i > 0 {
			before.Hash = list[i-1].Hash
		}
		return slices.Insert(list, i, follow(before, Entry{By: By{Actor: "somebody"}}))
	},
	"an added entry, and the others counted again": func(t *rapid.T, list []Entry) []Entry {
		i := rapid.IntRange(0, len(list)-1).Draw(t, "where")
		before := Head{N: uint64(i)}
		if i > 0 {
			before.Hash = list[i-1].Hash
		}
		for k := i; k < len(list); k++ {
			list[k].N++
			list[k].Hash = Sum(list[k])
		}
		return slices.Insert(list, i, follow(before, Entry{By: By{Actor: "somebody"}}))
	},
	"two entries in another order": func(t *rapid.T, list []Entry) []Entry {
		list = append(list, follow(Head{list[len(list)-1].N, list[len(list)-1].Hash}, Entry{By: By{Actor: "last"}}))
		i := rapid.IntRange(0, len(list)-2).Draw(t, "which")
		list[i], list[i+1] = list[i+1], list[i]
		return list
	},
}

func TestWhateverIsDoneToAChainIsFound(t *testing.T) {
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				list := chain(t)
				if faults, end := faultsOf(list); faults != nil || end.N != uint64(len(list)) {
					t.Fatalf("a whole chain has faults: %v, its end is %d", faults, end.N)
				}
				if faults, _ := faultsOf(edit(t, list)); len(faults) == 0 {
					t.Fatal("it is not found")
				}
			})
		})
	}
}

func TestOneChangeIsOneFault(t *testing.T) {
	var list []Entry
	var h Head
	for i := range 9 {
		e := follow(h, Entry{At: t0, By: By{Actor: fmt.Sprint(i)}})
		list, h = append(list, e), Head{e.N, e.Hash}
	}
	list[4].Actor = "wang"
	if faults, _ := faultsOf(list); len(faults) != 1 || faults[0].N != 5 {
		t.Errorf("%v", faults)
	}
}

// The heads that gates hold show what the chain itself can't: an end that is missing, and a
// chain that was written anew.
func TestHeadsOfGatesShowACutEndAndAChainWrittenAnew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := chain(t)
		var heads, anew Witnesses
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(list)-1), 1, 5).Draw(t, "witnessed") {
			w := Witness{Head{list[i].N, list[i].Hash}, fmt.Sprint("gate-", i), t0.Add(time.Duration(i))}
			heads.Add(w)
			anew.Add(w)
		}
		newest := heads.Newest()
		keep := rapid.IntRange(0, len(list)).Draw(t, "keep")
		for _, e := range list[:keep] {
			heads.See(e)
		}
		missing := heads.Missing(Head{N: uint64(keep)})
		if (len(missing) > 0) != (uint64(keep) < newest) {
			t.Fatalf("%d of %d entries are left, witnessed is %d: %v", keep, len(list), newest, missing)
		}
		var h Head
		for _, e := range list { // the first entry says something else, all hashes fit
			if e.N == 1 {
				e.Actor = "x"
				if e.Hash == follow(h, e).Hash {
					e.Actor = "y"
				}
			}
			e = follow(h, e)
			h = Head{e.N, e.Hash}
			anew.See(e)
		}
		if missing := anew.Missing(h); len(missing) == 0 {
			t.Fatal("a chain that was written anew is not found")
		}
	})
}

func TestTextsOfAnEntryAreBoundedAndOneLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, most := rapid.String().Draw(t, "text"), rapid.IntRange(1, 20).Draw(t, "most")
		if rapid.Bool().Draw(t, "broken") {
			s += "\xff\n\x00" + strings.Repeat("王", 30)
		}
		got := oneLine(s, most)
		if utf8.RuneCountInString(got) > most || !utf8.ValidString(got) ||
			strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("%q becomes %q", s, got)
		}
	})
}

// The form is documented, so that another program can verify: it must not change.
func TestTheHashOfAnEntryStaysAsItIs(t *testing.T) {
	e := follow(Head{}, Entry{At: t0, By: By{"王主任", "admin", "10.1.2.3"},
		Act: Act{LookGate, "gate gate-017", ""}})
	const want = "4f03c5c0c357be88fc6729941e9fe945361b9dd163beba2cbccc078760d9ba05"
	if e.Hash.String() != want {
		t.Errorf("the hash is %s", e.Hash)
	}
	form := text(nil, "王")
	if hex.EncodeToString(form) != "00000003e78e8b" {
		t.Errorf("%x", form)
	}
}

func TestSomebodyWhoGuessesFillsTwoEntriesANameAndMinute(t *testing.T) {
	f, now := failures{}, t0
	written := map[string][]string{}
	flush := func(all bool) {
		for _, x := range f.due(now, all) {
			written[x.by.Actor] = append(written[x.by.Actor], x.detail())
		}
	}
	for range 59 {
		for _, name := range []string{"wang", "", ""} { // 118 names that nobody has
			f.add(now, By{Actor: name, From: "10.1.2.3"})
		}
		flush(false)
		now = now.Add(time.Second)
	}
	now = now.Add(time.Second)
	flush(false)
	f.add(now, By{Actor: "wang"})
	f.add(now, By{Actor: "wang"})
	flush(true)
	for name, want := range map[string][]string{
		"wang": {"once", "58 times within a minute", "2 times within a minute"},
		"":     {"once", "117 times within a minute"},
	} {
		if !slices.Equal(written[name], want) {
			t.Errorf("%q: %q", name, written[name])
		}
	}
	for i := range 3 * mostFailed {
		f.add(now, By{Actor: fmt.Sprint(i)})
	}
	if len(f) > mostFailed+1 {
		t.Errorf("%d names are counted", len(f))
	}
}

func TestLooksAreBounded(t *testing.T) {
	l := newLooks()
	see := func(now time.Time, actor, object string) (same bool, err error) {
		key := keyOf(By{Actor: actor}, Act{LookGate, object, ""})
		if same, err = l.begin(now, actor, key); err == nil && !same {
			l.written(now, key)
		}
		return same, err
	}
	for i := range mostLooks {
		if same, err := see(t0, "wang", fmt.Sprint(i)); same || err != nil {
			t.Fatal(i, same, err)
		}
	}
	if _, err := see(t0, "wang", "more"); err == nil {
		t.Error("a user looks without end")
	}
	if same, err := see(t0, "wang", "1"); !same || err != nil {
		t.Error("what they have seen already can't be seen any more", err)
	}
	if same, err := see(t0, "li", "1"); same || err != nil {
		t.Error("another user waits for them", err)
	}
	if same, err := see(t0.Add(sameLook), "wang", "1"); same || err != nil {
		t.Error("after ten minutes", same, err)
	}
}
