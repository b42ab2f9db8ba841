package repository

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/testkit/debs"
)

var made = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func newSigner(t *testing.T) (Signer, openpgp.Ring) {
	t.Helper()
	key, err := openpgp.NewKey("gatehouse qinghe", made)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	ring, err := openpgp.ParseRing(public)
	if err != nil {
		t.Fatal(err)
	}
	return Signer{"qinghe", key, made}, ring
}

func deb(t *testing.T, version string) string {
	t.Helper()
	return debs.Make(t, t.TempDir(), "x.deb", debs.Control("gatehouse", version, "amd64"),
		map[string]string{"usr/bin/gatehouse": "#!/bin/sh\necho " + version + "\n"})
}

func versions(list []Package) (out []string) {
	for _, p := range list {
		out = append(out, p.Version)
	}
	return out
}

func TestPackagesAreAddedAndRemoved(t *testing.T) {
	s, ring := newSigner(t)
	f := Folder{filepath.Join(t.TempDir(), "packages")}
	if _, err := f.Index(ring); !errors.Is(err, ErrNone) {
		t.Errorf("an empty folder: %v", err)
	}
	one := deb(t, "1.9.0")
	if _, err := f.Add(s, []string{one, deb(t, "1.10.0")}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Add(s, []string{one}); err != nil {
		t.Errorf("the same again: %v", err)
	}
	list, err := f.Index(ring)
	if err != nil || !slices.Equal(versions(list), []string{"1.10.0", "1.9.0"}) {
		t.Fatalf("%+v, %v", list, err)
	}
	changed := debs.Make(t, t.TempDir(), "x.deb", debs.Control("gatehouse", "1.9.0", "amd64"),
		map[string]string{"usr/bin/gatehouse": "else"})
	if _, err := f.Add(s, []string{changed}); err == nil || !strings.Contains(err.Error(), "another content") {
		t.Errorf("another content: %v", err)
	}
	for name, listed := range map[string]bool{"InRelease": true, "Packages": true, "Packages.gz": true,
		"gatehouse_1.9.0_amd64.deb": true, "gatehouse_1.8.0_amd64.deb": false, ".lock": false, "../x": false,
		"": false, "Packages.new": false} {
		file, err := f.Open(name)
		if (err == nil) != listed || !listed && !errors.Is(err, ErrNotListed) {
			t.Errorf("%q is served: %t, %v", name, err == nil, err)
		}
		if err == nil {
			file.Close()
		}
	}
	if removed, err := f.Remove(s, "1.9.0"); err != nil || len(removed) != 1 {
		t.Errorf("%+v, %v", removed, err)
	}
	if _, err := f.Remove(s, "1.9.0"); err == nil {
		t.Error("what is gone is removed")
	}
	if list, err = f.Index(ring); err != nil || !slices.Equal(versions(list), []string{"1.10.0"}) {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := os.Stat(filepath.Join(f.Dir, "gatehouse_1.9.0_amd64.deb")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file stays: %v", err)
	}
}

func TestAnIndexThatWasChangedIsRefused(t *testing.T) {
	s, ring := newSigner(t)
	_, foreign := newSigner(t)
	f := Folder{t.TempDir()}
	if _, err := f.Add(s, []string{deb(t, "1.0.0")}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Index(foreign); !errors.Is(err, openpgp.ErrForeign) {
		t.Errorf("another key: %v", err)
	}
	index := filepath.Join(f.Dir, IndexFile)
	b, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(index, bytes.Replace(b, []byte("1.0.0"), []byte("1.0.1"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := f.Index(ring); err == nil {
		t.Errorf("a changed index lists %+v", list)
	}
	// As after a power cut between the files: what lies there as listed is kept.
	if err := os.WriteFile(index, append(b, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Add(s, []string{deb(t, "1.1.0")}); err != nil {
		t.Fatal(err)
	}
	if list, err := f.Index(ring); err != nil || !slices.Equal(versions(list), []string{"1.1.0", "1.0.0"}) {
		t.Errorf("%+v, %v", list, err)
	}
	other, _ := newSigner(t)
	if _, err := f.Add(other, []string{deb(t, "1.2.0")}); !errors.Is(err, openpgp.ErrForeign) {
		t.Errorf("signed over another's: %v", err)
	}
}

func TestWhatIsNoPackageOfGatehouseIsRefused(t *testing.T) {
	s, _ := newSigner(t)
	dir := t.TempDir()
	good, err := os.ReadFile(deb(t, "1.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for what, path := range map[string]string{
		"no file":         filepath.Join(dir, "none.deb"),
		"empty":           file("empty.deb", nil),
		"text":            file("text.deb", []byte("not a package")),
		"cut off":         file("cut.deb", good[:100]),
		"no begin":        file("begin.deb", good[8:]),
		"endless member":  file("member.deb", []byte("!<arch>\ndebian-binary   0  0  0  0  9999999999`\n")),
		"another package": debs.Make(t, dir, "bash.deb", debs.Control("bash", "9", "amd64"), nil),
	} {
		f := Folder{filepath.Join(t.TempDir(), "packages")}
		if added, err := f.Add(s, []string{path}); err == nil {
			t.Errorf("%s: %+v", what, added)
		}
		if _, err := f.Open(SignedFile); !errors.Is(err, ErrNotListed) {
			t.Errorf("%s: an index was written, %v", what, err)
		}
	}
}

func TestAnIndexIsReadStrictly(t *testing.T) {
	good := "Package: gatehouse\nVersion: 1.0\nArchitecture: amd64\n" +
		"Filename: ./gatehouse_1.0_amd64.deb\nSize: 9\nSHA256: " +
		strings.Repeat("a", 64) + "\n"
	if list, err := parseIndex([]byte(good)); err != nil || len(list) != 1 || list[0].Size != 9 {
		t.Fatalf("%+v, %v", list, err)
	}
	for what, edit := range map[string][2]string{
		"a path":        {"./gatehouse_1.0", "../gatehouse_1.0"},
		"another name":  {"Package: gatehouse", "Package: sudo"},
		"no hash":       {"SHA256", "SHA1"},
		"no size":       {"Size: 9", "Size: x"},
		"size 0":        {"Size: 9", "Size: 0"},
		"a long size":   {"Size: 9", "Size: 99999999999"},
		"twice":         {"Size: 9", "Size: 9\nsize: 8"},
		"no field":      {"Size: 9", "Size: 9\nrubbish"},
		"a bad version": {"Version: 1.0", "Version: 1.0;reboot"},
	} {
		if list, err := parseIndex([]byte(strings.Replace(good, edit[0], edit[1], 1))); err == nil {
			t.Errorf("%s: %+v", what, list)
		}
	}
}

// Two versions that would lie under one name don't take each other's place.
func TestAnEpochDoesNotReplaceAnotherPackage(t *testing.T) {
	s, ring := newSigner(t)
	f := Folder{filepath.Join(t.TempDir(), "packages")}
	if _, err := f.Add(s, []string{deb(t, "1.4.0")}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Add(s, []string{deb(t, "1:1.4.0")}); err == nil || !strings.Contains(err.Error(), "colon") {
		t.Errorf("the second one: %v", err)
	}
	list, err := f.Index(ring)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if p, err := readFile(filepath.Join(f.Dir, list[0].File)); err != nil || p.SHA256 != list[0].SHA256 {
		t.Errorf("the first one is %+v, %v", p, err)
	}
}

// A package that has fields of the index in its own control file does not spoil the index.
func TestFieldsOfTheIndexInAPackageDoNotCount(t *testing.T) {
	s, ring := newSigner(t)
	f := Folder{filepath.Join(t.TempDir(), "packages")}
	odd := debs.Make(t, t.TempDir(), "x.deb", debs.Control("gatehouse", "1.4.0", "amd64")+"sIZe: 1\nFilename: ./else\n",
		map[string]string{"usr/bin/gatehouse": "x"})
	if _, err := f.Add(s, []string{odd}); err != nil {
		t.Fatal(err)
	}
	if list, err := f.Index(ring); err != nil || len(list) != 1 || list[0].Size < 100 {
		t.Errorf("%+v, %v", list, err)
	}
}

// Root may add packages to a folder that is another account's.
func TestALinkInTheFolderIsNotFollowed(t *testing.T) {
	s, _ := newSigner(t)
	f := Folder{t.TempDir()}
	away := filepath.Join(t.TempDir(), "shadow")
	if err := os.WriteFile(away, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{IndexFile, SignedFile, packedIndex, "gatehouse_1.4.0_amd64.deb"} {
		if err := os.Symlink(away, filepath.Join(f.Dir, name+".new")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Add(s, []string{deb(t, "1.4.0")}); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(away); err != nil || string(b) != "secret" {
		t.Errorf("the file elsewhere is %.20q, %v", b, err)
	}
}
