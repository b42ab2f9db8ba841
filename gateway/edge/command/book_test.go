package command

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Whatever is sent in whatever order, each command is done at most once, and only within its
// time of the newest nonce that was issued for it.
func TestEachCommandIsDoneOnceAndInTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b book
		now, done, refused := time.Hour, map[string]int{}, map[string]int{}
		newest, at := map[string]string{}, map[string]time.Duration{}
		var out []wire.Command // everything that was ever signed
		for n := range rapid.IntRange(1, 80).Draw(t, "steps") {
			now += time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms")) * time.Millisecond
			id := fmt.Sprintf("command-%08d", rapid.IntRange(1, 12).Draw(t, "id"))
			if rapid.Bool().Draw(t, "asks") {
				nonce := fmt.Sprintf("nonce-%010d", n)
				if b.issue(now, id, nonce) {
					newest[id], at[id] = nonce, now
					out = append(out, wire.Command{ID: id, Action: fact.CommandOpen, Nonce: nonce, ExpiresMS: 10_000})
				}
				continue
			}
			if len(out) == 0 {
				continue
			}
			c := rapid.SampledFrom(out).Draw(t, "sent")
			v := b.judge(now, c)
			if v.refuse != "" {
				refused[c.ID]++
			}
			if v.do {
				done[c.ID]++
				if c.Nonce != newest[c.ID] || now-at[c.ID] > wire.MaxCommandAge {
					t.Fatalf("%+v is done at %s", c, now)
				}
			}
			if done[c.ID]+refused[c.ID] > 1 {
				t.Fatalf("%s was done %d times and refused %d times", c.ID, done[c.ID], refused[c.ID])
			}
			if len(b.issued) > mostIssued || len(b.taken) > mostTaken {
				t.Fatalf("%d nonces, %d commands", len(b.issued), len(b.taken))
			}
		}
	})
}

func TestWhyACommandIsRefused(t *testing.T) {
	const id, nonce = "5b1f0c7e2a9d4386", "c0ffee1234567890"
	good := wire.Command{ID: id, Action: fact.CommandOpen, Nonce: nonce, ExpiresMS: 5000}
	for what, c := range map[string]struct {
		edit  func(b *book, c *wire.Command)
		after time.Duration
		want  verdict
	}{
		"in time": {func(*book, *wire.Command) {}, 5 * time.Second, verdict{do: true}},
		"late":    {func(*book, *wire.Command) {}, 5001 * time.Millisecond, verdict{refuse: fact.CommandLate}},
		"later than any": {func(_ *book, c *wire.Command) { c.ExpiresMS = 1e9 }, 11 * time.Second,
			verdict{refuse: fact.CommandLate}},
		"no such nonce": {func(_ *book, c *wire.Command) { c.ID = "5b1f0c7e2a9d4387" }, 0,
			verdict{refuse: fact.CommandNonce}},
		"an older nonce": {func(b *book, _ *wire.Command) { b.issue(0, id, "c0ffee1234567891") }, 0, verdict{}},
		"of before": {func(b *book, _ *wire.Command) { *b = book{taken: b.taken} }, 0,
			verdict{refuse: fact.CommandNonce}},
		"one of too many": {func(b *book, _ *wire.Command) { flood(b) }, 0, verdict{refuse: fact.CommandNonce}},
		"not known": {func(_ *book, c *wire.Command) { c.Action = "close" }, 0,
			verdict{refuse: fact.CommandOther}},
	} {
		var b book
		b.issue(time.Hour, id, nonce)
		x := good
		c.edit(&b, &x)
		if got := b.judge(time.Hour+c.after, x); got != c.want {
			t.Errorf("%s: %+v, want %+v", what, got, c.want)
		}
		for range 1000 {
			if got := b.judge(time.Hour+c.after, x); got != (verdict{}) {
				t.Fatalf("%s: once more %+v", what, got)
			}
		}
		if c.want != (verdict{}) && b.issue(time.Hour, x.ID, nonce) {
			t.Errorf("%s: what was taken gets another nonce", what)
		}
	}
}

func flood(b *book) {
	for i := range mostIssued {
		b.issue(time.Hour, fmt.Sprintf("command-%08d", i), "c0ffee1234567890")
	}
}
