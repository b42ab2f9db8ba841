package cli_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// check returns a field check that began some hours after the first record.
func check(device string, hours int, state fact.CheckState, mean fact.Temp, due time.Time) *wire.FieldCheck {
	began := wire.At(storetest.T0.Add(time.Duration(hours) * time.Hour))
	c := &wire.FieldCheck{Device: device, Began: began, State: state, Offset: 310, Pairs: make([]wire.CheckPair, 3)}
	if state == fact.CheckDone {
		c.Pairs = make([]wire.CheckPair, 10)
		c.Result = &wire.CheckResult{Mean: mean, Spread: 12, Proposed: 310 - mean, Passed: mean <= 50,
			Due: wire.At(due)}
		if mean > 50 {
			c.Result.Faults = []fact.CheckFault{fact.CheckOff}
		}
	}
	return c
}

func TestTheLastCheckOfEachThermometerIsListed(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) string {
		var out bytes.Buffer
		code := cli.Run(t.Context(), append([]string{"checks", "--dir", dir}, args...), nil, &out, &out)
		if code != 0 {
			t.Errorf("exit code %d: %s", code, &out)
		}
		return out.String()
	}
	s, err := archive.OpenSQLite(filepath.Join(dir, centre.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := run(); !strings.Contains(got, "no field checks yet") {
		t.Error(got)
	}
	future := time.Now().Add(48 * time.Hour)
	bodies := []wire.Body{
		check("a", 1, fact.CheckOpen, 0, future), check("a", 1, fact.CheckDone, 60, future),
		check("b", 2, fact.CheckDone, -20, storetest.T0), check("a", 3, fact.CheckOpen, 0, future),
		check("a", 3, fact.CheckDone, 10, future), check("b", 4, fact.CheckGivenUp, 0, future),
	}
	b := storetest.Batch(1, 1, uint64(len(bodies)))
	for i, body := range bodies {
		b.Entries[i] = storetest.Entry(uint64(i+1), body)
	}
	if _, err := s.Commit(t.Context(), []store.Batch{b}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(run()), "\n") {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"GATE DEVICE BEGIN STATE PEOPLE MEAN ERROR SPREAD OFFSET PROPOSED NEXT",
		"gate-001 a 2020-02-14 17:00 passed 10 +0.10 0.12 3.10 3.00 " + future.In(shanghai(t)).Format(time.DateOnly),
		"gate-001 b 2020-02-14 16:00 passed 10 -0.20 0.12 3.10 3.30 2020-02-14 overdue",
		"gate-001 b 2020-02-14 18:00 given-up 3 - - 3.10 - -",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := run("--agent", "gate-001", "-o", "json"); strings.Count(got, `"agent":"gate-001"`) != 3 {
		t.Errorf("of one gate: %s", got)
	}
	if got := run("-o", "json"); strings.Count(got, `"overdue":true`) != 1 {
		t.Errorf("as JSON: %s", got)
	}
}

func shanghai(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}
