package live

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func serve(t *testing.T, h *Hub, hearer Hearer) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.Serve(t.Context(), w, r, hearer) }))
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

// frame reads the next frame that is no heartbeat.
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

func TestAPageGetsTheStateThenItsChanges(t *testing.T) {
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

func TestAPageResumesWhereItWas(t *testing.T) {
	h := New(0)
	for i := range 5 {
		set(t, h, "a", i)
	}
	s := serve(t, h, nil)
	if f := frame(t, dial(t, s, "?epoch="+h.epoch+"&since=3")); f.N != 4 || f.All != nil || string(f.Set["a"]) != "3" {
		t.Errorf("after 3 comes %+v", f)
	}
	for name, query := range map[string]string{
		"another run":       "?epoch=other&since=3",
		"from the future":   "?epoch=" + h.epoch + "&since=99",
		"no number":         "?epoch=" + h.epoch + "&since=x",
		"a negative number": "?epoch=" + h.epoch + "&since=-1",
	} {
		if f := frame(t, dial(t, s, query)); name == "another run" && f.All == nil || name == "from the future" && f.All == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
	for i := range 2 * kept {
		set(t, h, "a", 100+i)
	}
	if f := frame(t, dial(t, s, "?epoch="+h.epoch+"&since=3")); f.All == nil || f.N != 5+2*kept {
		t.Errorf("a page that missed too much gets %+v", f)
	}
}

func TestChangesThatComeTogetherTravelTogether(t *testing.T) {
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

func TestAPageOfAnotherOriginIsRefused(t *testing.T) {
	s := serve(t, New(0), nil)
	_, r, err := websocket.Dial(t.Context(), s.URL, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"http://evil.example"}}})
	if err == nil || r == nil || r.StatusCode != http.StatusForbidden {
		t.Fatalf("a foreign page got %v, %v", r, err)
	}
}

// A page that never reads is dropped, and holds nobody up meanwhile.
func TestAPageThatNeverReadsIsDropped(t *testing.T) {
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
				t.Errorf("the page held the hub up for %s", d)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	if h.Pages() != 0 {
		t.Fatal("it is still served")
	}
}

type ear chan string

func (e ear) Hear(page uint64, b []byte) { e <- fmt.Sprint(page, " ", string(b)) }

func TestWhatAPageSaysIsHeard(t *testing.T) {
	e := make(ear, 1)
	s := serve(t, New(0), e)
	var c *websocket.Conn
	for _, want := range []string{"1 hello", "2 hello"} {
		c = dial(t, s, "")
		if err := c.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if got := <-e; got != want {
			t.Fatalf("heard %q, want %q", got, want)
		}
	}
	_ = c.Write(t.Context(), websocket.MessageText, make([]byte, 2*readLimit)) // too long: the end of it
	if _, _, err := c.Read(t.Context()); err == nil {
		if _, _, err = c.Read(t.Context()); err == nil {
			t.Fatal("a page may say as much as it likes")
		}
	}
}
