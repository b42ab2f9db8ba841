package enrol

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/identity/authority"
)

var now = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)

// handedOver returns the folder of a gate, its authority, another county's, and its renewer.
func handedOver(t *testing.T) (dir string, ca, other *authority.Authority, r *Renewer) {
	t.Helper()
	dir = t.TempDir()
	var err error
	ca, err = authority.Create(filepath.Join(dir, "ca"), "qinghe")
	if err != nil {
		t.Fatal(err)
	}
	other, err = authority.Create(filepath.Join(dir, "other"), "qinghe")
	if err != nil {
		t.Fatal(err)
	}
	if err := identity.Replace(filepath.Join(dir, enrolment.AuthorityFile),
		identity.PEM(ca.Certificate().Raw)); err != nil {
		t.Fatal(err)
	}
	r = &Renewer{identity: Identity{Key: filepath.Join(dir, enrolment.KeyFile)}, county: "qinghe",
		log: slog.New(slog.DiscardHandler)}
	return dir, ca, other, r
}

// Of what comes with renewals the newest counts, if the county's authority has signed it.
func TestWhatIsHandedOverAboutPackages(t *testing.T) {
	dir, ca, other, r := handedOver(t)
	if _, _, err := Handed(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("before anything came: %v", err)
	}
	for _, c := range []struct {
		what  string
		by    *authority.Authority
		key   string
		after time.Duration
		want  string // the key that is held afterwards
		fails bool
	}{
		{"the first", ca, "one", 0, "one", false},
		{"another authority's", other, "evil", time.Hour, "one", true},
		{"a later one", ca, "two", time.Hour, "two", false},
		{"the former once more", ca, "one", 0, "two", false},
		{"the same again", ca, "two", 2 * time.Hour, "two", false},
	} {
		p, err := enrolment.SignPackages("qinghe", now.Add(c.after), []string{"https://desk.example"}, []byte(c.key),
			c.by.Key())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.keepPackages(p, ca.Certificate()); (err != nil) != c.fails {
			t.Errorf("%s: %v", c.what, err)
		}
		if held, _, err := Handed(dir); err != nil || string(held.Key) != c.want {
			t.Errorf("%s: %q is held, %v", c.what, held.Key, err)
		}
	}
}

func TestWhatIsHandedOverAndSpoiled(t *testing.T) {
	dir, ca, other, r := handedOver(t)
	file := filepath.Join(dir, enrolment.PackagesFile)
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Handed(dir); err == nil {
		t.Error("rubbish is taken")
	}
	p, err := enrolment.SignPackages("qinghe", now, []string{"https://desk.example"}, []byte("three"), ca.Key())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.keepPackages(p, ca.Certificate()); err != nil {
		t.Errorf("over rubbish: %v", err)
	}
	if err := identity.Replace(filepath.Join(dir, enrolment.AuthorityFile),
		identity.PEM(other.Certificate().Raw)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Handed(dir); !errors.Is(err, enrolment.ErrPackages) {
		t.Errorf("beside another authority: %v", err)
	}
}
