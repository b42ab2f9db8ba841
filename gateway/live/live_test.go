package live

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func serve(t *testing.T, h *Hub, hearer Hearer) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Serve(t.Context(), w, r, Page{Hearer: hearer})
	}))
	t.Cleanup(s.Close)
	return s
}

func dial(t *testing.T, s *httptest.Server, query string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), s.URL+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

// frame reads the next frame that is not a heartbeat.
func frame(t *testing.T, c *websocket.Conn) Frame {
	t.Helper()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, b, err := c.Read(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		var f Frame
		if err := json.Unmarshal(b, &f); err != nil {
			t.Fatal(err)
		}
		if f.All != nil || f.Set != nil || f.Del != nil {
			return f
		}
	}
}

func set(t *testing.T, h *Hub, key string, v int) {
	t.Helper()
	if err := Set(h, key, v); err != nil {
		t.Fatal(err)
	}
}

func TestAPageReceivesTheStateAndThenItsChanges(t *testing.T) {
	h := New(0)
	set(t, h, "a", 1)
	c := dial(t, serve(t, h, nil), "")
	if f := frame(t, c); f.N != 1 || string(f.All["a"]) != "1" || f.At.IsZero() {
		t.Fatalf("the state is %+v", f)
	}
	set(t, h, "a", 1) // no change
	set(t, h, "b", 2)
	h.Delete("a")
	h.Delete("x") // never there
	if f := frame(t, c); f.N != 2 || string(f.Set["b"]) != "2" || f.All != nil {
		t.Fatalf("then %+v", f)
	}
	if f := frame(t, c); f.N != 3 || len(f.Del) != 1 || f.Del[0] != "a" {
		t.Fatalf("then %+v", f)
	}
}

func TestAPageResumesAfterTheLastChangeItHas(t *testing.T) {
	h := New(0)
	for i := range 5 {
		set(t, h, "a", i)
	}
	s := serve(t, h, nil)
	for name, c := range map[string]struct {
		query string
		n     uint64 // of the first frame
		whole bool   // which is the whole state
		a     string // or has this value of "a"
	}{
		"after 3":           {"?epoch=" + h.epoch + "&since=3", 4, false, "3"},
		"another epoch":     {"?epoch=other&since=3", 5, true, ""},
		"no epoch":          {"", 5, true, ""},
		"a future number":   {"?epoch=" + h.epoch + "&since=99", 5, true, ""},
		"too large":         {"?epoch=" + h.epoch + "&since=99999999999999999999", 5, true, ""},
		"no number":         {"?epoch=" + h.epoch + "&since=x", 1, false, "0"},
		"a negative number": {"?epoch=" + h.epoch + "&since=-1", 1, false, "0"},
	} {
		f := frame(t, dial(t, s, c.query))
		if f.N != c.n || (f.All != nil) != c.whole || string(f.Set["a"]) != c.a {
			t.Errorf("%s: the first frame is %+v", name, f)
		}
	}
	for i := range 2 * keptFrames {
		set(t, h, "a", 100+i)
	}
	if f := frame(t, dial(t, s, "?epoch="+h.epoch+"&since=3")); f.All == nil || f.N != 5+2*keptFrames {
		t.Errorf("a page that missed too many changes receives %+v", f)
	}
}

func TestChangesOfOnePeriodComeInOneFrame(t *testing.T) {
	h := New(30 * time.Millisecond)
	c := dial(t, serve(t, h, nil), "")
	frame(t, c)
	for i := range 50 {
		set(t, h, "a", i)
		set(t, h, "b", i)
	}
	if f := frame(t, c); f.N != 1 || string(f.Set["a"]) != "49" || string(f.Set["b"]) != "49" {
		t.Fatalf("the changes came as %+v", f)
	}
}

// Some proxies leave the headers out that ask for a WebSocket.
func TestARequestWithoutUpgradeIsToldWhatIsMissing(t *testing.T) {
	s := serve(t, New(0), nil)
	for _, header := range []http.Header{
		{}, {"Connection": {"close"}, "Upgrade": {"websocket"}}, {"Connection": {"upgrade"}, "Upgrade": {"h2c"}},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		said := strings.Contains(string(text), "proxy_set_header Upgrade")
		if err != nil || res.StatusCode != http.StatusUpgradeRequired || !said {
			t.Errorf("%v: %d %s %v", header, res.StatusCode, text, err)
		}
	}
}

// A page that never reads is disconnected, and delays nobody meanwhile.
func TestAPageThatNeverReadsIsDisconnected(t *testing.T) {
	h := New(0)
	s := serve(t, h, nil)
	dial(t, s, "")
	big := strings.Repeat("x", 1<<20)
	for i := 0; i < 2000 && h.Pages() == 1; i++ {
		if err := Set(h, "a", big[:1<<20-i]); err != nil {
			t.Fatal(err)
		}
		if i == 30 {
			begun := time.Now()
			for j := range 100 {
				set(t, h, "b", j)
			}
			if d := time.Since(begun); d > 2*time.Second {
				t.Errorf("the page delayed the hub by %s", d)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	if h.Pages() != 0 {
		t.Fatal("it is still connected")
	}
}

type ear chan string

func (e ear) Hear(page uint64, b []byte) { e <- fmt.Sprint(page, " ", string(b)) }

func TestMessagesOfPagesReachTheHearer(t *testing.T) {
	e := make(ear, 1)
	s := serve(t, New(0), e)
	var c *websocket.Conn
	for _, want := range []string{"1 hello", "2 hello"} {
		c = dial(t, s, "")
		if err := c.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if got := <-e; got != want {
			t.Fatalf("received %q, want %q", got, want)
		}
	}
	_ = c.Write(t.Context(), websocket.MessageText, make([]byte, 2*readLimit)) // too long: it is disconnected
	if _, _, err := c.Read(t.Context()); err == nil {
		if _, _, err = c.Read(t.Context()); err == nil {
			t.Fatal("a page may send a message of any length")
		}
	}
}
