package page

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAnswersAreCheckedAndBounded(t *testing.T) {
	b := start(t, nil, nil)
	_, _, cookie := b.open(b.token())
	post := func(path, body string, want int, says string) {
		t.Helper()
		status, said, _ := b.do(http.MethodPost, path, cookie, body)
		if status != want || !strings.Contains(said, says) {
			t.Errorf("%s %.60s: %d %.200s, want %d %s", path, body, status, said, want, says)
		}
	}
	post("/api/answers", `{"county":"清和"}`, 200, `"key":"county"`)
	post("/api/answers", `{"conty":"x"}`, 400, "json")
	post("/api/answers", `{"name":"`+strings.Repeat("x", mostBody)+`"}`, 413, "large")
	post("/api/answers", `{"county":"qinghe","gates":{"policy":"/etc/shadow"},"sites":"/etc/shadow"}`, 200,
		`"faults":[]`)
	post("/api/sites?name=../../a.csv", "社区,网格,小区\n东城,一,丽景苑\n", 200, `"gates":1`)
	post("/api/sites?name=a.csv", strings.Repeat("x", mostSites+1), 413, "large")
	post("/api/sites?name=a.yaml", "county: beihe\nname: x\ncrs: WGS-84\ncommunities: []\n", 200, `"line":1`)
	if b.view(cookie).Sites != nil {
		t.Error("a wrong file is kept")
	}
	post("/api/sites?name=a.csv", "社区,网格,小区\n东城,一,丽景苑\n", 200, `"gates":1`)
	post("/api/token", `{"token":"the-secret"}`, 204, "")
	post("/api/answers", `{"county":"qinghe","influx":{"url":"http://127.0.0.1:1","bucket":"b"}}`, 200, `"faults":[]`)
	post("/api/try", "", 200, "no InfluxDB is there")
	if _, text, _ := b.do(http.MethodGet, "/api/state", cookie, ""); strings.Contains(text, "the-secret") {
		t.Error("the token is told again")
	}
	post("/api/plan", "", 200, "community-1")
	if _, text, _ := b.do(http.MethodPost, "/api/plan", cookie, ""); strings.Contains(text, "the-secret") ||
		strings.Contains(text, "PRIVATE KEY") || strings.Contains(text, b.p.opts.Scratch) {
		t.Errorf("the plan shows a secret, or where things lie: %s", text)
	}
	b.p.busy.Lock()
	post("/api/try", "", 429, "busy")
	b.p.busy.Unlock()
}

func TestItIsWrittenOnceAndAgainAfterAFailure(t *testing.T) {
	began := 0
	b := start(t, func(context.Context) error { began++; return nil },
		func() (string, error) { return "the-link", nil })
	_, _, cookie := b.open(b.token())
	b.do(http.MethodPost, "/api/answers", cookie, `{"county":"qinghe"}`)
	b.mu.Lock()
	b.write = errors.New("no space left on " + b.p.opts.Scratch + "/sites.csv")
	b.mu.Unlock()
	b.do(http.MethodPost, "/api/sites?name=a.csv", cookie, "社区,网格,小区\n东城,一,丽景苑\n")
	until := func(what Phase, trouble string) view {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if v := b.view(cookie); v.Phase == what && strings.Contains(v.Trouble, trouble) {
				return v
			} else if time.Now().After(end) {
				t.Fatalf("the phase is %s (%s), want %s", v.Phase, v.Trouble, what)
			}
		}
	}
	b.do(http.MethodPost, "/api/write", cookie, "")
	until(Asking, "no space left on sites.csv")
	b.mu.Lock()
	b.write = nil
	b.mu.Unlock()
	b.do(http.MethodPost, "/api/write", cookie, "")
	if v := until(Done, ""); v.After.Link != "the-link" || !v.After.Starts || len(v.Written) != 1 {
		t.Errorf("%+v", v)
	}
	select {
	case err := <-b.ended:
		b.ended <- err
		if err != nil || began != 1 || len(b.wrote) != 2 || filepath.Base(b.wrote[1].Sites) != "sites.csv" {
			t.Errorf("%v, started %d times, written %+v", err, began, b.wrote)
		}
	case <-time.After(20 * time.Second):
		t.Error("it does not end")
	}
}

func TestACollectorThatEndsIsAnError(t *testing.T) {
	b := start(t, func(context.Context) error { return nil },
		func() (string, error) { return "", errors.New("it ended") })
	_, _, cookie := b.open(b.token())
	b.do(http.MethodPost, "/api/answers", cookie, `{"county":"qinghe"}`)
	b.do(http.MethodPost, "/api/write", cookie, "")
	var v view
	for end := time.Now().Add(20 * time.Second); v.Phase != Failed && time.Now().Before(end); {
		v = b.view(cookie)
	}
	err := <-b.ended
	b.ended <- err
	if err == nil || err.Error() != "it ended" || v.Trouble != "it ended" {
		t.Errorf("%v, %+v", err, v)
	}
}

func TestTheScratchFolderGetsOnlyWhatIsUploaded(t *testing.T) {
	b := start(t, nil, nil)
	_, _, cookie := b.open(b.token())
	b.do(http.MethodPost, "/api/token", cookie, `{"token":"t"}`)
	b.do(http.MethodPost, "/api/sites?name=a.csv", cookie, "社区,网格,小区\n东城,一,丽景苑\n")
	list, err := os.ReadDir(b.p.opts.Scratch)
	if err != nil {
		t.Fatal(err)
	}
	var names bytes.Buffer
	for _, f := range list {
		info, err := f.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", f.Name(), info.Mode(), err)
		}
		names.WriteString(f.Name() + " ")
	}
	if names.String() != "influx.token sites.csv " {
		t.Errorf("%s", names.String())
	}
	if status, _, _ := b.do(http.MethodDelete, "/api/sites", cookie, ""); status != http.StatusNoContent ||
		b.view(cookie).Sites != nil {
		t.Errorf("the file stays: %d", status)
	}
}
