package cli_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// run runs a command line.
func run(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	var b bytes.Buffer
	code = cli.Run(t.Context(), args, nil, &b, &b)
	return b.String(), code
}

// overQuota returns a passage of a household whose quota is used up, in lane lane.
func overQuota(lane string) *wire.Passage {
	next := wire.At(time.Date(2020, 2, 14, 22, 0, 0, 0, time.UTC))
	p := storetest.Passage(fact.VerdictRefuse, 1)
	p.Reasons, p.Temperature, p.Direction, p.Lane = []fact.Reason{fact.ReasonQuota}, nil, fact.DirectionOut, lane
	p.Basis = &wire.Basis{Rule: "classes.resident.quota", Household: "h-1234567890", Used: 1, Times: 1, Next: &next}
	return p
}

func TestAStoredPassageIsExplained(t *testing.T) {
	dir := t.TempDir()
	s, err := archive.OpenSQLite(filepath.Join(dir, centre.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := storetest.Empty(1, 1, 3)
	again := storetest.Passage(fact.VerdictPass, 1, 9)
	again.Amends = true
	for i, body := range []wire.Body{storetest.Reading(3650), overQuota("\x1b[31mnorth"), again} {
		b.Entries = append(b.Entries, storetest.Entry(uint64(i+1), body))
	}
	if _, err := s.Commit(t.Context(), []store.Batch{b}); err != nil {
		t.Fatal(err)
	}
	const want = `gate-001, 0190b1c2-0000-7000-8000-000000000001/2, 2020-02-14 14:00:00
May not pass

What it was decided on
  - Card abc, resident
  - Way: out
  - Lane ?[31mnorth
  - Nobody was measured
  - Rule classes.resident.quota of policy 1: how often may be passed
  - Used by the household 12345678… before: 1 of 1

Because
  - The quota is used up: 1 of 1

What would have let the person pass
  - When the household has an exit or entry left: from 2020-02-15 06:00

The record
  - It was replaced: passage 3 of the same journal holds
`
	out, code := run(t, "explain", "--dir", dir, "gate-001", "2")
	if code != 0 || out != want {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	out, code = run(t, "explain", "--dir", dir, "--lang", "zh", storetest.JID(1)+"/3", "-o", "json")
	var got struct {
		Agent, Journal, Verdict string
		Seq, Replaces           uint64
		Sentences               []struct{ Part, Code, Text string }
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, out)
	}
	if got.Agent != "gate-001" || got.Journal != storetest.JID(1) || got.Seq != 3 || got.Replaces != 2 ||
		got.Verdict != "pass" || got.Sentences[0].Text != "准予通行" || got.Sentences[0].Code != "explain.verdict.pass" {
		t.Errorf("%s", out)
	}
}

func TestAPassageIsExplainedFromTheJournalOnTheSpot(t *testing.T) {
	dir := t.TempDir()
	now := clock.Moment{Wall: storetest.T0, Boot: time.Hour}
	j, _, err := journal.Open(journal.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)}, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []wire.Body{storetest.Reading(3650), overQuota("north")} {
		if _, err := j.Append(now, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	out, code := run(t, "explain", "--journal", dir, "2", "--lang", "zh")
	if code != 0 || !strings.Contains(out, "本户有剩余次数时：2020-02-15 06:00 起") {
		t.Errorf("exit code %d: %s", code, out)
	}
	for args, want := range map[string]string{
		"1":        "1 is of kind reading",
		"3":        "the journal holds 1 to 2",
		"x/2":      "the journal in " + dir + " is",
		"gate/one": `seq "one"`,
		"2 -c x":   "if any flags in the group",
	} {
		out, code := run(t, append([]string{"explain", "--journal", dir}, strings.Fields(args)...)...)
		if code == 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit code %d: %s, want %q", args, code, out, want)
		}
	}
}

func TestARecordThatCannotBeExplainedSaysWhy(t *testing.T) {
	dir := t.TempDir()
	s, err := archive.OpenSQLite(filepath.Join(dir, centre.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for args, want := range map[string]string{
		"gate-001 2":           "the store knows no agent and no journal",
		"2":                    "name a record as JOURNAL/SEQ, or as AGENT SEQ",
		"gate-001 0":           `seq "0"`,
		"gate-001 2 --lang fr": `language "fr": use zh or en`,
		"gate-001 2 -o csv":    "use table or json",
		"gate-001 2 3":         "accepts between 1 and 2 arg(s)",
		"--journal /nowhere 2": "if any flags in the group",
		"gate-001 --config x":  "if any flags in the group",
	} {
		out, code := run(t, append([]string{"explain", "--dir", dir}, strings.Fields(args)...)...)
		if code == 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit code %d: %s, want %q", args, code, out, want)
		}
	}
}
