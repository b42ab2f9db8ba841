package collect

import (
	"time"

	"gatehouse/gateway/county/store"
)

// account is what the committer remembers of one agent. It stays this small
// whatever the agent sends.
type account struct {
	journals map[string]bool // that the store knows as this agent's
	begun    bucket          // journals that the store did not know
	stored   volume          // what it has sent
	holes    bucket          // that its batches have brought
	raises   bucket          // of the term, which it did not prove
	unlisted bool            // it was logged that the site file does not list it
	apart    time.Time       // until then its batches are committed by themselves
	again    time.Time       // not before
	pause    time.Duration   // that led to again
}

// An agent begins a journal when its disk is new, was copied or has lost its
// end: so many at once, and one more an hour.
const (
	mostJournals = 16
	journalEvery = time.Hour
)

// An agent loses records where its disk is full or damaged: so many holes at once,
// and one more every ten seconds. Each is a row for ever.
const (
	mostHoles = 20_000
	holeEvery = 10 * time.Second
)

// A store that was restored is brought up by few hellos of each agent: so many that
// prove nothing are believed at once, and one more an hour.
const (
	mostRaises = 3
	raiseEvery = time.Hour
)

// Of agents that the site file does not list, whose names may be invented, all
// together may begin so many journals at once, and one more a minute.
const (
	mostUnlisted  = 1024
	unlistedEvery = time.Minute
)

// An agent may send the backlog of a full disk at once, and then far more than a
// gate or a bridge of machines records, without end.
const (
	volumeAtOnce = 8 << 30  // bytes
	volumeRate   = 64 << 10 // bytes a second
)

// volume limits how much is stored of an agent in the long run, so that one that
// makes records up does not fill the county's disk.
type volume struct {
	used  int64
	since time.Time // used falls by volumeRate each second after it
}

// take reports whether n bytes more may be stored now, and counts them.
func (v *volume) take(now time.Time, n int64) bool {
	if s := int64(now.Sub(v.since) / time.Second); s > 0 {
		v.used = max(0, v.used-s*volumeRate)
		v.since = now
	}
	if v.used+n > volumeAtOnce {
		return false
	}
	v.used += n
	return true
}

// size returns roughly how many bytes a batch needs in the store.
func size(b *store.Batch) (n int64) {
	for _, e := range b.Entries {
		n += int64(len(e.Raw))
	}
	return n + 64*int64(len(b.Entries)+len(b.Holes))
}

func (c *committer) account(agent string) *account {
	a := c.accounts[agent]
	if a == nil {
		if len(c.accounts) >= mostAgents {
			c.forget()
		}
		a = &account{journals: map[string]bool{}, begun: bucket{most: mostJournals, every: journalEvery},
			holes: bucket{most: mostHoles, every: holeEvery}, raises: bucket{most: mostRaises, every: raiseEvery}}
		c.accounts[agent] = a
	}
	return a
}

// forget forgets an agent, rather one that the site file does not list.
func (c *committer) forget() {
	some := ""
	for agent := range c.accounts {
		some = agent
		if !c.cfg.listed(agent) {
			break
		}
	}
	delete(c.accounts, some)
}

// mayBegin reports whether an agent may begin another journal with b, and counts
// it.
func (c *committer) mayBegin(own *account, b *store.Batch) bool {
	if !c.cfg.listed(b.Agent) && !c.begun.take(b.Received) {
		return false
	}
	return own.begun.take(b.Received)
}

// add remembers a journal as the agent's.
func (a *account) add(jid string) {
	if len(a.journals) >= 2*mostJournals {
		clear(a.journals) // the store knows them
	}
	a.journals[jid] = true
}
