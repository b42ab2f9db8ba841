// Package guard plays the guard at a gate's screen: it sees what a page sees, presses
// its buttons, and enters what a hand-held thermometer shows, over HTTP as a page does.
package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/post"
	"gatehouse/gateway/retry"
	"gatehouse/simulator/page"
)

// ErrRefused is the error of Press and Enter when the screen does not take it: it shows
// something else by now, or the value can't be assigned to a person.
var ErrRefused = errors.New("the gate's screen refuses it")

// Guard is the guard of one gate. Run reads the screen; the other methods may be called
// from any goroutine meanwhile.
type Guard struct {
	address string // of the screen, host:port
	page    *page.Page

	mu   sync.Mutex // guards the fields below
	view kiosk.View
	post kiosk.Post
	more chan struct{} // closed when one of them changes
}

// New returns the guard of the gate whose screen is served at address, host:port.
func New(address string) *Guard {
	return &Guard{address: address, page: page.New("http://" + address), more: make(chan struct{})}
}

// Address returns where the screen is served, host:port.
func (g *Guard) Address() string { return g.address }

// Run reads the screen until ctx is done. While it is not there, such as while its agent
// restarts, Run tries again.
func (g *Guard) Run(ctx context.Context) {
	for ctx.Err() == nil {
		_ = g.page.Listen(ctx, g.see) // tried again: the agent may be restarting
		retry.Sleep(ctx, 200*time.Millisecond)
	}
}

// see takes what is new on the screen.
func (g *Guard) see(key string, value json.RawMessage) (err error) {
	var v kiosk.View
	var p kiosk.Post
	switch key {
	case "view":
		err = json.Unmarshal(value, &v)
	case "post":
		err = json.Unmarshal(value, &p)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if key == "view" {
		g.view = v
	} else {
		g.post = p
	}
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
func (g *Guard) Await(ctx context.Context, what func(kiosk.View) bool) (v kiosk.View, err error) {
	err = g.await(ctx, func() bool { v = g.view; return what(v) })
	return v, err
}

// AwaitPost is Await of the state of the post.
func (g *Guard) AwaitPost(ctx context.Context, what func(kiosk.Post) bool) (p kiosk.Post, err error) {
	err = g.await(ctx, func() bool { p = g.post; return what(p) })
	return p, err
}

// await returns when what is true, which is called with mu held.
func (g *Guard) await(ctx context.Context, what func() bool) error {
	for {
		g.mu.Lock()
		is, more := what(), g.more
		g.mu.Unlock()
		if is {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// StillHere presses that somebody is at the post.
func (g *Guard) StillHere(ctx context.Context) error {
	return g.Press(ctx, kiosk.View{ID: "post"}, post.StillHere)
}

// Press presses the button of an action under a view.
func (g *Guard) Press(ctx context.Context, v kiosk.View, action string) error {
	return g.send(ctx, "/press", map[string]string{"id": v.ID, "action": action})
}

// Enter enters a value that was measured by hand, for the person whom a view shows.
func (g *Guard) Enter(ctx context.Context, v kiosk.View, value fact.Temp, with fact.HandHeld) error {
	return g.send(ctx, "/entry", map[string]string{"id": v.ID, "lane": v.Lane, "value": value.String(),
		"with": string(with)})
}

func (g *Guard) send(ctx context.Context, path string, body map[string]string) error {
	err := page.Post(ctx, g.page, path, body)
	if _, answered := errors.AsType[page.StatusError](err); answered {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}
