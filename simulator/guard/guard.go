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
	"gatehouse/gateway/honesty"
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
		g.show(func() { g.view, g.post = kiosk.View{}, kiosk.Post{} })
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
	g.show(func() {
		if key == "view" {
			g.view = v
		} else {
			g.post = p
		}
	})
	return nil
}

// show changes what the guard sees.
func (g *Guard) show(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	close(g.more)
	g.more = make(chan struct{})
}

// View returns what the screen shows; it is empty while the screen is not there.
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

// Retest sends somebody to be measured again who waits, and whom a view shows.
func (g *Guard) Retest(ctx context.Context, v kiosk.View) error {
	return g.send(ctx, "/retest", map[string]string{"id": v.ID, "lane": v.Lane})
}

// Check takes a step of a field check of a thermometer; contact is what the contact
// thermometer shows, for the step of that name.
func (g *Guard) Check(ctx context.Context, device string, do honesty.CheckDo, contact fact.Temp) error {
	return g.send(ctx, "/check", map[string]string{"device": device, "do": string(do), "value": contact.String()})
}

// SignIn signs a guard in.
func (g *Guard) SignIn(ctx context.Context, id, pin string) error {
	return g.send(ctx, "/sign-in", map[string]string{"guard": id, "pin": pin})
}

// HandOver leaves notes to the next guard, and signs out.
func (g *Guard) HandOver(ctx context.Context, notes ...string) error {
	return send(ctx, g, "/hand-over", map[string][]string{"notes": notes})
}

func (g *Guard) send(ctx context.Context, path string, body map[string]string) error {
	return send(ctx, g, path, body)
}

func send[B any](ctx context.Context, g *Guard, path string, body B) error {
	err := page.Post(ctx, g.page, path, body)
	if _, answered := errors.AsType[page.StatusError](err); answered {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}
