package broker

import (
	"strings"
	"sync"

	"gatehouse/gateway/wire"
)

// What the broker retains. An agent retains its status, a firmware a few states.
const (
	maxRetained     = 16 << 10 // bytes of one packet
	mostRetained    = 64       // messages of one agent or machine
	mostRetainedAll = 16 << 10
)

// retained knows the topics of which a message is retained, so that nobody fills
// the store with them. Its methods may be called from any goroutine.
type retained struct {
	mu     sync.Mutex
	topics map[string]map[string]bool // keys of topics, by owner
	all    int
}

func newRetained() *retained { return &retained{topics: map[string]map[string]bool{}} }

// take reports whether a message of size bytes may be retained, and counts its
// topic as the owner's. An owner without a name has no share of its own.
func (r *retained) take(owner, topic string, size int) bool {
	if size > maxRetained {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.room(owner, keyOf(topic)) {
		return false
	}
	r.add(owner, keyOf(topic))
	return true
}

// may reports whether take would return true.
func (r *retained) may(owner, topic string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.room(owner, keyOf(topic))
}

// known notes what is retained already.
func (r *retained) known(subjects []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.topics, r.all = map[string]map[string]bool{}, 0
	for _, s := range subjects {
		r.add(ownerOf(s, "."), keyOf(s))
	}
}

func (r *retained) room(owner, key string) bool {
	own := r.topics[owner]
	return own[key] || r.all < mostRetainedAll && (owner == "" || len(own) < mostRetained)
}

func (r *retained) add(owner, key string) {
	own := r.topics[owner]
	if own == nil {
		own = map[string]bool{}
		r.topics[owner] = own
	}
	if !own[key] {
		own[key] = true
		r.all++
	}
}

// ownerOf returns the agent or machine that a topic is of; empty: of none. separator
// is that of levels: a slash in topics, a dot in subjects of nats-server.
func ownerOf(topic, separator string) string {
	rest, ours := strings.CutPrefix(topic, strings.ReplaceAll(wire.Root, "/", separator)+separator)
	levels := strings.SplitN(rest, separator, 3)
	if !ours || len(levels) < 3 {
		return ""
	}
	return levels[1]
}

// keyOf returns what a topic and its subject have in common.
func keyOf(topic string) string { return separators.Replace(topic) }

var separators = strings.NewReplacer("/", "", ".", "")
