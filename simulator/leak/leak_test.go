package leak

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

const card, name = "62E3086CED", "张三"

// A card's number, and a name, are found however they are written.
func TestASecretIsFoundInEveryForm(t *testing.T) {
	cards, names := New(Secret{"card", card}), New(Secret{"name", name})
	for _, held := range []string{card, "62e3086ced", "62:E3:08:6C:ED", "62 E3 08 6C ED", "424715775213", "e3086ced",
		"3808980205", "008,27885", "00827885", "Y2FyZD02MkUzMDg2Q0VE", "IDYyRTMwODZDRUQ=", "NjJFMzA4NkNFRA==",
		"6\x002\x00E\x003\x000\x008\x006\x00C\x00E\x00D\x00",
		"\x62\xe3\x08\x6c\xed", "\xed\x6c\x08\xe3\x62", "36324533303836434544", "DEC6803E26",
		"%36%32%45%33%30%38%36%43%45%44"} {
		if len(cards.In([]byte("before "+held+" after"))) == 0 {
			t.Errorf("%q is not found", held)
		}
	}
	for _, held := range []string{name, `\u5f20\u4e09`, "5byg5LiJ", "e5bca0e4b889", "%E5%BC%A0%E4%B8%89"} {
		if len(names.In([]byte(held))) == 0 {
			t.Errorf("%q is not found", held)
		}
	}
	if found := cards.In([]byte("62E3086CEE 1808980205 008,27886 10082788500 4247157752130")); len(found) > 0 {
		t.Errorf("another card is taken for it: %v", found)
	}
}

// pack packs a text in each way.
func pack(t *testing.T, text string) map[string][]byte {
	t.Helper()
	var g, z, a bytes.Buffer
	gw := gzip.NewWriter(&g)
	zw, err := zstd.NewWriter(&z)
	if err != nil {
		t.Fatal(err)
	}
	aw := zip.NewWriter(&a)
	fw, err := aw.Create("sheet.xml")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []interface{ Write(b []byte) (int, error) }{gw, zw, fw} {
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []interface{ Close() error }{gw, zw, aw} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return map[string][]byte{"gzip": g.Bytes(), "zstd": z.Bytes(), "zip": a.Bytes()}
}

// What is packed, also twice and behind other bytes, is searched.
func TestWhatIsPackedIsSearched(t *testing.T) {
	s := New(Secret{"card", card})
	for kind, b := range pack(t, "the card "+card) {
		found := s.In(b)
		if len(found) == 0 {
			t.Errorf("in %s it is not found", kind)
			continue
		}
		if !strings.Contains(found[len(found)-1].String(), kind) {
			t.Errorf("in %s it is not found: %v", kind, found)
		}
		for outer, twice := range pack(t, "x"+string(b)) {
			if kind == "zip" {
				continue // begins its file
			}
			if len(s.In(twice)) == 0 {
				t.Errorf("in %s in %s it is not found", kind, outer)
			}
		}
	}
	half := pack(t, card+strings.Repeat("some more text, which goes on. ", 1000))["gzip"]
	if len(s.In(half[:len(half)-20])) == 0 {
		t.Error("in a damaged gzip it is not found")
	}
}

// Files and their names are searched, below all folders; a place that is allowed is not told.
func TestAFolderIsSearched(t *testing.T) {
	dir := t.TempDir()
	for path, text := range map[string]string{"log": "tapped " + card, "a/b/none": "nothing",
		"a/of-" + card: "", "roster.csv": card + ",resident\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := New(Secret{"card", card}).Dir(dir, func(path, secret string) bool {
		return path == "roster.csv" && secret == "card"
	})
	if err != nil || got.Files != 4 || got.Bytes == 0 || got.Allowed == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	leaks := strings.Join(got.Leaks, "\n")
	if !strings.Contains(leaks, "log: card as it is at byte 7") || !strings.Contains(leaks, "a/of-") ||
		strings.Contains(leaks, "roster") {
		t.Errorf("found:\n%s", leaks)
	}
}

// Among thousands of cards only what chance does not make is looked for.
func TestManySecrets(t *testing.T) {
	s := NewMany([]Secret{{"card", card}, {"another", "6200000017"}})
	for held, want := range map[string]bool{card: true, "62e3086ced": true, "NjJFMzA4NkNFRA": true, "6200000017": true,
		"16200000017": false, "00827885": false, "3808980205": false, "\x62\xe3\x08\x6c\xed": false} {
		if got := len(s.In([]byte(held))) > 0; got != want {
			t.Errorf("%q: %v", held, got)
		}
	}
}

// A folder that is not there, or can't be read, is no folder without secrets.
func TestAFolderThatIsNotThere(t *testing.T) {
	none := func(string, string) bool { return false }
	if got, err := New().Dir(filepath.Join(t.TempDir(), "gone"), none); err == nil {
		t.Errorf("%+v", got)
	}
}

func BenchmarkIn(b *testing.B) {
	s := New(Secret{"card", card}, Secret{"name", name})
	data := bytes.Repeat([]byte(`{"seq":17,"at":"2020-02-14T06:30:00Z","credential":"os2mfm5p-abcd"}`), 100_000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		s.In(data)
	}
}
