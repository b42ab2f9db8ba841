package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// get asks the manual for a path as a browser does, which follows no redirect.
func get(t *testing.T, path string, packed bool) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if packed {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	w := httptest.NewRecorder()
	Help().ServeHTTP(w, r)
	return w.Result()
}

func TestTheManualIsServed(t *testing.T) {
	for _, c := range []struct {
		path, location, kind string
		status               int
	}{
		{"/help", "help/zh/", "", 307},
		{"/help?lang=en", "help/en/", "", 307},
		{"/help/", "zh/", "", 307},
		{"/help/?lang=en", "en/", "", 307},
		{"/help/zh/", "", "text/html", 200},
		{"/help/en/runbook.html", "", "text/html", 200},
		{"/help/help.css", "", "text/css", 200},
		{"/help/help.js", "", "text/javascript", 200},
		{"/help/search-zh.js", "", "text/javascript", 200},
		{"/help/pictures/kiosk-fever.zh.png", "", "image/png", 200},
		{"/help/zh/nothing.html", "", "text/html", 404},
		{"/help/zh/guard.html.gz", "", "text/html", 404},
		{"/help/../kiosk.html", "", "text/html", 404},
		{"/help/zh/../../kiosk.html", "", "text/html", 404},
		{"/help/zh", "", "text/html", 404},
	} {
		for _, packed := range []bool{true, false} {
			r := get(t, c.path, packed)
			body, err := io.ReadAll(r.Body)
			if err != nil || r.StatusCode != c.status || r.Header.Get("Location") != c.location ||
				!strings.HasPrefix(r.Header.Get("Content-Type"), c.kind) {
				t.Errorf("%s: %d %v, want %d %s %s (%v)", c.path, r.StatusCode, r.Header, c.status,
					c.location, c.kind, err)
			}
			if !packed && (r.Header.Get("Content-Encoding") != "" ||
				c.status == 200 && c.kind == "text/html" && !strings.Contains(string(body), "</html>")) {
				t.Errorf("%s: not plain: %v", c.path, r.Header)
			}
		}
	}
}

// The limit is of what the manual adds to the program.
func TestTheManualIsSmall(t *testing.T) {
	n := 0
	var walk func(dir string)
	walk = func(dir string) {
		entries, err := dist.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() {
				walk(dir + "/" + e.Name())
				continue
			}
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			n += int(info.Size())
		}
	}
	walk("dist/help")
	if n > 1_500_000 || n < 100_000 {
		t.Errorf("the manual has %d bytes, want at most 1,500,000", n)
	}
	t.Logf("%d bytes", n)
}
