package collect

import (
	"slices"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// account is what the committer remembers of one agent. Whatever the agent
// sends, it stays this small.
type account struct {
	journals map[string]bool // that the store knows as this agent's
	begun    bucket          // journals that the store did not know
	late     []store.Batch   // that came before their predecessors, oldest first
	told     bool            // that the site file does not list it
}

const (
	// An agent begins a journal when its disk is new, was copied or has lost its
	// end: so many at once, and one more an hour.
	mostJournals = 16
	journalEvery = time.Hour
	// lateBytes bounds the records of the batches that wait.
	lateBytes = wire.MaxWindow * wire.MaxMessageBytes
)

func (c *Collector) account(agent string) *account {
	a := c.accounts[agent]
	if a == nil {
		if len(c.accounts) >= mostAgents {
			clear(c.accounts)
		}
		a = &account{journals: map[string]bool{}, begun: bucket{most: mostJournals, every: journalEvery}}
		c.accounts[agent] = a
	}
	return a
}

// knows remembers a journal as the agent's.
func (a *account) knows(jid string) {
	if len(a.journals) >= 2*mostJournals {
		clear(a.journals) // the store knows them
	}
	a.journals[jid] = true
}

// wait keeps a batch that came before its predecessors, a window of them at
// most; what is dropped here the agent sends again.
func (a *account) wait(b store.Batch) {
	a.late = append(a.late, b)
	size := 0
	for _, x := range a.late {
		size += sizeOf(x)
	}
	for len(a.late) > wire.MaxWindow || size > lateBytes {
		size -= sizeOf(a.late[0])
		a.late = slices.Delete(a.late, 0, 1)
	}
}

func sizeOf(b store.Batch) (n int) {
	for _, e := range b.Entries {
		n += len(e.Raw)
	}
	for _, bad := range b.Bad {
		n += len(bad.Raw)
	}
	return n
}

// ready takes out the batches of a journal that follow through.
func (a *account) ready(jid string, through uint64) (next []store.Batch) {
	a.late = slices.DeleteFunc(a.late, func(b store.Batch) bool {
		if b.JID != jid || b.From > through+1 {
			return false
		}
		if b.To > through {
			next = append(next, b)
		}
		return true
	})
	return next
}
