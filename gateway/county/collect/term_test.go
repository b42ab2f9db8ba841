package collect

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/wire"
)

// Hellos without a proof, in any order and at any rate, raise the term seldom and
// never far.
func TestTermsWithoutAProofRaiseTheTermSeldomAndNeverFar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		high := rapid.Uint64Range(math.MaxUint64-mostUnproven-2, math.MaxUint64)
		floor := rapid.OneOf(rapid.Uint64Range(1, 9), high).Draw(t, "floor")
		u, own, raised := unproven{floor: floor}, floor, 0
		now := time.Unix(1e9, 0)
		begin := now
		raises := &bucket{most: mostRaises, every: raiseEvery}
		for range rapid.IntRange(1, 60).Draw(t, "hellos") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			said := rapid.OneOf(rapid.Just(own), rapid.Just(wire.NextTerm(own)), rapid.Just(uint64(math.MaxUint64)-1),
				rapid.Uint64()).Draw(t, "said")
			raise, refused := u.judge(now, own, said, 0, raises)
			if raise != 0 && (raise <= own && own != math.MaxUint64 || refused) {
				t.Fatalf("from %d to %d, refused %v", own, raise, refused)
			}
			if raise != 0 {
				own, raised = raise, raised+1
			}
			if own > floor && own-floor > mostUnproven+1 || own < floor {
				t.Fatalf("from %d to %d", floor, own)
			}
		}
		if most := int(now.Sub(begin)/raiseEvery) + mostRaises; raised > most {
			t.Fatalf("raised %d times in %s", raised, now.Sub(begin))
		}
	})
}

func TestAnOlderAgentOfARestoredStoreIsBelieved(t *testing.T) {
	u := unproven{floor: 3}
	raises := &bucket{most: mostRaises, every: raiseEvery}
	now := time.Unix(1e9, 0)
	if raise, refused := u.judge(now, 3, 7, 0, raises); raise != 8 || refused {
		t.Errorf("raised to %d, refused %v", raise, refused)
	}
	if raise, refused := u.judge(now.Add(time.Second), 8, 12, 0, raises); raise != 0 || refused {
		t.Errorf("soon after: raised to %d, refused %v", raise, refused)
	}
	if raise, refused := u.judge(now.Add(unprovenEvery), 8, 12, 0, raises); raise != 13 || refused {
		t.Errorf("then: raised to %d, refused %v", raise, refused)
	}
}

// Each raise makes all agents send a hello: one that asks for it again and again
// is refused, and others are believed.
func TestAnAgentThatRaisesTheTermAgainAndAgainIsRefused(t *testing.T) {
	u, own := unproven{floor: 3}, uint64(3)
	now := time.Unix(1e9, 0)
	one, other := &bucket{most: mostRaises, every: raiseEvery}, &bucket{most: mostRaises, every: raiseEvery}
	raised := 0
	for range 100 {
		now = now.Add(unprovenEvery)
		raise, refused := u.judge(now, own, own+1, 0, one)
		if refused == (raise != 0) {
			t.Fatalf("raised to %d, refused %v", raise, refused)
		}
		if raise != 0 {
			own, raised = raise, raised+1
		}
	}
	if raised != mostRaises {
		t.Errorf("raised %d times", raised)
	}
	if raise, refused := u.judge(now, own, own+1, 0, other); raise != own+2 || refused {
		t.Errorf("another agent: raised to %d, refused %v", raise, refused)
	}
}
