package pages

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// The desk dies and comes back behind a web server, twice: an open page notices, the
// web server says that nobody answers, and then the same session goes on.
func TestADeskThatRestartsBehindRealWebServers(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *front{"nginx": startNginx, "Caddy": startCaddy} {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			kill := f.restart()
			origin := "https://desk.county.example:" + f.port
			res, _ := f.send("POST", origin+"/api/login", rightPassword, "Origin: "+origin)
			if res.StatusCode != http.StatusNoContent {
				t.Fatalf("the log-in answers %d", res.StatusCode)
			}
			cookie := "Cookie: " + res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
			live := f.open(origin, cookie)
			for range 2 {
				kill()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				if _, _, err := live.Read(ctx); ctx.Err() != nil || err == nil {
					t.Errorf("an open page does not notice that the desk died: %v", err)
				}
				cancel()
				if res, _ := f.send("GET", origin+"/api/alerts", "", cookie); res.StatusCode != http.StatusBadGateway {
					t.Errorf("without a desk a request is answered with %d", res.StatusCode)
				}
				kill = f.restart()
				f.answersAgain(origin, cookie)
				live = f.open(origin, cookie)
			}
			_ = live.CloseNow()
		})
	}
}

// open opens the live connection and reads the state of the desk.
func (f *front) open(origin, cookie string) *websocket.Conn {
	f.t.Helper()
	_, session, _ := strings.Cut(cookie, ": ")
	conn, _, err := websocket.Dial(f.t.Context(), origin+"/live", &websocket.DialOptions{HTTPClient: f.site,
		HTTPHeader: http.Header{"Origin": {origin}, "Cookie": {session}}})
	if err != nil {
		f.t.Fatal(err)
	}
	conn.SetReadLimit(-1)
	if _, _, err := conn.Read(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return conn
}

// accepted remembers the connections of a listener, to break them: a test server
// forgets those that became live connections.
type accepted struct {
	net.Listener

	mu   sync.Mutex
	open []net.Conn
}

func (a *accepted) Accept() (net.Conn, error) {
	c, err := a.Listener.Accept()
	if err == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.open = append(a.open, c)
	}
	return c, err
}

// restart ends the server of the desk, and starts one at the same address. kill ends
// that one with all its connections.
func (f *front) restart() (kill func()) {
	f.t.Helper()
	address, handler := f.s.Listener.Addr().String(), f.s.Config.Handler
	f.s.Close()
	l, err := net.Listen("tcp", address)
	if err != nil {
		f.t.Fatal(err)
	}
	a := &accepted{Listener: l}
	f.s = httptest.NewUnstartedServer(handler)
	f.s.Listener.Close()
	f.s.Listener = a
	f.s.Start()
	kill = func() {
		f.s.CloseClientConnections()
		f.s.Close()
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, c := range a.open {
			_ = c.Close() // most are closed
		}
	}
	f.t.Cleanup(kill)
	return kill
}

// answersAgain waits until the web server has noticed that the desk is back.
func (f *front) answersAgain(origin, cookie string) {
	f.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		res, _ := f.send("GET", origin+"/api/alerts", "", cookie)
		if res.StatusCode == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			f.t.Fatalf("the desk is back, and a request is answered with %d", res.StatusCode)
		}
	}
}
