package people

import "time"

// tally counts wrong attempts by a key.
type tally struct {
	free int // attempts without a wait
	bad  table[guess]
}

// guess is the wrong attempts under one key.
type guess struct {
	n     int
	until time.Time // no further attempt before
}

// wait returns how long the key's next attempt has to wait.
func (t *tally) wait(key string, now time.Time) time.Duration {
	return max(0, t.bad.get(key).until.Sub(now))
}

// count counts an attempt.
func (t *tally) count(key string, now time.Time) {
	g := t.bad.get(key)
	if seen, ok := t.bad.seen(key); ok && now.Sub(latest(seen, g.until)) > forgetAfter {
		g = guess{}
	}
	g.n++
	t.set(key, g, now)
}

// delay makes the wait of the key begin now, if there is one.
func (t *tally) delay(key string, now time.Time) {
	if g := t.bad.get(key); g.n > 0 {
		t.set(key, g, now)
	}
}

// uncount takes an attempt back, which had no wait before it.
func (t *tally) uncount(key string, now time.Time) {
	g := t.bad.get(key)
	if g.n <= 1 {
		t.bad.drop(key)
		return
	}
	t.bad.put(key, guess{n: g.n - 1}, now)
}

func (t *tally) set(key string, g guess, now time.Time) {
	if g.n >= t.free {
		g.until = now.Add(min(time.Second<<min(g.n-t.free, 20), longestWait))
	}
	t.bad.put(key, g, now)
}

// table remembers values by key, at most maxGuessKeys: beyond, those that were
// written the longest time ago are forgotten.
type table[V any] struct{ rows map[string]row[V] }

type row[V any] struct {
	value V
	at    time.Time // when it was written
}

// get returns the value of a key, or the zero value.
func (t *table[V]) get(key string) V { return t.rows[key].value }

// seen returns when the value of a key was written.
func (t *table[V]) seen(key string) (time.Time, bool) {
	r, ok := t.rows[key]
	return r.at, ok
}

// put writes the value of a key.
func (t *table[V]) put(key string, v V, now time.Time) {
	if t.rows == nil {
		t.rows = map[string]row[V]{}
	}
	t.rows[key] = row[V]{v, now}
	if len(t.rows) <= maxGuessKeys {
		return
	}
	oldest := key
	for k, r := range t.rows {
		if r.at.Before(t.rows[oldest].at) {
			oldest = k
		}
	}
	delete(t.rows, oldest)
}

func (t *table[V]) drop(key string) { delete(t.rows, key) }
