// Package live sends a state that changes to pages in browsers. Over its WebSocket
// each page receives the whole state first and then numbered changes. A page that
// has lost its connection resumes after the last change that it received.
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

// keptFrames is how many changes a page may have missed and still resume; after
// more it receives the whole state.
const keptFrames = 256

// Frame is one message to a page.
type Frame struct {
	Epoch string                     `json:"e"`             // random id of the Hub; N counts from 0 in each
	N     uint64                     `json:"n"`             // number of the last change, which rises by one
	At    time.Time                  `json:"at"`            // server's clock, from which pages compute ages
	All   map[string]json.RawMessage `json:"all,omitzero"`  // the whole state
	Set   map[string]json.RawMessage `json:"set,omitempty"` // keys changed since N-1
	Del   []string                   `json:"del,omitempty"` // keys deleted since N-1
}

// numbered is a frame with a change, and the same encoded.
type numbered struct {
	n     uint64
	frame Frame
	bytes []byte
}

// See returns what a page may see of a key's value; ok is false when it may not
// even know the key.
type See func(key string, value json.RawMessage) (seen json.RawMessage, ok bool)

// of returns what see lets through of keys and values.
func (see See) of(all map[string]json.RawMessage) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for key, value := range all {
		if seen, ok := see(key, value); ok {
			out[key] = seen
		}
	}
	return out
}

// Hub holds the state and its latest changes. Its methods may be called from any
// goroutine; all but Serve return without waiting for a page.
type Hub struct {
	every time.Duration // changes are collected for this long; 0: sent at once
	now   func() time.Time

	mu      sync.Mutex // guards the fields below
	epoch   string
	n       uint64
	state   map[string]json.RawMessage
	changed map[string]bool // keys since the last frame
	frames  []numbered      // the latest, at most keptFrames
	more    chan struct{}   // closed by the next frame
	timer   *time.Timer     // makes the next frame; nil: nothing has changed
	pages   int             // connected now
	entered uint64          // connected ever
}

// New returns a hub without state. It sends the changes of each period every in
// one frame; when every is 0, each change at once.
func New(every time.Duration) *Hub {
	return &Hub{
		every: every, now: time.Now, epoch: uuid.NewString(),
		state: map[string]json.RawMessage{}, changed: map[string]bool{},
		more: make(chan struct{}),
	}
}

// Set sets the value of a key. Setting an equal value changes nothing.
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

// touch notes that a key has changed; mu is held.
func (h *Hub) touch(key string) {
	h.changed[key] = true
	switch {
	case h.every == 0:
		h.makeFrame()
	case h.timer == nil:
		h.timer = time.AfterFunc(h.every, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.timer = nil
			h.makeFrame()
		})
	}
}

// makeFrame makes a frame of the changes since the last one; mu is held.
func (h *Hub) makeFrame() {
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
	h.frames = append(h.frames, numbered{h.n, f, encode(f)})
	if len(h.frames) > keptFrames {
		h.frames = slices.Delete(h.frames, 0, len(h.frames)-keptFrames)
	}
	close(h.more)
	h.more = make(chan struct{})
}

// encode encodes a frame. That can't fail: its values are encoded already.
func encode(f Frame) []byte {
	b, err := json.Marshal(f)
	if err != nil {
		panic("live: a frame of encoded values can't be encoded: " + err.Error())
	}
	return b
}

// after returns the frames for a page that has received change n of epoch, the
// number that it has then, and a channel that is closed when there are more. see may
// be nil: the page sees everything.
func (h *Hub) after(epoch string, n uint64, see See) (out [][]byte, now uint64, more <-chan struct{}) {
	frames, now, more := h.missed(epoch, n)
	for _, f := range frames {
		if see != nil {
			if f.frame.All != nil {
				f.frame.All = see.of(f.frame.All)
			}
			f.frame.Set = see.of(f.frame.Set)
			f.bytes = nil
		}
		if f.bytes == nil {
			f.bytes = encode(f.frame)
		}
		out = append(out, f.bytes)
	}
	return out, now, more
}

func (h *Hub) missed(epoch string, n uint64) (out []numbered, now uint64, more <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.makeFrame()
	switch {
	case epoch != h.epoch || n > h.n || n < h.n && (len(h.frames) == 0 || h.frames[0].n > n+1):
		out = append(out, numbered{n: h.n,
			frame: Frame{Epoch: h.epoch, N: h.n, At: h.now(), All: maps.Clone(h.state)}})
	default:
		for _, f := range h.frames {
			if f.n > n {
				out = append(out, f)
			}
		}
	}
	return out, h.n, h.more
}

// heartbeat returns the frame for a page when nothing changes, by which the page
// knows that it is connected.
func (h *Hub) heartbeat(n uint64) []byte { return encode(Frame{Epoch: h.epoch, N: n, At: h.now()}) }
