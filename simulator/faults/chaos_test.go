package faults

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// dial connects through the proxy to a server that echoes every packet.
func dial(t *testing.T, c *Chaos) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", c.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn, bufio.NewReader(conn)
}

func newLine(t *testing.T) *Chaos {
	t.Helper()
	c, err := NewChaos(t.Context(), echo(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// receive returns the payloads of n packets, or of fewer if none comes for half
// a second.
func receive(conn net.Conn, r *bufio.Reader, n int) (out []string) {
	for range n {
		_ = conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		p, err := readPacket(r, false)
		if err != nil {
			return out
		}
		out = append(out, string(p.raw[p.body:]))
	}
	return out
}

func TestLineConditions(t *testing.T) {
	for name, c := range map[string]struct {
		line Line
		want string // what the echo of a, b, c is
	}{
		"sound":      {Line{}, "a b c"},
		"loses":      {Line{Lose: func(p Packet) bool { return p.Up && p.Topic == "t/b" }}, "a c"},
		"duplicates": {Line{Duplicate: 1}, "a a a a b b b b c c c c"},
		"frozen":     {Line{Frozen: true}, ""},
		"slow":       {Line{Rate: 1000, Delay: time.Millisecond}, "a b c"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t)
			l.Set(c.line)
			conn, r := dial(t, l)
			for _, x := range []string{"a", "b", "c"} {
				if _, err := conn.Write(Publish("t/"+x, []byte(x), false)); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Join(receive(conn, r, 12), " "); got != c.want {
				t.Errorf("received %q, want %q", got, c.want)
			}
			if c.line.Frozen { // nothing came because of the line, not because of a dead echo
				l.Set(Line{})
				if got := strings.Join(receive(conn, r, 3), " "); got != "a b c" {
					t.Errorf("received %q after the freeze, want a b c", got)
				}
			}
		})
	}
}

func TestALineReordersAndCorrupts(t *testing.T) {
	l := newLine(t)
	seen := make(chan string, 10)
	l.Set(Line{Reorder: 1, See: func(p Packet) {
		if p.Up {
			seen <- string(p.Payload())
		}
	}})
	conn, r := dial(t, l)
	for _, x := range []string{"a", "b"} {
		_, _ = conn.Write(Publish("t", []byte(x), false))
		<-seen
	}
	l.Set(Line{})
	_, _ = conn.Write(Publish("t", []byte("c"), false))
	got := receive(conn, r, 3)
	if len(got) != 3 || strings.Join(got, "") == "abc" {
		t.Errorf("received %q, want another order than sent", got)
	}
	l.Set(Line{Corrupt: 1})
	sent := bytes.Repeat([]byte{0}, 100)
	_, _ = conn.Write(Publish("t", sent, false))
	if got := receive(conn, r, 1); len(got) != 1 || got[0] == string(sent) || len(got[0]) != 100 {
		t.Errorf("no bit was flipped: %q", got)
	}
}

func TestALineForgesPacketsAndIsCut(t *testing.T) {
	l := newLine(t)
	conn, r := dial(t, l)
	_, _ = conn.Write(Publish("t", []byte("x"), false))
	receive(conn, r, 1)
	l.Send(Publish("t", []byte("forged"), true))
	if got := receive(conn, r, 1); len(got) != 1 || got[0] != "forged" {
		t.Errorf("received %q, want the forged packet", got)
	}
	l.Set(Line{Cut: true})
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := r.ReadByte(); err == nil {
		t.Error("the connection is still open")
	}
}

func TestInfluxAnswers(t *testing.T) {
	var written []string
	real := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		written = append(written, string(b))
		w.WriteHeader(http.StatusNoContent)
	}))
	defer real.Close()
	i, err := NewInflux(t.Context(), real.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	for name, c := range map[string]struct {
		answer  Answer
		code    int // 0: no answer
		written string
	}{
		"sound":            {Answer{}, 204, "a 1\nb 2"},
		"refuses all":      {Answer{Status: 429, RetryAfter: 3}, 429, ""},
		"refuses one":      {Answer{Refuse: func(l string) bool { return l == "a 1" }}, 400, "b 2"},
		"loses its answer": {Answer{Lose: true}, 0, "a 1\nb 2"},
	} {
		written = nil
		i.Set(c.answer)
		resp, err := http.Post(i.URL()+"/api/v2/write", "text/plain", strings.NewReader("a 1\nb 2"))
		code := 0
		if err == nil {
			code = resp.StatusCode
			resp.Body.Close()
		} else if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
		if got := strings.Join(written, "|"); code != c.code || got != c.written {
			t.Errorf("%s: %d, wrote %q; want %d, %q", name, code, got, c.code, c.written)
		}
		if len(i.Writes()) == 0 {
			t.Errorf("%s: no write was counted", name)
		}
	}
}

func FuzzReadPacket(f *testing.F) {
	f.Add(Publish("gatehouse/v1/c/a/ack", []byte(`{"v":1}`), true))
	f.Add([]byte{0xC0, 0})
	f.Add([]byte{0x32, 7, 0, 1, 't', 0, 9, 'x', 'y'})
	f.Add([]byte{0x30, 0xFF, 0xFF, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPacket(bufio.NewReader(bytes.NewReader(b)), true)
		if err == nil && (p.body > len(p.raw) || !bytes.HasPrefix(b, p.raw)) {
			t.Errorf("% x: payload begins at %d of %d", b, p.body, len(p.raw))
		}
	})
}
