package collect

import "time"

// account is what the committer remembers of one agent. It stays this small
// whatever the agent sends.
type account struct {
	journals map[string]bool // that the store knows as this agent's
	begun    bucket          // journals that the store did not know
	unlisted bool            // it was logged that the site file does not list it
}

// An agent begins a journal when its disk is new, was copied or has lost its
// end: so many at once, and one more an hour.
const (
	mostJournals = 16
	journalEvery = time.Hour
)

func (c *committer) account(agent string) *account {
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

// add remembers a journal as the agent's.
func (a *account) add(jid string) {
	if len(a.journals) >= 2*mostJournals {
		clear(a.journals) // the store knows them
	}
	a.journals[jid] = true
}
