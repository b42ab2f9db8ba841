package collect

import (
	"log/slog"
	"sync"
	"time"
)

// Why messages of one agent are refused.
const (
	refusedFlood = "it sends faster than the county takes from one agent"
	refusedShare = "its share of the quarantine is full: " +
		"see gatehouse quarantine, mend the agent, and drop what is there"
	refusedNew    = "it begins one journal after the other"
	refusedVolume = "it has sent more than one agent may store"
	refusedHoles  = "it says in ever new places that it has lost records: look at its disk"
	refusedStore  = "the store takes what the others send, and not what it sends: see the collector's log"
	refusedTerm   = "its hello knows a term that nobody signed for it, too high or too often: " +
		"if the store was restored from a backup, run gatehouse journal trust at the agent"
)

// refusals counts what is refused of each agent, and reports it now and then. Its
// methods may be called from any goroutine.
type refusals struct {
	log   *slog.Logger
	watch Observer // or nil

	mu     sync.Mutex
	agents map[string]*refused
}

type refused struct {
	count    uint64
	reported map[string]time.Time // when, by reason
	floods   bucket
	hellos   bucket
	forgeds  bucket
	last     time.Time // when something of it came to nothing
}

// reportEvery is the shortest time between two reports of one reason and agent.
const reportEvery = 10 * time.Second

// mostReasons bounds what is remembered of one agent: the store's reasons vary.
const mostReasons = 32

// mostAgents bounds what is remembered of agents: more than a county has. When
// invented names exceed it some are forgotten.
const mostAgents = 4096

func (r *refusals) of(agent string) *refused {
	x := r.agents[agent]
	if x == nil {
		if len(r.agents) >= mostAgents {
			for some := range r.agents {
				delete(r.agents, some)
				break
			}
		}
		x = &refused{reported: map[string]time.Time{}, floods: bucket{most: mostDropped, every: time.Second / 10},
			hellos:  bucket{most: mostHellos, every: time.Second},
			forgeds: bucket{most: mostForged, every: forgedEvery}}
		r.agents[agent] = x
	}
	return x
}

// add counts a message of agent that was refused, for one of the reasons above or
// for one that the store gives.
func (r *refusals) add(now time.Time, agent, why string) {
	r.mu.Lock()
	r.of(agent).last = now
	r.mu.Unlock()
	r.report(now, agent, why)
}

// Of messages in an agent's name that it has not signed so many are refused at once, and
// one more after each time of forgedEvery, before its lane is slowed down: whoever sends
// them must not hold up the agent itself, nor make the county verify without end.
const (
	mostForged  = 100
	forgedEvery = 20 * time.Millisecond
)

// forged counts a message that is not the agent's own, although it says so.
func (r *refusals) forged(now time.Time, agent, why string) {
	r.damaged(now, agent, true)
	r.report(now, agent, why)
}

// damaged notes a message that did not arrive whole. signs says that its agent signs, so
// that it may be somebody else's.
func (r *refusals) damaged(now time.Time, agent string, signs bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x := r.of(agent); !signs || !x.forgeds.take(now) {
		x.last = now
	}
}

// report counts a message that was refused, and reports it if it is time.
func (r *refusals) report(now time.Time, agent, why string) {
	r.mu.Lock()
	x := r.of(agent)
	x.count++
	count, due := x.count, x.due(now, why)
	r.mu.Unlock()
	if !due {
		return
	}
	r.log.Error("messages of an agent are refused", "agent", agent, "reason", why, "refused", count)
	if r.watch != nil {
		r.watch.Refused(agent, why, count)
	}
}

// penalty delays the next message of an agent after one was refused within the
// last second: a flood of one agent then costs the others nothing.
const penalty = 100 * time.Millisecond

// slow notes a message that came to nothing: it could not be read, or was there
// before, or was not what comes next.
func (r *refusals) slow(now time.Time, agent string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(agent).last = now
}

// mostHellos is how many hellos an agent may send at once, and one more each
// second, before it is slowed down.
const mostHellos = 20

// hello counts a hello.
func (r *refusals) hello(now time.Time, agent string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x := r.of(agent); !x.hellos.take(now) {
		x.last = now
	}
}

// slowed returns by how much the agent's next message is to be delayed.
func (r *refusals) slowed(now time.Time, agent string) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x := r.agents[agent]; x != nil && now.Sub(x.last) < time.Second {
		return penalty
	}
	return 0
}

// mostDropped is how many messages of an agent may be dropped at once for want of
// room before that is reported: while the store takes nothing, agents send again.
const mostDropped = 100

// dropped counts a message for which the agent's queue had no room.
func (r *refusals) dropped(now time.Time, agent string) {
	r.mu.Lock()
	few := r.of(agent).floods.take(now)
	r.mu.Unlock()
	if !few {
		r.add(now, agent, refusedFlood)
	}
}

// due reports whether it is time to log this about an agent, and notes that it is
// logged now.
func (r *refusals) due(now time.Time, agent, what string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of(agent).due(now, what)
}

func (x *refused) due(now time.Time, what string) bool {
	if last, known := x.reported[what]; known && now.Sub(last) < reportEvery {
		return false
	}
	if len(x.reported) >= mostReasons {
		clear(x.reported)
	}
	x.reported[what] = now
	return true
}

// bucket limits a rate: most at once, and one more after each time of every.
type bucket struct {
	most  int
	every time.Duration
	used  int
	since time.Time // used falls by one each time of every after it
}

// take reports whether one more may happen now, and counts it.
func (b *bucket) take(now time.Time) bool { return b.takeAll(now, 1) }

// takeAll reports whether n more may happen now, and counts them.
func (b *bucket) takeAll(now time.Time, n int) bool {
	if past := int(now.Sub(b.since) / b.every); past > 0 {
		b.used = max(0, b.used-past)
		b.since = b.since.Add(time.Duration(past) * b.every)
	}
	if b.used == 0 {
		b.since = now
	}
	if b.used+n > b.most {
		return false
	}
	b.used += n
	return true
}
