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
	"gatehouse/gateway/testkit/storetest"
	"gatehouse/gateway/wire"
)

// history runs the command on a folder.
func history(t *testing.T, dir string, args ...string) (out string, code int) {
	t.Helper()
	var b bytes.Buffer
	code = cli.Run(t.Context(), append([]string{"history", "--dir", dir}, args...), nil, &b, &b)
	return b.String(), code
}

func TestTheHistoryIsTheSameAfterItsRecordsWereRemoved(t *testing.T) {
	dir := t.TempDir()
	s, err := archive.OpenSQLite(filepath.Join(dir, centre.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 1, 60)}); err != nil {
		t.Fatal(err)
	}
	byDay := []string{"--by", "day", "-o", "csv", "--from", "2020-02-14", "--to", "2020-02-15"}
	before, code := history(t, dir, byDay...)
	const passages = "2020-02-14T00:00:00+08:00,gate-001,passage,pass,30,36.50,36.50,36.50\n"
	if code != 0 || !strings.Contains(before, passages) {
		t.Fatalf("exit code %d: %s", code, before)
	}
	now := storetest.T0.Add(30 * 24 * time.Hour)
	for _, kind := range []wire.Kind{wire.KindReading, wire.KindPassage} {
		r, err := s.Expire(t.Context(), now, store.Expiry{JID: storetest.JID(1), Kind: kind, Before: now,
			Through: 60, Looked: 100})
		if err != nil || r.Removed != 30 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if after, _ := history(t, dir, byDay...); after != before {
		t.Errorf("after the removal:\n%sbefore:\n%s", after, before)
	}
	if out, code := history(t, dir, "--from", "2020-02-15"); code != 0 || !strings.Contains(out, "no such records") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestAHistoryThatCannotBeShownSaysWhy(t *testing.T) {
	for args, want := range map[string]string{
		"--by week":                        "use hour or day",
		"-o xml":                           "use table, json or csv",
		"--kind people":                    "use one of",
		"--from 2020-02-14T08:30:00+08:00": "give a whole hour",
		"--to yesterday":                   "write it as 2020-02-14",
	} {
		dir := t.TempDir()
		s, err := archive.OpenSQLite(filepath.Join(dir, centre.StoreFile))
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		if out, code := history(t, dir, strings.Fields(args)...); code != 2 || !strings.Contains(out, want) {
			t.Errorf("%s: exit code %d: %s", args, code, out)
		}
	}
}
