package welcome

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/enrolment"
)

// bench is a first page, and a desk that answers as a test says.
type bench struct {
	t       *testing.T
	w       *Welcome
	url     string
	answers chan func(http.ResponseWriter)
	code    string
}

func start(t *testing.T, dir string) *bench {
	t.Helper()
	b := &bench{t: t, answers: make(chan func(http.ResponseWriter))}
	desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case answer := <-b.answers:
			answer(w)
		case <-r.Context().Done():
		}
	}))
	c, err := enrolment.NewCode("qinghe", "gate-001", []string{desk.URL}, [16]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	b.code = c.Text()
	b.w = New(Options{Dir: dir, Check: func(string) error { return nil }, Poll: time.Millisecond,
		Screen: func() string { return "" }, Log: slog.New(slog.DiscardHandler)})
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.url = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.w.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v", err)
		}
		desk.Close()
	})
	return b
}

func (b *bench) post(path, body string, headers ...string) (status int, text string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, string(all)
}

func (b *bench) typed(code string) (status int, text string) {
	b.t.Helper()
	body, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.post("/code", string(body))
}

// within waits until the page shows what a test wants.
func (b *bench) within(what string, ok func(View) bool) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(b.w.View()); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("waited for %s: %+v", what, b.w.View())
		}
	}
}

func refuse(code string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { http.Error(w, `{"code":"`+code+`","text":"no"}`, http.StatusGone) }
}

func TestARefusalIsSaidAndAnotherCodeIsTaken(t *testing.T) {
	b := start(t, filepath.Join(t.TempDir(), "gate"))
	if status, text := b.typed(b.code[:4] + "?" + b.code[5:]); status != 422 || !strings.Contains(text, "text") {
		t.Errorf("%d %s", status, text)
	}
	swapped := b.code[:3] + "Z" + b.code[4:]
	if status, text := b.typed(swapped); status != 422 || !strings.Contains(text, `"code":"group","group":1,"line":1`) {
		t.Errorf("%d %s", status, text)
	}
	if status, text := b.typed(b.code); status != 204 {
		t.Fatal(status, text)
	}
	b.answers <- func(w http.ResponseWriter) { http.Error(w, "<html>log in here", http.StatusForbidden) }
	b.within("something else", func(v View) bool { return v.Trouble == "proxy" && v.Step == Asking })
	if status, _ := b.typed(b.code); status != 409 {
		t.Errorf("a second code meanwhile: %d", status)
	}
	b.answers <- func(w http.ResponseWriter) {
		w.Header().Set("Date", time.Now().Add(3*time.Hour).UTC().Format(http.TimeFormat))
		refuse("enrol-late")(w)
	}
	b.within("the refusal", func(v View) bool { return v.Step == Wrong && v.Wrong == "enrol-late" && v.Text != "" })
	if status, _ := b.post("/again", "{}"); status != 204 {
		t.Error(status)
	}
	b.within("another code", func(v View) bool { return v == View{Step: Code} })
}

func TestAnotherCodeInsteadOfWaiting(t *testing.T) {
	b := start(t, filepath.Join(t.TempDir(), "gate"))
	b.typed(b.code)
	b.within("the question", func(v View) bool { return v.Step == Asking })
	b.post("/again", "{}")
	b.within("another code", func(v View) bool { return v.Step == Code })
}

func TestAFolderThatCanNotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := start(t, dir)
	b.typed(b.code)
	b.within("the fault", func(v View) bool { return v.Step == Wrong && v.Wrong == "folder" })
}

func TestTheFirstPageIsForThisComputersScreen(t *testing.T) {
	b := start(t, t.TempDir())
	for name, c := range map[string]struct {
		headers []string
		want    int
	}{
		"another name":    {[]string{"Host", "evil.example"}, http.StatusMisdirectedRequest},
		"another page":    {[]string{"Origin", "http://evil.example"}, http.StatusForbidden},
		"another site":    {[]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"through a proxy": {[]string{"X-Forwarded-For", "10.0.0.7"}, http.StatusForbidden},
	} {
		if status, _ := b.post("/code", `{"code":"x"}`, c.headers...); status != c.want {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, _ := b.post("/code", `{"code":"`+strings.Repeat("0", 9000)+`"}`); status != 400 {
		t.Errorf("too long: %d", status)
	}
	if status, _ := b.post("/code", "{"); status != 400 {
		t.Errorf("no JSON: %d", status)
	}
}

func TestAScannerAtASerialPort(t *testing.T) {
	b := start(t, filepath.Join(t.TempDir(), "gate"))
	c, err := enrolment.ParseCode(b.code)
	if err != nil {
		t.Fatal(err)
	}
	b.w.Scan(t.Context(), io.MultiReader(strings.NewReader("\r\n6901234567892\r\n"), failing{}))
	b.within("what is wrong", func(v View) bool { return v.Scanned != nil && v.Scanned.Group == 1 })
	b.w.Scan(t.Context(), io.MultiReader(strings.NewReader(c.QR()+"\r"), failing{}))
	b.within("the question", func(v View) bool { return v.Step == Asking && v.Scanned == nil })
}

// failing is a port that was pulled out.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("gone") }
