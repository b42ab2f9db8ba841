package registry

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
)

// remembering opens the registry of a file with a memory, as at a start of the collector.
func (b *bench) remembering(file *db.File, memory string) error {
	opts := b.opts
	opts.File, opts.Memory = file, memory
	r, err := Open(b.t.Context(), opts)
	if err == nil {
		b.Registry = r
	}
	return err
}

// fresh returns a desk's file in which nobody is known.
func (b *bench) fresh() *db.File {
	b.t.Helper()
	file, err := db.Open(filepath.Join(b.t.TempDir(), "desk.db"), Schema+audit.Schema, SchemaSigners, SchemaRecipients)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = file.Close() })
	return file
}

// The desk's file is lost: who was enrolled is not taken for somebody who never was.
func TestWhoWasEnrolledIsRememberedWithoutTheFile(t *testing.T) {
	b := newBench(t)
	path := filepath.Join(t.TempDir(), MemoryFile)
	if err := b.remembering(b.opts.File, path); err != nil {
		t.Fatal(err)
	}
	b.enrol("gate-001")
	if b.WasEnrolled("gate-001") || b.WasEnrolled("gate-002") {
		t.Error("the file knows the gate")
	}
	if err := b.remembering(b.fresh(), path); err != nil {
		t.Fatal(err)
	}
	if !b.WasEnrolled("gate-001") || b.WasEnrolled("gate-002") {
		t.Error("without the file: gate-001 was enrolled, gate-002 never")
	}
	b.enrol("gate-001")
	if b.WasEnrolled("gate-001") {
		t.Error("it is enrolled again")
	}
}

// The desk's file is one from before a gate was revoked.
func TestARevocationIsRememberedOverARestore(t *testing.T) {
	b := newBench(t)
	path := filepath.Join(t.TempDir(), MemoryFile)
	if err := b.remembering(b.opts.File, path); err != nil {
		t.Fatal(err)
	}
	b.enrol("gate-001")
	was, _ := b.Lookup("gate-001")
	if err := b.Revoke(t.Context(), "gate-001", li); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"UPDATE certificates SET revoked_at = 0",
		"UPDATE identities SET revoked_at = 0, revoked_by = ''"} { // as the backup has them
		if _, err := b.opts.File.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	b.now = b.now.Add(time.Hour)
	if err := b.remembering(b.opts.File, path); err != nil {
		t.Fatal(err)
	}
	if i, _ := b.Lookup("gate-001"); i.Revoked.IsZero() || !b.Revoked(was.Serial) {
		t.Errorf("a restore lets a revoked gate in: %+v", i)
	}
	b.enrol("gate-001")
	if i, _ := b.Lookup("gate-001"); !i.Revoked.IsZero() {
		t.Error("enrolled again, it counts")
	}
}

func TestAMemoryThatCantBeReadIsSaid(t *testing.T) {
	b := newBench(t)
	path := filepath.Join(t.TempDir(), MemoryFile)
	for _, text := range []string{"{", `{"agents":null,"revoked":{}}`, `{"agents":{},"revoked":null}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := b.remembering(b.opts.File, path); err == nil {
			t.Errorf("%s is taken for an empty memory", text)
		}
	}
}
