package journal

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
)

func TestTrustChangesTheStoreOfAnOpenAndAClosedJournal(t *testing.T) {
	o := options(t.TempDir())
	j, _ := mustOpen(t, o)
	fill(t, j, 5)
	mustSync(t, j)
	if err := j.Acknowledge(start, State{5, "a", 4, ""}); err != nil {
		t.Fatal(err)
	}
	if err := j.Trust("b", 1); err != nil || j.State() != (State{0, "b", 1, ""}) {
		t.Fatalf("%v, %v", err, j.State())
	}
	j.Close()
	if err := Trust(o.Dir, "c", 2); err != nil {
		t.Fatal(err)
	}
	if err := Trust(o.Dir, "", 2); err == nil {
		t.Error("no store is trusted")
	}
	if err := Trust(t.TempDir(), "c", 2); err == nil {
		t.Error("an empty folder trusts")
	}
	if j, _ = mustOpen(t, o); j.State() != (State{0, "c", 2, ""}) {
		t.Fatalf("state %v", j.State())
	}
}

// The proof of the term is durable at once and survives a new jid; a state file
// of an earlier version, which has none, is read.
func TestTheProofOfTheTermSurvivesARestart(t *testing.T) {
	o := options(t.TempDir())
	j, _ := mustOpen(t, o)
	fill(t, j, 5)
	mustSync(t, j)
	for _, s := range []State{{4, "a", 3, ""}, {4, "a", 3, `{"term":3}`}} {
		if err := j.Acknowledge(start, s); err != nil {
			t.Fatal(err)
		}
		saved, err := readSmall[savedState](o.Dir, stateFile)
		if err != nil || saved.state() != s {
			t.Errorf("on disk is %+v, %v; want %v", saved, err, s)
		}
	}
	if err := j.Renew("for the test"); err != nil {
		t.Fatal(err)
	}
	j.Close()
	if j, _ = mustOpen(t, o); j.State() != (State{0, "a", 3, `{"term":3}`}) {
		t.Errorf("after a restart: %v", j.State())
	}
	j.Close()
	before := `{"jid":"` + j.JID() + `","origin":"` + j.Origin() +
		`","through":5,"store":"a","term":3,"trimmed":0,"age_ns":0}`
	line := fmt.Appendf(nil, "%s\n%08x\n", before, crc32.Checksum([]byte(before), castagnoli))
	if err := os.WriteFile(filepath.Join(o.Dir, stateFile), line, 0o600); err != nil {
		t.Fatal(err)
	}
	if j, _ = mustOpen(t, o); j.State() != (State{5, "a", 3, ""}) {
		t.Errorf("of an earlier version: %v", j.State())
	}
}
