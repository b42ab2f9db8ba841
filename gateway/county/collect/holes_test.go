package collect

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// nowhere lists no agent.
type nowhere struct{}

func (nowhere) Place(string) (string, string, string, bool) { return "", "", "", false }

// admitting returns a committer that only admits batches, of agents whose journals
// have the agents' names.
func admitting(agents ...string) *committer {
	log := slog.New(slog.DiscardHandler)
	c := &committer{cfg: Config{Sites: nowhere{}, Log: log}, accounts: map[string]*account{},
		refusals: &refusals{log: log, agents: map[string]*refused{}}}
	for _, agent := range agents {
		c.account(agent).add(agent)
	}
	return c
}

// holed is a batch of an agent with n holes and nothing else, received at a time.
func holed(agent string, received time.Time, n int) *store.Batch {
	b := &store.Batch{Batch: wire.Batch{Agent: agent, JID: agent, From: 1, To: uint64(n)}, Received: received}
	for seq := range uint64(n) {
		b.Holes = append(b.Holes, wire.Hole{From: seq + 1, To: seq + 1, Reason: fmt.Sprint(seq % 2), Count: 1})
	}
	return b
}

// A disk that was damaged all over is told at once; who goes on is believed every ten
// seconds, and batches without holes are taken all the time.
func TestAnAgentMaySayOneMoreHoleEveryTenSeconds(t *testing.T) {
	c, now := admitting("a", "b"), time.Unix(1e9, 0)
	for _, step := range []struct {
		what  string
		after time.Duration
		agent string
		holes int
		taken bool
	}{
		{"most of what it may", 0, "a", mostHoles - 1, true},
		{"one too many: neither is taken", 0, "a", 2, false},
		{"the last", 0, "a", 1, true},
		{"the next at once", 0, "a", 1, false},
		{"records alone", 0, "a", 0, true},
		{"another agent's", 0, "b", mostHoles, true},
		{"too soon", holeEvery - time.Nanosecond, "a", 1, false},
		{"in time", time.Nanosecond, "a", 1, true},
		{"what was refused costs nothing", holeEvery, "a", 1, true},
		{"after a minute", time.Minute, "a", 7, false},
		{"six of these", 0, "a", 6, true},
		{"after a clock that went back", -time.Hour, "a", 1, false},
		{"and records", 0, "a", 0, true},
		{"after days", 100 * time.Hour, "a", mostHoles, true},
		{"more than ever at once", 1000 * time.Hour, "a", mostHoles + 1, false},
	} {
		now = now.Add(step.after)
		if taken := c.admit(t.Context(), holed(step.agent, now, step.holes)); taken != step.taken {
			t.Errorf("%s: taken %v", step.what, taken)
		}
	}
	if r := c.refusals.agents["a"]; r.count != 6 || r.reported[refusedHoles].IsZero() {
		t.Errorf("of a %d batches are counted as refused, told %v", r.count, r.reported)
	}
	if r := c.refusals.agents["b"]; r != nil {
		t.Errorf("of b %d batches are counted as refused", r.count)
	}
}

// Whatever an agent sends, no more holes than that are stored of it.
func TestTheHolesOfOneAgentAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, begin := admitting("a"), time.Unix(1e9, 0)
		now, stored := begin, 0
		for range rapid.IntRange(1, 40).Draw(t, "batches") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200_000).Draw(t, "ms")) * time.Millisecond)
			n := rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(0, mostHoles+10)).Draw(t, "holes")
			if c.admit(context.Background(), holed("a", now, n)) {
				stored += n
			} else if n == 0 {
				t.Fatal("a batch without holes was refused")
			}
		}
		if most := mostHoles + int(now.Sub(begin)/holeEvery); stored > most {
			t.Fatalf("%d holes are stored within %s, want at most %d", stored, now.Sub(begin), most)
		}
	})
}
