package pages

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/repository"
	"gatehouse/gateway/testkit/debs"
)

// served serves a folder with one package, and returns its address, its folder and its key.
func served(t *testing.T) (*httptest.Server, repository.Folder, openpgp.Key) {
	t.Helper()
	key, err := openpgp.NewKey("gatehouse qinghe", time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	f := repository.Folder{Dir: t.TempDir()}
	deb := debs.Make(t, t.TempDir(), "x.deb", debs.Control("gatehouse", "1.4.0", "all"),
		map[string]string{"usr/bin/gatehouse": strings.Repeat("program", 1000)})
	if _, err := f.Add(repository.Signer{County: "qinghe", Key: key, Now: time.Now()}, []string{deb}); err != nil {
		t.Fatal(err)
	}
	p, mux := newPackages(&f), http.NewServeMux()
	mux.HandleFunc("GET /packages/{file}", p.serve)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s, f, key
}

// apt runs apt-get with a folder of its own, in which the county's key is trusted.
func apt(t *testing.T, root, source string, key openpgp.Key, args ...string) (string, error) {
	t.Helper()
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"lists/partial", "archives/partial", "parts"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"status": "", "key.asc": string(public),
		"sources.list": "deb [signed-by=" + root + "/key.asc] " + source + "/packages ./\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil { //nolint:gosec // public
			t.Fatal(err)
		}
	}
	opts := []string{"-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none",
		"-o", "Acquire::http::Proxy=DIRECT", "-o", "Acquire::Retries=0",
		"-o", "Dir::Etc::sourcelist=" + root + "/sources.list", "-o", "Dir::Etc::sourceparts=" + root + "/parts",
		"-o", "Dir::State::lists=" + root + "/lists", "-o", "Dir::State::status=" + root + "/status",
		"-o", "Dir::Cache=" + root, "-o", "Dir::Cache::archives=" + root + "/archives"}
	cmd := exec.CommandContext(t.Context(), "apt-get", append(opts, args...)...)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// The real apt takes what the desk serves, and refuses it from another key or when changed.
func TestAptTakesThePackages(t *testing.T) {
	s, f, key := served(t)
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil { //nolint:gosec // apt's methods look into it
		t.Fatal(err)
	}
	if out, err := apt(t, root, s.URL, key, "update"); err != nil || strings.Contains(out, "W:") {
		t.Fatalf("update: %v\n%s", err, out)
	}
	out, err := apt(t, root, s.URL, key, "download", "gatehouse")
	if err != nil {
		t.Fatalf("download: %v\n%s", err, out)
	}
	got, err := os.ReadFile(filepath.Join(root, "gatehouse_1.4.0_all.deb"))
	want, err2 := os.ReadFile(filepath.Join(f.Dir, "gatehouse_1.4.0_all.deb"))
	if err != nil || err2 != nil || string(got) != string(want) {
		t.Errorf("apt has %d bytes of %d, %v, %v", len(got), len(want), err, err2)
	}
	other, err := openpgp.NewKey("somebody", time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := apt(t, t.TempDir(), s.URL, other, "update", "--error-on=any"); err == nil {
		t.Errorf("another key is taken:\n%s", out)
	}
	changed := filepath.Join(f.Dir, repository.SignedFile)
	b, err := os.ReadFile(changed)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(changed, []byte(strings.Replace(string(b), "stable", "stale ", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := apt(t, t.TempDir(), s.URL, key, "update", "--error-on=any"); err == nil {
		t.Errorf("a changed index is taken:\n%s", out)
	}
}

func TestOnlyFilesOfTheIndexAreServed(t *testing.T) {
	s, f, _ := served(t)
	if err := os.WriteFile(filepath.Join(f.Dir, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	get := func(path, ranges string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if ranges != "" {
			r.Header.Set("Range", ranges)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(b)
	}
	_, whole := get("/packages/gatehouse_1.4.0_all.deb", "")
	if status, part := get("/packages/gatehouse_1.4.0_all.deb", "bytes=100-199"); status != http.StatusPartialContent ||
		part != whole[100:200] {
		t.Errorf("a part: %d, %d bytes", status, len(part))
	}
	for path, want := range map[string]int{"/packages/InRelease": 200, "/packages/Packages.gz": 200,
		"/packages/secret": 404, "/packages/.lock": 404, "/packages/": 404, "/packages/..%2fsecret": 404,
		"/packages/gatehouse_9_all.deb": 404} {
		if status, text := get(path, ""); status != want || strings.Contains(text, "secret") {
			t.Errorf("%s: %d %q", path, status, text)
		}
	}
	full := newPackages(&f)
	for range downloadsMost {
		full.slots <- struct{}{}
	}
	w := httptest.NewRecorder()
	full.serve(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/packages/InRelease", nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one too many: %d", w.Code)
	}
	w = httptest.NewRecorder()
	newPackages(nil).serve(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/packages/InRelease", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("without a folder: %d", w.Code)
	}
}
