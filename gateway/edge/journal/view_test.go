package journal

import "testing"

func TestLookReadsWhileAnAgentRunsAndWithoutTheSmallFiles(t *testing.T) {
	o := options(t.TempDir())
	j, _ := mustOpen(t, o)
	fill(t, j, 12)
	v, err := Look(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	entries, holes := all(t, v.Read, v.Last)
	if len(entries) != 12 || holes != nil || v.First != 1 || v.JID != j.JID() {
		t.Fatalf("%d entries, holes %v, %+v", len(entries), holes, v)
	}
	if _, err := v.Read(0, 1, 1); err == nil {
		t.Error("seq 0 was read")
	}
	v.Close()
	j.Close()
	remove(t, o.Dir, identityFile)
	remove(t, o.Dir, stateFile)
	if v, err = Look(o.Dir); err != nil || len(v.Problems) != 2 || v.Last != 12 {
		t.Fatalf("%+v, %v", v, err)
	}
	v.Close()
	if _, err := Look(t.TempDir()); err == nil {
		t.Error("an empty folder is a journal")
	}
}
