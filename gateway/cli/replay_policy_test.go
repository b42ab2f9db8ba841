package cli_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// passed is what a gate with a card at each of its readings records of somebody who has
// a temperature.
func passed(credential string, value fact.Temp, first uint64) []wire.Body {
	tap := &wire.Reading{
		Device:     "reader",
		Type:       fact.ReadingCard,
		Direction:  "in",
		Credential: credential,
		BootID:     "b",
	}
	p := storetest.Passage(fact.VerdictPass, first, first+1)
	r := storetest.Reading(value)
	p.Credential, p.Temperature, p.Basis = credential, r.Temperature, &wire.Basis{Rule: "classes.resident"}
	return []wire.Body{tap, r, p}
}

// stored returns the folder of a store with two passages, the site key and its roster.
func stored(t *testing.T) (dir, key, roster string) {
	t.Helper()
	dir = t.TempDir()
	key, roster = filepath.Join(dir, "site.key"), filepath.Join(dir, "roster.csv")
	k, err := identity.CreateSiteKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := archive.OpenSQLite(filepath.Join(dir, centre.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	bodies := append(
		[]wire.Body{&wire.Clock{Reason: "start", BootID: "b"}},
		append(
			passed(k.Pseudonym("card", "00000000A1"), 3650, 2),
			passed(k.Pseudonym("card", "00000000A2"), 3690, 5)...)...)
	b := storetest.Empty(1, 1, uint64(len(bodies)))
	for i, body := range bodies {
		b.Entries = append(b.Entries, storetest.Entry(uint64(i+1), body))
	}
	if _, err := s.Commit(t.Context(), []store.Batch{b}); err != nil {
		t.Fatal(err)
	}
	return dir, key, roster
}

// write writes a file and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const inForce = "version: '1'\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n" +
	"classes: {resident: {fever: go-home, directions: [in, out]}}\n"

func TestStoredPassagesAreDecidedByAnotherPolicy(t *testing.T) {
	dir, key, roster := stored(t)
	old := write(t, dir, "old.yaml", inForce)
	changed := write(
		t,
		dir,
		"new.yaml",
		strings.Replace(strings.Replace(inForce, "37.3", "36.8", 1), "'1'", "'2'", 1),
	)
	write(t, dir, "roster.csv", "card,class,status,household,from,until\n00000000A1,resident,active,,,\n"+
		"00000000A2,resident,lost,,,\n")
	base := []string{"replay", "--dir", dir, "--from", "2020-02-14"}
	for name, c := range map[string]struct {
		args string
		want []string
		code int
	}{
		"the policy in force": {"--check --policy " + old, []string{"2 passages of 1 gates decided again: 0 with"}, 0},
		"a lower limit": {"--policy " + changed, []string{"2020-02-14 14:00:00 gate-001/7, ",
			": pass (normal), go, by classes.resident → fever (fever), go-home, by classes.resident\n",
			"2 passages of 1 gates decided again: 1 with another verdict, 0 only"}, 0},
		"a roster": {"--policy " + old + " --roster " + roster + " --site-key " + key, []string{"gate-001/7",
			"→ refuse (lost-card), turn-away, by lost.pass", "1 with another verdict"}, 0},
		"a check that fails": {"--check --policy " + changed, []string{
			"(it was decided by version 1 of the policy, and this is 2)",
			"not every stored verdict came out again"}, 1},
		"later":                {"--from 2020-02-15 --policy " + old, []string{"0 passages of 0 gates"}, 0},
		"no such gate":         {"--gate x --policy " + old, []string{`"x": the store has no records of such`}, 1},
		"a roster and no key":  {"--policy " + old + " --roster " + roster, []string{"must all be set"}, 2},
		"no policy":            {"", []string{`required flag(s) "policy"`}, 2},
		"an unknown format":    {"-o xml --policy " + old, []string{"use table, json or jsonl"}, 2},
		"a policy that is not": {"--policy " + roster, []string{"roster.csv"}, 1},
	} {
		out, code := run(t, append(base, strings.Fields(c.args)...)...)
		if code != c.code {
			t.Errorf("%s: exit code %d: %s", name, code, out)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %s, want %s", name, out, want)
			}
		}
	}
}

func TestAReplayForTools(t *testing.T) {
	dir, _, _ := stored(t)
	p := write(t, dir, "new.yaml", strings.Replace(inForce, "37.3", "36.8", 1))
	type change struct {
		Agent   string
		Seq     uint64
		Was, Is *wire.Passage
	}
	type counts struct{ Passages, Changed int }
	check := func(what string, got change, c counts) {
		if got.Agent != "gate-001" || got.Seq != 7 || got.Was.Verdict != fact.VerdictPass ||
			got.Is.Verdict != fact.VerdictFever || c.Passages != 2 || c.Changed != 1 {
			t.Errorf("%s: %+v, %+v", what, got, c)
		}
	}
	args := []string{"replay", "--dir", dir, "--from", "2020-02-14", "--policy", p, "-o"}
	out, code := run(t, append(args, "jsonl")...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 2 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	var one change
	var end struct{ Counts counts }
	if err := errors.Join(json.Unmarshal([]byte(lines[0]), &one), json.Unmarshal([]byte(lines[1]), &end)); err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	check("jsonl", one, end.Counts)
	for _, policy := range []string{p, write(t, dir, "same.yaml", inForce)} {
		args[6] = policy
		var all struct {
			Changes []change
			Unruled []struct{ Agent string }
			Counts  counts
		}
		out, _ := run(t, append(args, "json")...)
		if err := json.Unmarshal([]byte(out), &all); err != nil || all.Changes == nil || all.Unruled == nil {
			t.Fatalf("%s, %v", out, err)
		}
		if policy == p {
			check("json", all.Changes[0], all.Counts)
		} else if len(all.Changes) != 0 {
			t.Errorf("by the same rules: %s", out)
		}
	}
}

// Readings go before passages when retention: says so.
func TestAReadingThatWasRemovedIsSaidByACheck(t *testing.T) {
	dir, _, _ := stored(t)
	p := write(t, dir, "p.yaml", inForce)
	s, err := archive.OpenSQLite(filepath.Join(dir, centre.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := storetest.T0.AddDate(0, 1, 0)
	_, err = s.Expire(
		t.Context(),
		now,
		store.Expiry{JID: storetest.JID(1), Kind: wire.KindReading, Before: now, Through: 3,
			Looked: 100},
	)
	if err != nil {
		t.Fatal(err)
	}
	out, code := run(t, "replay", "--dir", dir, "--from", "2020-02-14", "--policy", p, "--check")
	if code != 1 || !strings.Contains(out, "(not decided again: its reading 2 is not stored)") ||
		!strings.Contains(out, "1 passages of 1 gates decided again: 0 with another") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestTheJournalOfAGateIsDecidedAgainOnTheSpot(t *testing.T) {
	dir := t.TempDir()
	now := clock.Moment{Wall: storetest.T0, Boot: time.Hour}
	j, _, err := journal.Open(journal.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)}, now)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	bodies := append([]wire.Body{&wire.Clock{Reason: "start", BootID: "b"}}, passed("code-1", 3690, 2)...)
	for _, body := range bodies {
		now = now.Add(time.Second)
		if r, is := body.(*wire.Reading); is {
			r.BootID, r.BootNS = "b", int64(now.Boot)
		}
		if _, err := j.Append(now, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := write(t, dir, "new.yaml", strings.Replace(inForce, "37.3", "36.8", 1))
	for args, want := range map[string]string{
		"":                      "1 passages of 1 gates decided again: 1 with another verdict",
		"--time-zone X":         "--time-zone",
		"--gate gate-001":       "if any flags in the group",
		"--to 2020-02-13":       "is not after --from",
		"--journal /no/journal": "/no/journal",
	} {
		out, code := run(t, append([]string{"replay", "--journal", dir, "--from", "2020-02-14", "--policy", p},
			strings.Fields(args)...)...)
		if (code == 0) != (args == "") || !strings.Contains(out, want) {
			t.Errorf("%s: exit code %d: %s, want %q", args, code, out, want)
		}
	}
}
