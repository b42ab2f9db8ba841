package backup

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"gatehouse/gateway/lockfile"
)

func TestADamagedBackupChangesNothing(t *testing.T) {
	k := newKit(t)
	last, _ := k.make()
	whole, err := os.ReadFile(last.File)
	must(t, err)
	step := len(whole) / 40
	for at := 1; at < len(whole); at += step {
		cut, flipped := whole[:at], slices.Clone(whole)
		flipped[at] ^= 0x10
		for what, b := range map[string][]byte{"cut": cut, "flipped": flipped} {
			must(t, os.WriteFile(last.File, b, 0o600))
			_, err := k.restore().Do(t.Context())
			if err == nil {
				t.Errorf("%s at %d: no error", what, at)
			}
			if got := names(tree(t, k.path("new"))); len(got) > 0 {
				t.Fatalf("%s at %d: %q is there", what, at, got)
			}
		}
	}
}

func TestNothingIsRestoredOver(t *testing.T) {
	k := newKit(t)
	k.make()
	r := k.restore()
	write(t, k.path("new", "county", "gatehouse.db"), "no database: that is why somebody restores")
	write(t, k.path("new", "etc", "sites.yaml"), "id: qinghe # another one\n")
	if _, err := r.Do(t.Context()); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("a folder with files: %v", err)
	}
	r.Again = true
	done, err := r.Do(t.Context())
	must(t, err)
	aside := done.Aside[k.path("new", "etc", "sites.yaml")]
	if b, err := os.ReadFile(aside); err != nil || string(b) != "id: qinghe # another one\n" {
		t.Errorf("moved to %q: %q, %v", aside, b, err)
	}
	aside = done.Aside[k.path("new", "county")]
	if got := names(tree(t, aside)); !slices.Contains(got, "gatehouse.db") {
		t.Errorf("moved to %q: %q", aside, got)
	}
	r.Again, r.Dir = false, k.path("third")
	if _, err := r.Do(t.Context()); err != nil { // the configuration is as in the backup
		t.Error(err)
	}
}

func TestALivingCollectorIsNotRestoredOver(t *testing.T) {
	k := newKit(t)
	k.make()
	r := k.restore()
	write(t, k.path("new", "county", "lock"), "")
	held, err := lockfile.Take(k.path("new", "county", "lock"))
	must(t, err)
	defer held.Close()
	r.Again = true
	if _, err := r.Do(t.Context()); !errors.Is(err, ErrLiving) {
		t.Errorf("error is %v", err)
	}
}

func TestAStoreThatHasMoreIsNotRestoredOver(t *testing.T) {
	k := newKit(t)
	must(t, k.commit(t.Context()))
	k.make()
	must(t, k.commit(t.Context()))
	r := k.restore()
	r.Dir, r.Again = k.path("county"), true
	if _, err := r.Do(t.Context()); !errors.Is(err, ErrNewer) {
		t.Errorf("error is %v", err)
	}
	r.OverNewer = true
	done, err := r.Do(t.Context())
	must(t, err)
	if n := number(t, k.path("county", "gatehouse.db"), "SELECT count(*) FROM records"); n != 1 {
		t.Errorf("%d records", n)
	}
	if len(done.Aside) != 1 {
		t.Errorf("aside %q", done.Aside)
	}
}

func TestABackupOfAnotherCountyOrVersionIsRefused(t *testing.T) {
	k := newKit(t)
	k.make()
	r := k.restore()
	r.CountyOf = func(string) (string, error) { return "linshui", nil }
	if _, err := r.Do(t.Context()); !errors.Is(err, ErrOther) {
		t.Errorf("another county: %v", err)
	}
	r = k.restore()
	later := errors.New("later schema")
	r.Adopt = func(context.Context, string, Manifest) error { return later }
	if _, err := r.Do(t.Context()); !errors.Is(err, later) {
		t.Errorf("a later schema: %v", err)
	}
	if got := names(tree(t, k.path("new"))); len(got) > 0 {
		t.Errorf("%q is there", got)
	}
	for name, c := range map[string]struct {
		change func(m *Manifest)
		want   string
	}{
		"as it is":     {func(*Manifest) {}, ""},
		"later":        {func(m *Manifest) { m.Format = 2 }, "later version"},
		"none":         {func(m *Manifest) { m.Format = 0 }, "no backup"},
		"county":       {func(m *Manifest) { m.County = "../x" }, "no county"},
		"above":        {func(m *Manifest) { m.Files[0].Name = "county/../../x" }, "names a file"},
		"absolute":     {func(m *Manifest) { m.Files[0].Name = "/etc/passwd" }, "names a file"},
		"twice":        {func(m *Manifest) { m.Files = append(m.Files, m.Files[0]) }, "names a file"},
		"other folder": {func(m *Manifest) { m.Files[0].Name = "gate/x" }, "does not know"},
		"sum":          {func(m *Manifest) { m.Files[0].SHA256 = "x" }, "nothing right"},
		"no store":     {func(m *Manifest) { m.Files = nil }, "no store"},
	} {
		m, err := List(k.path("county.age"), []string{k.secret})
		must(t, err)
		c.change(&m)
		b, err := json.Marshal(m)
		must(t, err)
		_, err = readManifest(strings.NewReader(string(b)))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What was interrupted is begun again, wherever it was.
func TestARestoreThatWasKilledIsBegunAgain(t *testing.T) {
	k := newKit(t)
	k.make()
	write(t, k.path("new", "county.restoring", "files", "county", "gatehouse.db"), "half of one")
	_, err := k.restore().Do(t.Context())
	must(t, err)
	if got := names(tree(t, k.path("new"))); slices.ContainsFunc(got, func(s string) bool {
		return strings.Contains(s, "restoring")
	}) {
		t.Errorf("left %q", got)
	}
}

func TestAFileWithOtherRowsThanTheManifestSaysIsRefused(t *testing.T) {
	k := newKit(t)
	must(t, k.commit(t.Context()))
	_, m := k.make()
	must(t, os.MkdirAll(k.path("x"), 0o700))
	b, err := open(k.path("county.age"), k.secret)
	must(t, err)
	must(t, b.unpack(t.Context(), k.path("x"), k.plan.Tell))
	must(t, b.close())
	must(t, m.inspect(t.Context(), k.path("x"), k.plan.Tell))
	f, err := sql.Open("sqlite", k.path("x", "county", "gatehouse.db"))
	must(t, err)
	_, err = f.Exec("DELETE FROM records")
	must(t, errors.Join(err, f.Close()))
	err = m.inspect(t.Context(), k.path("x"), k.plan.Tell)
	if err == nil || !strings.Contains(err.Error(), "other rows") {
		t.Errorf("error is %v", err)
	}
}

// The authority is brought back beside a county that was restored from a newer backup, and runs.
func TestTheAuthorityAloneIsBroughtBack(t *testing.T) {
	k := newKit(t)
	k.make()
	if _, err := k.restore().OnlyAuthority(t.Context()); !errors.Is(err, ErrNoAuthority) {
		t.Errorf("a backup without it: %v", err)
	}
	k.plan.Authority = true
	last, _ := k.make()
	r := k.restore()
	r.File = last.File
	write(t, k.path("new", "county", "gatehouse.db"), "the county that is there")
	write(t, k.path("new", "county", "lock"), "")
	held, err := lockfile.Take(k.path("new", "county", "lock"))
	must(t, err)
	defer held.Close()
	_, err = r.OnlyAuthority(t.Context())
	must(t, err)
	got := tree(t, k.path("new"))
	if got["ca/ca.key"] != "key of the authority\n" || len(got) != 3 {
		t.Errorf("there is %q", got)
	}
	if b, err := os.ReadFile(k.path("new", "county", "gatehouse.db")); string(b) != "the county that is there" {
		t.Errorf("the county is %q, %v", b, err)
	}
	write(t, k.path("new", "ca", "ca.key"), "another key\n")
	if _, err := r.OnlyAuthority(t.Context()); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("another authority is there: %v", err)
	}
	r.Again = true
	done, err := r.OnlyAuthority(t.Context())
	must(t, err)
	if b, err := os.ReadFile(done.Aside[k.path("new", "ca", "ca.key")]); err != nil || string(b) != "another key\n" {
		t.Errorf("moved aside: %q, %v", b, err)
	}
}
