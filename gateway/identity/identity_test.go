package identity

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAPseudonymIsStableAndHidesTheCode(t *testing.T) {
	k := newSiteKey([]byte("0123456789abcdef0123456789abcdef"))
	p := k.Pseudonym("card", "62E3086CED")
	if p != k.Pseudonym("card", " 62e3086ced ") {
		t.Error("letter case or blanks make another pseudonym")
	}
	if p == k.Pseudonym("code", "62E3086CED") {
		t.Error("a code and a card of the same text share a pseudonym")
	}
	if strings.Contains(strings.ToUpper(p), "62E3086CED") {
		t.Errorf("%s contains the number", p)
	}
	other := newSiteKey([]byte("another key, another key, 32 byt"))
	if other.Pseudonym("card", "62E3086CED") == p || other.ID() == k.ID() {
		t.Error("another key makes the same pseudonym or id")
	}
	if !strings.HasPrefix(p, k.ID()+"-") {
		t.Errorf("%s does not begin with the key's id", p)
	}
}

func TestASiteKeyIsCreatedOnceAndReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.key")
	if _, err := LoadSiteKey(path); err == nil || !strings.Contains(err.Error(), "copy site.key") {
		t.Fatalf("a missing key gives %v", err)
	}
	made, err := CreateSiteKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CreateSiteKey(path); err == nil {
		t.Fatal("a second key replaced the first")
	}
	read, err := LoadSiteKey(path)
	if err != nil || read.ID() != made.ID() || read.Pseudonym("card", "1") != made.Pseudonym("card", "1") {
		t.Fatalf("read %v, %v", read.ID(), err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadSiteKey(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Fatalf("a key that others can read gives %v", err)
	}
}

func TestBadKeyFilesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "short": "AAAA", "no base64": "!!", "long": strings.Repeat("A", 64),
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadSiteKey(path); err == nil {
			t.Errorf("%s: accepted as a site key", name)
		}
		if _, err := LoadCollectorPublic(path); err == nil {
			t.Errorf("%s: accepted as a public key", name)
		}
	}
}

func TestTheCollectorsKeyIsCreatedOnItsFirstStart(t *testing.T) {
	dir := t.TempDir()
	first, created, err := LoadOrCreateCollectorKey(dir)
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	again, created, err := LoadOrCreateCollectorKey(dir)
	if err != nil || created || !again.Private.Equal(first.Private) {
		t.Fatalf("the second start created %v, %v", created, err)
	}
	public := filepath.Join(dir, collectorPublic)
	if err := os.Remove(public); err != nil { // a crash between the two files
		t.Fatal(err)
	}
	if _, _, err := LoadOrCreateCollectorKey(dir); err != nil {
		t.Fatal(err)
	}
	got, err := LoadCollectorPublic(public)
	if err != nil || !got.Equal(first.Private.Public()) {
		t.Fatalf("public key %v, %v", got, err)
	}
}

func TestTheHostHasAnID(t *testing.T) {
	id, err := HostID(t.TempDir())
	if err != nil || id == "" {
		t.Fatalf("%q, %v", id, err)
	}
}
