package collect_test

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
)

// What one agent sends can delay that agent only: whatever it does, the records of
// the others are stored, and what it costs the county is bounded.
func TestOneBadAgentDelaysNobody(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			c, stop := startCounty(t, open)
			defer stop()
			c.awaitGood()
			var bad sync.WaitGroup
			all := kinds()
			for n, kind := range slices.Sorted(maps.Keys(all)) {
				ctx, cancel := context.WithCancel(t.Context())
				begun := make(chan struct{})
				bad.Go(func() { c.play(ctx, n, all[kind], begun) })
				<-begun
				if late := c.awaitGood(); len(late) > 0 {
					t.Errorf("%s: nothing of %v is acknowledged", kind, late)
				}
				cancel()
			}
			bad.Wait()
			c.checkCosts()
			stop()
		})
	}
}

// awaitGood waits until each good agent has had one more batch acknowledged. It
// returns those that had not within the time after which they would send again.
func (c *realCounty) awaitGood() (late []int) {
	before := map[*goodAgent]int{}
	for _, g := range c.good {
		before[g] = g.acknowledged()
	}
	for deadline := time.Now().Add(sendAgain); ; time.Sleep(5 * time.Millisecond) {
		late = nil
		for g, n := range before {
			if g.acknowledged() == n {
				late = append(late, g.n)
			}
		}
		if len(late) == 0 || time.Now().After(deadline) {
			return late
		}
	}
}

func (g *goodAgent) acknowledged() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.took)
}

// checkCosts checks that all that the good agents have sent is stored, and that the
// bad one has left no more than it may.
func (c *realCounty) checkCosts() {
	t := c.t
	t.Helper()
	acknowledged := map[string]int{}
	for _, g := range c.good {
		acknowledged[g.name()] = g.acknowledged()
	}
	rows := map[string]int{}
	for row, err := range c.archive.Rows(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		rows[row.Agent]++
	}
	for agent, n := range acknowledged {
		if rows[agent] < n {
			t.Errorf("%s: %d records are stored, %d acknowledged", agent, rows[agent], n)
		}
	}
	held, err := c.archive.Quarantined(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range held {
		if p.Agent != badName {
			t.Errorf("in quarantine is something of %s: %s", p.Agent, p.Reason)
		}
	}
	positions, err := c.archive.Positions(t.Context())
	if err != nil || len(held) > store.ShareRows || len(positions) > goodAgents+len(kinds())+20 {
		t.Errorf("%d rows in quarantine, %d journals, %v", len(held), len(positions), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for agent, why := range c.refused {
		if agent != badName && !strings.HasPrefix(agent, "gate-1") {
			t.Errorf("%s is refused: %s", agent, why)
		}
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	if mem.HeapInuse > 512<<20 {
		t.Errorf("%d MB of memory are in use", mem.HeapInuse>>20)
	}
}
