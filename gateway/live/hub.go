// Package live keeps screens in step with a state that changes: one WebSocket a
// page gives it the whole state first, then numbered changes. A page that lost
// its connection resumes where it was.
package live

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// kept is how many frames a page may have missed and still resume from; one
// that missed more gets the whole state.
const kept = 256

// Frame is one message to a page.
type Frame struct {
	Epoch string                     `json:"e"`             // names the run of the program; numbers of another mean nothing
	N     uint64                     `json:"n"`             // rises by one a change
	At    time.Time                  `json:"at"`            // the server's clock, so that pages can show ages
	All   map[string]json.RawMessage `json:"all,omitzero"`  // the whole state
	Set   map[string]json.RawMessage `json:"set,omitempty"` // what changed since N-1
	Del   []string                   `json:"del,omitempty"` // what is gone since N-1
}

type numbered struct {
	n     uint64
	bytes []byte
}

// Hub holds the state and its latest changes. Its methods may be called from
// any goroutine and never wait for a page.
type Hub struct {
	every time.Duration // changes are gathered for so long; 0: sent at once
	now   func() time.Time

	mu      sync.Mutex
	epoch   string
	n       uint64
	state   map[string]json.RawMessage
	changed map[string]bool // since the last frame
	frames  []numbered
	news    chan struct{} // closed at the next frame
	due     *time.Timer
	pages   int
	entered uint64 // pages ever
}

// New makes a hub without state. Changes that come within every of each other
// travel together; 0 sends each at once.
func New(every time.Duration) *Hub {
	return &Hub{every: every, now: time.Now, epoch: uuid.NewString(), state: map[string]json.RawMessage{},
		changed: map[string]bool{}, news: make(chan struct{})}
}

// Set gives a key its value. A value that is there already is no change.
func Set[T any](h *Hub, key string, v T) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s for the screens: %w", key, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if string(h.state[key]) == string(b) {
		return nil
	}
	h.state[key] = b
	h.touch(key)
	return nil
}

// Delete removes a key.
func (h *Hub) Delete(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.state[key]; ok {
		delete(h.state, key)
		h.touch(key)
	}
}

func (h *Hub) touch(key string) {
	h.changed[key] = true
	switch {
	case h.every == 0:
		h.cut()
	case h.due == nil:
		h.due = time.AfterFunc(h.every, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.due = nil
			h.cut()
		})
	}
}

// cut makes a frame of what changed.
func (h *Hub) cut() {
	if len(h.changed) == 0 {
		return
	}
	h.n++
	f := Frame{Epoch: h.epoch, N: h.n, At: h.now(), Set: map[string]json.RawMessage{}}
	for _, key := range slices.Sorted(maps.Keys(h.changed)) {
		if v, ok := h.state[key]; ok {
			f.Set[key] = v
		} else {
			f.Del = append(f.Del, key)
		}
	}
	clear(h.changed)
	h.frames = append(h.frames, numbered{h.n, encode(f)})
	if len(h.frames) > kept {
		h.frames = slices.Delete(h.frames, 0, len(h.frames)-kept)
	}
	close(h.news)
	h.news = make(chan struct{})
}

// encode can't fail: every value was encoded before.
func encode(f Frame) []byte {
	b, err := json.Marshal(f)
	if err != nil {
		panic("live: a frame of encoded values can't be encoded: " + err.Error())
	}
	return b
}

// after gives what a page that has seen n of epoch still needs, the number it
// has then, and a channel that closes when there is more.
func (h *Hub) after(epoch string, n uint64) (out [][]byte, now uint64, more <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cut()
	switch {
	case epoch != h.epoch || n > h.n || n < h.n && (len(h.frames) == 0 || h.frames[0].n > n+1):
		out = append(out, encode(Frame{Epoch: h.epoch, N: h.n, At: h.now(), All: maps.Clone(h.state)}))
	default:
		for _, f := range h.frames {
			if f.n > n {
				out = append(out, f.bytes)
			}
		}
	}
	return out, h.n, h.news
}

// beat is what a page gets when nothing changes, so that it knows that it is
// connected.
func (h *Hub) beat(n uint64) []byte { return encode(Frame{Epoch: h.epoch, N: n, At: h.now()}) }
