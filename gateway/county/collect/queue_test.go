package collect

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

func message(agent string, leaf wire.Leaf, text string) arrived {
	return arrived{agent, leaf, mqtt.Message{Payload: []byte(text)}}
}

// An agent whose queue is full waits for nobody but itself, and each agent's
// messages keep their order.
func TestAgentsTakeTurns(t *testing.T) {
	q := newQueue()
	refused := 0
	for i := range 1000 {
		if !q.put(message("bad", wire.LeafRecords, fmt.Sprint(i))) {
			refused++
		}
	}
	if refused != 1000-laneMessages {
		t.Errorf("%d of 1000 were refused", refused)
	}
	for i := range 3 {
		for _, agent := range []string{"a", "b"} {
			if !q.put(message(agent, wire.LeafRecords, fmt.Sprint(i))) {
				t.Fatalf("message %d of %s was refused", i, agent)
			}
		}
	}
	got := map[string]int{}
	for range 9 {
		l, m := q.next()
		if want := fmt.Sprint(got[m.agent]); string(m.Payload) != want {
			t.Fatalf("%s has %s after %s", m.agent, m.Payload, want)
		}
		got[m.agent]++
		q.done(l)
	}
	if got["a"] != 3 || got["b"] != 3 || got["bad"] != 3 {
		t.Errorf("of nine messages %v were given", got)
	}
}

func TestOneMessageOfAnAgentIsDecodedAtATime(t *testing.T) {
	q := newQueue()
	q.put(message("a", wire.LeafRecords, "1"))
	q.put(message("a", wire.LeafRecords, "2"))
	q.put(message("b", wire.LeafRecords, "1"))
	l, _ := q.next()
	if _, m := q.next(); m.agent != "b" {
		t.Fatalf("%s is decoded twice at once", m.agent)
	}
	q.done(l)
	if _, m := q.next(); m.agent != "a" || string(m.Payload) != "2" {
		t.Fatalf("then comes %s of %s", m.Payload, m.agent)
	}
}

func TestOnlyTheLastHelloOfAnAgentWaits(t *testing.T) {
	q := newQueue()
	for i := range laneMessages {
		q.put(message("a", wire.LeafRecords, fmt.Sprint(i)))
	}
	for i := range 100 {
		if !q.put(message("a", wire.LeafHello, fmt.Sprint("hello ", i))) {
			t.Fatal("a hello was refused")
		}
	}
	if n := len(q.lanes["a"].items); n != laneMessages+1 || string(q.lanes["a"].items[n-1].Payload) != "hello 99" {
		t.Errorf("%d messages wait", n)
	}
}

func TestTheQueueIsBoundedAndForgetsWhoHasNothingWaiting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newQueue()
		given := map[string]*lane{}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				leaf := rapid.SampledFrom([]wire.Leaf{wire.LeafRecords, wire.LeafHello}).Draw(t, "leaf")
				agent := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "agent")
				size := rapid.IntRange(0, wire.MaxMessageBytes).Draw(t, "bytes")
				q.put(arrived{agent, leaf, mqtt.Message{Payload: make([]byte, size)}})
			},
			"next": func(t *rapid.T) {
				if len(q.turns) == 0 {
					return
				}
				l, m := q.next()
				if given[m.agent] != nil {
					t.Fatalf("%s is given twice", m.agent)
				}
				given[m.agent] = l
			},
			"done": func(t *rapid.T) {
				for agent, l := range given {
					q.done(l)
					delete(given, agent)
				}
			},
			"": func(t *rapid.T) {
				sum := 0
				for agent, l := range q.lanes {
					bytes := 0
					for _, m := range l.items {
						bytes += len(m.Payload)
					}
					sum += bytes
					if bytes != l.bytes || len(l.items) > laneMessages+1 || bytes > laneBytes {
						t.Fatalf("%s: %d messages, %d bytes, counted as %d", agent, len(l.items), bytes, l.bytes)
					}
					if l.turn == l.busy || l.turn != (len(l.items) > 0 && !l.busy) {
						t.Fatalf("%s: %d messages, in turn %v, busy %v", agent, len(l.items), l.turn, l.busy)
					}
				}
				if sum != q.bytes {
					t.Fatalf("%d bytes wait, said to be %d", sum, q.bytes)
				}
			},
		})
	})
}

func TestTheJournalsRememberedOfOneAgentAreBounded(t *testing.T) {
	a := &account{journals: map[string]bool{}}
	for i := range 10_000 {
		a.add(fmt.Sprint(i))
		if !a.journals[fmt.Sprint(i)] || len(a.journals) > 2*mostJournals {
			t.Fatalf("%d journals after %d, the newest among them: %v", len(a.journals), i, a.journals[fmt.Sprint(i)])
		}
	}
}

func TestABucketLetsSomeThroughAtOnceAndThenOneAtATime(t *testing.T) {
	now := time.Unix(1e9, 0)
	b := bucket{most: 3, every: time.Hour}
	count := func() (n int) {
		for range 10 {
			if b.take(now) {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 3}, {59 * time.Minute, 0}, {time.Minute, 1}, {2 * time.Hour, 2}, {1000 * time.Hour, 3}} {
		now = now.Add(c.after)
		if got := count(); got != c.want {
			t.Errorf("%s later %d pass, want %d", c.after, got, c.want)
		}
	}
}
