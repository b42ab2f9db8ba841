package live

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	beatEvery  = 2 * time.Second // a page that receives nothing for 6 s reconnects
	writeLimit = 5 * time.Second // a page that takes longer is disconnected, and resumes
	readLimit  = 1 << 10         // bytes of a message from a page
	maxPages   = 300
)

// Hearer receives the messages of pages, each with the page's number. Hear is
// called from many goroutines and must not block.
type Hearer interface {
	Hear(page uint64, message []byte)
}

// Page says how a page is served.
type Page struct {
	Hearer Hearer // nil: what the page sends is dropped
	See    See    // nil: the page sees everything
}

// Upgrade reports whether a request asks for a WebSocket. Some proxies leave out
// the headers that do.
func Upgrade(r *http.Request) bool {
	return strings.Contains(strings.ToLower(r.Header.Get("Connection")), "upgrade") &&
		strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

const noUpgrade = `this address is a WebSocket, and the request has no "Connection: Upgrade" and "Upgrade: websocket".
If a browser asked, a proxy in between must pass these on. nginx does with:
  proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection "upgrade";
`

// Serve upgrades the request to a WebSocket and serves the page until it closes
// the connection, ctx ends, or it reads too slowly. It serves pages of every
// origin: web.Guard must have refused the foreign ones.
func (h *Hub) Serve(ctx context.Context, w http.ResponseWriter, r *http.Request, of Page) {
	if !Upgrade(r) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, noUpgrade, http.StatusUpgradeRequired)
		return
	}
	page, ok := h.enter()
	if !ok {
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer h.leave()
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // of the origin: see above
	if err != nil {
		return // Accept has answered
	}
	defer c.CloseNow() //nolint:errcheck // there is nothing to do about it
	c.SetReadLimit(readLimit)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer cancel()
		for {
			_, message, err := c.Read(ctx)
			if err != nil {
				return
			}
			if of.Hearer != nil {
				of.Hearer.Hear(page, message)
			}
		}
	}()
	defer func() { cancel(); <-read }()
	since, _ := strconv.ParseUint(r.URL.Query().Get("since"), 10, 64) // 0 when absent
	if h.send(ctx, c, of.See, r.URL.Query().Get("epoch"), since) == nil {
		_ = c.Close(websocket.StatusGoingAway, "") // it may be closed already
	}
}

// send writes frames until ctx ends, and then returns nil, or until writing fails.
func (h *Hub) send(ctx context.Context, c *websocket.Conn, see See, epoch string, n uint64) error {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		frames, now, more := h.after(epoch, n, see)
		for _, f := range frames {
			if err := write(ctx, c, f); err != nil {
				return err
			}
		}
		epoch, n = h.epoch, now
		select {
		case <-ctx.Done():
			return nil
		case <-more:
		case <-beat.C:
			if err := write(ctx, c, h.heartbeat(n)); err != nil {
				return err
			}
		}
	}
}

func write(ctx context.Context, c *websocket.Conn, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return c.Write(ctx, websocket.MessageText, b)
}

// enter counts a page and returns its number, unless too many are connected.
func (h *Hub) enter() (page uint64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pages >= maxPages {
		return 0, false
	}
	h.pages++
	h.entered++
	return h.entered, true
}

func (h *Hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages--
}

// Pages returns how many pages are connected.
func (h *Hub) Pages() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pages
}
