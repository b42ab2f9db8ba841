package registry

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"
)

// SchemaSigners creates the table of agents that have signed what they send. Times are
// unix nanoseconds.
const SchemaSigners = `
CREATE TABLE signers (                    -- they must sign from then on
	name        TEXT PRIMARY KEY,
	at          INTEGER NOT NULL          -- the first time
) WITHOUT ROWID;`

// MustSign reports whether an agent has signed before: then nothing without a signature is
// its own.
func (r *Registry) MustSign(agent string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.signers[agent]
}

// HasSigned keeps that an agent signs what it sends. With an error it is only remembered
// until the end of this process.
func (r *Registry) HasSigned(ctx context.Context, agent string) error {
	r.mu.Lock()
	known := r.signers[agent]
	r.signers[agent] = true
	r.mu.Unlock()
	if known {
		return nil
	}
	err := r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		return exec(ctx, tx, "INSERT INTO signers (name, at) VALUES (?, ?) ON CONFLICT DO NOTHING", agent,
			r.opts.Now().UnixNano())
	})
	if err != nil {
		return fmt.Errorf("keep that %s signs: %w", agent, err)
	}
	return nil
}

// Unknown is an agent that was never enrolled, and of which nothing is taken.
type Unknown struct {
	Agent    string    `json:"agent"`
	First    time.Time `json:"first"` // when it was heard first since the collector's start
	Last     time.Time `json:"last"`
	Messages uint64    `json:"messages"`
	Listed   bool      `json:"listed"` // it is a gate of the site file, which can get a code
}

const (
	// mostUnknown bounds the agents that are remembered besides those of the site file:
	// their names may be invented.
	mostUnknown = 100
	// unknownFor is for how long an agent that is not heard any more keeps its place when
	// another one wants it.
	unknownFor = time.Hour
)

// unknowns are the agents that wait until they are enrolled.
type unknowns struct {
	mu     sync.Mutex
	listed map[string]bool // by the site file
	agents map[string]*Unknown
	others int // that are not listed
}

// HeardUnknown notes a message of an agent that was never enrolled. It reports whether the
// agent is new on the list: false too when there is no place for it.
func (r *Registry) HeardUnknown(agent string) (fresh bool) {
	u, now := &r.unknowns, r.opts.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	x := u.agents[agent]
	if x == nil {
		if !u.listed[agent] {
			if u.others >= mostUnknown && !u.forget(now) {
				return false
			}
			u.others++
		}
		x = &Unknown{Agent: agent, First: now, Listed: u.listed[agent]}
		u.agents[agent] = x
	}
	x.Last = now
	x.Messages++
	return x.Messages == 1
}

// forget makes room for another agent that is not listed. It returns false if all were
// heard a short while ago.
func (u *unknowns) forget(now time.Time) bool {
	before := u.others
	for name, x := range u.agents {
		if !x.Listed && now.Sub(x.Last) > unknownFor {
			delete(u.agents, name)
			u.others--
		}
	}
	return u.others < before
}

// all returns the agents of which enrolled does not say that they are, in no order.
func (u *unknowns) all(enrolled func(agent string) bool) []Unknown {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := []Unknown{}
	for name, x := range u.agents {
		if !enrolled(name) {
			out = append(out, *x)
		}
	}
	return out
}
