package collect

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
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
	q := newQueue(everybody)
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
		m, _ := q.next()
		if want := fmt.Sprint(got[m.agent]); string(m.Payload) != want {
			t.Fatalf("%s has %s after %s", m.agent, m.Payload, want)
		}
		got[m.agent]++
		q.decoded(m)
		q.landed(m, 0)
	}
	if got["a"] != 3 || got["b"] != 3 || got["bad"] != 3 {
		t.Errorf("of nine messages %v were given", got)
	}
}

func TestOneMessageOfAnAgentIsDecodedAtATime(t *testing.T) {
	q := newQueue(everybody)
	q.put(message("a", wire.LeafRecords, "1"))
	q.put(message("a", wire.LeafRecords, "2"))
	q.put(message("b", wire.LeafRecords, "1"))
	first, _ := q.next()
	if m, _ := q.next(); m.agent != "b" {
		t.Fatalf("%s is decoded twice at once", m.agent)
	}
	q.decoded(first)
	if m, _ := q.next(); m.agent != "a" || string(m.Payload) != "2" {
		t.Fatalf("then comes %s of %s", m.Payload, m.agent)
	}
}

func TestOnlyTheLastHelloOfAnAgentWaits(t *testing.T) {
	q := newQueue(everybody)
	for i := range laneMessages {
		q.put(message("a", wire.LeafRecords, fmt.Sprint(i)))
	}
	for i := range 100 {
		if !q.put(message("a", wire.LeafHello, fmt.Sprint("hello ", i))) {
			t.Fatal("a hello was refused")
		}
	}
	items := q.parties["a"].lanes["a"].items
	if n := len(items); n != laneMessages+1 || string(items[n-1].Payload) != "hello 99" {
		t.Errorf("%d messages wait", n)
	}
}

// A full batch of an agent flies alone while others are heard, and four of them
// when nobody else is.
func TestOneAgentHasOnlySoMuchInTheAir(t *testing.T) {
	now := time.Unix(1e9, 0)
	put := func(q *queue, agent string, size int) {
		m := arrived{agent, wire.LeafRecords, mqtt.Message{Payload: make([]byte, size), Arrived: now}}
		if !q.put(m) {
			t.Fatalf("a message of %s was refused", agent)
		}
	}
	fly := func(q *queue) (got string) {
		for len(q.turns) > 0 {
			m, _ := q.next()
			q.decoded(m)
			got += m.agent
		}
		return got
	}
	full := wire.MaxBatchBytes
	q := newQueue(everybody)
	put(q, "b", 100)
	for range 6 {
		put(q, "a", full)
	}
	if got := fly(q); got != "ba" {
		t.Errorf("beside another one %s fly", got)
	}
	q = newQueue(everybody)
	for range 6 {
		put(q, "a", full)
	}
	if got := fly(q); got != "aaaaaa" {
		t.Errorf("alone %s fly", got)
	}
	q = newQueue(everybody)
	for _, agent := range []string{"a", "a", "b", "b"} {
		put(q, agent, full)
	}
	if got := fly(q); got != "abab" {
		t.Errorf("of two that send the same %s fly", got)
	}
	q = newQueue(func(agent string) bool { return agent == "a" })
	for i := range 1000 {
		put(q, fmt.Sprint("x", i), 1000)
	}
	put(q, "a", 1000)
	if got := fly(q); len(strings.ReplaceAll(got, "a", ""))/2 > 250 || got[2] != 'a' && got[3] != 'a' {
		t.Errorf("of invented names %s fly", got)
	}
}

func TestAnAgentThatIsSlowedDownHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(everybody)
		for range 3 {
			q.put(message("a", wire.LeafRecords, "1"))
		}
		f, _ := q.next()
		q.decoded(f)
		q.landed(f, time.Second)
		if len(q.turns) != 0 {
			t.Fatal("it takes its turn at once")
		}
		q.put(message("b", wire.LeafRecords, "1"))
		if f, _ := q.next(); f.agent != "b" {
			t.Fatalf("%s takes its turn", f.agent)
		}
		time.Sleep(2 * time.Second)
		if f, _ := q.next(); f.agent != "a" {
			t.Fatalf("%s takes its turn", f.agent)
		}
	})
}

func TestTheQueueIsBoundedAndForgetsWhoHasNothingWaiting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newQueue(func(agent string) bool { return agent < "c" })
		var flying []flight
		decoding := map[string]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				leaf := rapid.SampledFrom([]wire.Leaf{wire.LeafRecords, wire.LeafHello}).Draw(t, "leaf")
				agent := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "agent")
				size := rapid.IntRange(0, wire.MaxMessageBytes).Draw(t, "bytes")
				q.put(arrived{agent, leaf, mqtt.Message{Payload: make([]byte, size)}})
			},
			"next": func(t *rapid.T) {
				if len(q.turns) == 0 {
					return
				}
				m, _ := q.next()
				if decoding[m.party.name] {
					t.Fatalf("%s is given twice", m.agent)
				}
				decoding[m.party.name] = true
				flying = append(flying, m)
			},
			"land": func(t *rapid.T) {
				if len(flying) == 0 {
					return
				}
				f := flying[0]
				flying = flying[1:]
				if decoding[f.party.name] {
					q.decoded(f)
				}
				delete(decoding, f.party.name)
				q.landed(f, 0)
			},
			"": func(t *rapid.T) { checkQueue(t, q, flying) },
		})
		for _, f := range flying {
			q.decoded(f)
			q.landed(f, 0)
		}
		for len(q.turns) > 0 {
			f, _ := q.next()
			q.decoded(f)
			q.landed(f, 0)
		}
		if len(q.parties) != 0 || q.bytes != 0 || q.flying != 0 {
			t.Fatalf("%d parties are left, %d bytes wait, %d fly", len(q.parties), q.bytes, q.flying)
		}
	})
}

func checkQueue(t *rapid.T, q *queue, flying []flight) {
	all, air := 0, 0
	for _, f := range flying {
		air += len(f.Payload)
	}
	for name, p := range q.parties {
		sum := 0
		for agent, l := range p.lanes {
			bytes := 0
			for _, m := range l.items {
				bytes += len(m.Payload)
			}
			sum += bytes
			if bytes != l.bytes || len(l.items) > laneMessages+1 || bytes > laneBytes {
				t.Fatalf("%s: %d messages, %d bytes, counted as %d", agent, len(l.items), bytes, l.bytes)
			}
		}
		if name != "" {
			all += sum
		}
		if sum != p.bytes || p.turn && (p.busy || len(p.turns) == 0) ||
			!p.turn && !p.busy && p.count == 0 && len(p.turns) > 0 {
			t.Fatalf("%q: %d bytes, counted as %d; in turn %v, busy %v, %d fly",
				name, sum, p.bytes, p.turn, p.busy, p.count)
		}
	}
	if all != q.bytes || air != q.flying {
		t.Fatalf("%d bytes wait, said to be %d; %d fly, said to be %d", all, q.bytes, air, q.flying)
	}
}

func everybody(string) bool { return true }

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
