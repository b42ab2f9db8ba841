package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/wire"
)

// hand is a clock that tests turn.
type hand struct {
	mu  sync.Mutex
	now float64
}

func (h *hand) Now() clock.Moment  { h.mu.Lock(); defer h.mu.Unlock(); return at(h.now) }
func (h *hand) Synchronised() bool { return true }
func (h *hand) turn(s float64)     { h.mu.Lock(); defer h.mu.Unlock(); h.now += s }

// turned returns st of an agent whose parts turned just now.
func turned(h *hand, st status.Snapshot) status.Snapshot {
	st.Turned = h.Now().Boot
	return st
}

// notebook is an agent that keeps notes, or can't.
type notebook struct {
	Guards

	notes   []wire.Audit
	entered []wire.Entered
	called  []string // ids of calls
	ended   []string // id and how
	steps   []honesty.CheckStep
	fail    error
}

func (g *notebook) Note(_ context.Context, a wire.Audit) error {
	if g.fail == nil {
		g.notes = append(g.notes, a)
	}
	return g.fail
}
func (g *notebook) Retest(_ context.Context, lane, episode string) error {
	if g.fail == nil {
		g.notes = append(g.notes, wire.Audit{Lane: lane, Episode: episode})
	}
	return g.fail
}
func (g *notebook) Buzz() {}
func (g *notebook) Check(_ context.Context, step honesty.CheckStep) error {
	switch {
	case step.Do == "dance":
		return honesty.ErrCheckStep
	case step.Device == "reader":
		return honesty.ErrCheckDevice
	}
	g.steps = append(g.steps, step)
	if step.Do == honesty.CheckContact && step.Value == 3650 {
		return honesty.ErrCheckEmpty
	}
	return nil
}

func (g *notebook) Enter(_ context.Context, _ string, e wire.Entered) error {
	if g.fail == nil {
		g.entered = append(g.entered, e)
	}
	return g.fail
}

func start(t *testing.T) (*Kiosk, *hand, *notebook, *httptest.Server) {
	t.Helper()
	h, g := &hand{}, &notebook{}
	k, err := New(Options{Title: "丽景苑", Agent: "gate-001", Version: "test", Clock: h,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(k.handler(t.Context(), g, "127.0.0.1:0"))
	t.Cleanup(s.Close)
	k.status(turned(h, linked(true)))
	return k, h, g, s
}

// ask sends what a page of origin asks for; an empty origin is none.
func ask(t *testing.T, url, origin, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func press(t *testing.T, s *httptest.Server, body string) (status int, answer string) {
	t.Helper()
	return ask(t, s.URL+"/press", "", body)
}

// A dead page can't sound: the relay does, until somebody has answered.
func TestTheBuzzerSoundsForADeadPage(t *testing.T) {
	k, h, _, s := start(t)
	k.Hear(1, []byte(`{"audio":"running"}`))
	k.Passage(h.Now(), 7, fever)
	h.turn(5)
	if k.tick() {
		t.Error("it sounds while the page lives")
	}
	h.turn(2)
	if !k.tick() {
		t.Error("the page has been dead for 7 s, and all is quiet")
	}
	if k.tick() {
		t.Error("it sounds without a pause")
	}
	h.turn(3)
	if !k.tick() {
		t.Error("it sounds only once")
	}
	k.Hear(1, []byte(`{"audio":"suspended"}`))
	h.turn(3)
	if !k.tick() {
		t.Error("the page lives and can't sound, and all is quiet")
	}
	k.Hear(2, []byte(`{"audio":"running"}`))
	h.turn(3)
	if k.tick() {
		t.Error("a page is back, and the buzzer goes on")
	}
	h.turn(20)
	if status, text := press(t, s, `{"id":"p7","action":"retest"}`); status != http.StatusNoContent {
		t.Fatal(status, text)
	}
	if k.tick() {
		t.Error("answered, and it goes on")
	}
}

func TestAnAnswerIsKeptBeforeTheScreenIsCalm(t *testing.T) {
	k, h, g, s := start(t)
	k.Passage(h.Now(), 7, fever)
	g.fail = errors.New("the disk is full")
	if status, text := press(t, s, `{"id":"p7","action":"isolate"}`); status != http.StatusServiceUnavailable ||
		!strings.Contains(text, "disk") {
		t.Errorf("%d %s", status, text)
	}
	if v := k.screen.View(h.Now()); v.Look != LookFever {
		t.Errorf("nothing was kept, and the screen shows %s", v.Look)
	}
	g.fail = nil
	for body, want := range map[string]int{`{"id":"p8","action":"isolate"}`: 409, `{"id":"p7","action":"pass"}`: 409,
		`rubbish`: 400, ``: 400, `{"id":` + strings.Repeat("1", 2000): 400} {
		if status, _ := press(t, s, body); status != want {
			t.Errorf("%.40s: %d, want %d", body, status, want)
		}
	}
	if status, _ := press(t, s, `{"id":"p7","action":"isolate"}`); status != http.StatusNoContent {
		t.Error(status)
	}
	if want := []wire.Audit{{Actor: "guard", Action: "isolate", Passage: 7, Alarm: "fever:7"}}; !slices.Equal(g.notes,
		want) {
		t.Errorf("kept %+v", g.notes)
	}
}

func TestAForeignPageCannotAnswer(t *testing.T) {
	_, _, g, s := start(t)
	status, _ := ask(t, s.URL+"/press", evil, `{"id":"","action":"muted"}`)
	if status != http.StatusForbidden || len(g.notes) != 0 {
		t.Errorf("%d, kept %v", status, g.notes)
	}
}

func TestTheGateSaysWhatIsWrong(t *testing.T) {
	k, h, _, s := start(t)
	get := func(path string) (int, string) {
		res, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	var ready struct {
		Ready              bool
		Problems, Warnings []string
	}
	for name, c := range map[string]struct {
		do    func()
		code  int
		wants string
	}{
		"well":     {func() { k.Hear(1, []byte(`{"audio":"running"}`)) }, 200, "[] []"},
		"no sound": {func() { k.Hear(1, []byte(`{"audio":"suspended"}`)) }, 200, "[] [a page may not sound"},
		"one is silent": {func() {
			k.Hear(1, []byte(`{"audio":"suspended"}`))
			k.Hear(2,
				[]byte(`{"audio":"running"}`))
		}, 200, "[] [a page may not sound"},
		"no page": {func() { h.turn(7) }, 200, "[] [no page shows"},
		"offline": {func() { k.status(turned(h, linked(false))) }, 200,
			"[] [the county does not answer; 0 records wait"},
		"device gone":    {func() { k.status(turned(h, linked(true, "gone"))) }, 503, "[device thermometer: gone]"},
		"loop is stuck":  {func() { h.turn(16) }, 503, "[a part of the agent is stuck: restart it"},
		"rubbish spoken": {func() { k.Hear(1, []byte(`x`)) }, 200, "[] [no page shows"},
	} {
		h.turn(100)
		k.status(turned(h, linked(true)))
		c.do()
		code, text := get("/readyz")
		if err := json.Unmarshal([]byte(text), &ready); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(append(append([]string{"["}, ready.Problems...),
			append([]string{"] ["}, ready.Warnings...)...), "") + "]"; code != c.code ||
			!strings.Contains(got, c.wants) {
			t.Errorf("%s: %d %s, want %d %s", name, code, got, c.code, c.wants)
		}
	}
	k.status(turned(h, linked(true))) // the cases come in any order
	k.Passage(h.Now(), 7, fever)
	if _, text := get("/metrics"); !strings.Contains(text, `gatehouse_passages_total{verdict="fever"} 1`) ||
		!strings.Contains(text, `gatehouse_device_up{device="thermometer"} 1`) {
		t.Error(text)
	}
}

// The screen has no password: what comes through a proxy, or from a page of
// another site, gets nothing and can press nothing.
func TestTheScreenIsForThisComputerOnly(t *testing.T) {
	_, _, g, s := start(t)
	for header, want := range map[string]int{
		"X-Note: a neighbour": http.StatusOK, "X-Forwarded-For: 10.0.0.9": http.StatusForbidden,
		"Forwarded: for=127.0.0.1": http.StatusForbidden, "Via: 1.1 a": http.StatusForbidden,
	} {
		name, value, _ := strings.Cut(header, ": ")
		for _, path := range []string{"/", "/metrics", "/readyz"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set(name, value)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if res.Body.Close(); res.StatusCode != want {
				t.Errorf("%s with %s: %d", path, header, res.StatusCode)
			}
		}
	}
	for origin, want := range map[string]bool{s.URL: true, "": true, "http://evil.example": false,
		"http://127.0.0.1:9": false, "null": false} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		c, _, err := websocket.Dial(t.Context(), s.URL+"/live", &websocket.DialOptions{HTTPHeader: header})
		if err == nil {
			_ = c.CloseNow()
		}
		if (err == nil) != want {
			t.Errorf("a page of %q: %v", origin, err)
		}
	}
	if len(g.notes) != 0 {
		t.Error("something was pressed")
	}
}
