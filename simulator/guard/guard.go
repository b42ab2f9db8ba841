// Package guard plays the guard at a gate's screen: it sees what a page sees, presses
// its buttons, and enters what a hand-held thermometer shows, over HTTP as a page does.
package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/live"
	"gatehouse/gateway/retry"
)

// ErrRefused is the error of Press and Enter when the screen does not take it: it shows
// something else by now, or the value can't be assigned to a person.
var ErrRefused = errors.New("the gate's screen refuses it")

// Guard is the guard of one gate. Run reads the screen; the other methods may be called
// from any goroutine meanwhile.
type Guard struct {
	address string // of the screen, host:port
	client  http.Client

	mu   sync.Mutex // guards the fields below
	view kiosk.View
	more chan struct{} // closed when the view changes
}

// New returns the guard of the gate whose screen is served at address, host:port.
func New(address string) *Guard {
	return &Guard{address: address, client: http.Client{Timeout: 10 * time.Second}, more: make(chan struct{})}
}

// Address returns where the screen is served, host:port.
func (g *Guard) Address() string { return g.address }

// Run reads the screen until ctx is done. While it is not there, such as while its agent
// restarts, Run tries again.
func (g *Guard) Run(ctx context.Context) {
	for ctx.Err() == nil {
		_ = g.read(ctx) // tried again: the agent may be restarting
		retry.Sleep(ctx, 200*time.Millisecond)
	}
}

// read reads the screen until its connection ends.
func (g *Guard) read(ctx context.Context) error {
	c, _, err := websocket.Dial(ctx, "http://"+g.address+"/live", nil) //nolint:bodyclose // c has the body
	if err != nil {
		return fmt.Errorf("open the gate's screen: %w", err)
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(1 << 20)
	for {
		_, b, err := c.Read(ctx)
		if err != nil {
			return fmt.Errorf("read the gate's screen: %w", err)
		}
		var f live.Frame
		if err := json.Unmarshal(b, &f); err != nil {
			return fmt.Errorf("read the gate's screen: %w", err)
		}
		for _, state := range []map[string]json.RawMessage{f.All, f.Set} {
			if err := g.see(state["view"]); err != nil {
				return err
			}
		}
	}
}

// see takes a new view; an empty one is none.
func (g *Guard) see(view json.RawMessage) error {
	if len(view) == 0 {
		return nil
	}
	var v kiosk.View
	if err := json.Unmarshal(view, &v); err != nil {
		return fmt.Errorf("read the gate's screen: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.view = v
	close(g.more)
	g.more = make(chan struct{})
	return nil
}

// View returns what the screen shows.
func (g *Guard) View() kiosk.View {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.view
}

// Await returns the first view that what accepts: the present one, or a later one.
func (g *Guard) Await(ctx context.Context, what func(kiosk.View) bool) (kiosk.View, error) {
	for {
		g.mu.Lock()
		v, more := g.view, g.more
		g.mu.Unlock()
		if what(v) {
			return v, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return v, ctx.Err()
		}
	}
}

// Press presses the button of an action under a view.
func (g *Guard) Press(ctx context.Context, v kiosk.View, action string) error {
	return g.post(ctx, "/press", map[string]string{"id": v.ID, "action": action})
}

// Enter enters a value that was measured by hand, for the person whom a view shows.
func (g *Guard) Enter(ctx context.Context, v kiosk.View, value fact.Temp, with fact.HandHeld) error {
	return g.post(ctx, "/entry", map[string]string{"id": v.ID, "lane": v.Lane, "value": value.String(),
		"with": string(with)})
}

func (g *Guard) post(ctx context.Context, path string, body map[string]string) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+g.address+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := g.client.Do(r)
	if err != nil {
		return fmt.Errorf("reach the gate's screen: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNoContent {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("reach the gate's screen: %w", err)
	}
	return fmt.Errorf("%w: %s: %s", ErrRefused, answer.Status, strings.TrimSpace(string(text)))
}
