package prove

import (
	"testing"
)

func sum(n byte) Sum { return Sum{n} }

func reading(jid string, seq uint64, n byte) row {
	return row{agent: "g", jid: jid, seq: seq, reading: true, body: sum(n)}
}

func other(jid string, seq uint64) row { return row{agent: "g", jid: jid, seq: seq} }

func hole(jid string, from, to uint64) span { return span{agent: "g", jid: jid, from: from, to: to} }

func renewed(jid string, to uint64) span {
	return span{agent: "g", jid: jid, from: 1, to: to, elsewhere: true}
}

type reconcileCase struct {
	parsed     []Sum
	rows       []row
	quarantine []row
	holes      []span
	knownLost  []Sum
	lost, dup  int
	counted    int
}

func testReconcile(t *testing.T, cases map[string]reconcileCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := facts{
				parsed:     []account{{"g", c.parsed}},
				rows:       c.rows,
				quarantine: c.quarantine,
				holes:      c.holes,
				knownLost:  map[Sum]bool{},
			}
			for _, s := range c.knownLost {
				f.knownLost[s] = true
			}
			got := reconcile(f)
			if got.Lost != c.lost || got.Duplicated != c.dup || got.Counted != c.counted ||
				(got.Lost+got.Duplicated > 0) != (len(got.Problems) > 0) {
				t.Fatalf("lost %d, duplicated %d, counted %d, want %d, %d, %d; %v",
					got.Lost, got.Duplicated, got.Counted, c.lost, c.dup, c.counted, got.Problems)
			}
		})
	}
}

func TestReconcileRows(t *testing.T) {
	testReconcile(t, map[string]reconcileCase{
		"everything is stored": {
			parsed: []Sum{sum(1), sum(2)},
			rows:   []row{other("a", 1), reading("a", 2, 1), reading("a", 3, 2)},
		},
		"rows in any order": {
			parsed: []Sum{sum(1), sum(2)},
			rows:   []row{reading("a", 2, 2), reading("a", 1, 1)},
		},
		"a reading is missing": {
			parsed: []Sum{sum(1), sum(2)},
			rows:   []row{reading("a", 1, 1)},
			lost:   1,
		},
		"a record is missing": {
			parsed: []Sum{sum(1)},
			rows:   []row{reading("a", 1, 1), other("a", 3)},
			lost:   1,
		},
		"the first record is missing": {rows: []row{other("a", 2)}, lost: 1},
		"a reading in quarantine": {
			parsed:     []Sum{sum(1)},
			rows:       []row{other("a", 2)},
			quarantine: []row{reading("a", 1, 1)},
		},
		"a reading known to be lost": {
			parsed:    []Sum{sum(1), sum(2)},
			rows:      []row{reading("a", 1, 1)},
			knownLost: []Sum{sum(2)},
			counted:   1,
		},
		"another reading known to be lost": {
			parsed:    []Sum{sum(1), sum(2)},
			rows:      []row{reading("a", 1, 1)},
			knownLost: []Sum{sum(3)},
			lost:      1,
		},
		"a stored reading known to be lost": {
			parsed:    []Sum{sum(1)},
			rows:      []row{reading("a", 1, 1)},
			knownLost: []Sum{sum(1)},
		},
	})
}

func TestReconcileDuplicates(t *testing.T) {
	testReconcile(t, map[string]reconcileCase{
		"a seq twice": {
			parsed: []Sum{sum(1)},
			rows:   []row{reading("a", 1, 1), other("a", 1)},
			dup:    1,
		},
		"a reading twice": {
			parsed: []Sum{sum(1)},
			rows:   []row{reading("a", 1, 1), reading("b", 1, 1)},
			dup:    1,
		},
		"a reading in no ledger": {rows: []row{reading("a", 1, 1)}, dup: 1},
		"the same seqs of two journals": {
			parsed: []Sum{sum(1), sum(2)},
			rows:   []row{reading("a", 1, 1), reading("b", 1, 2)},
		},
	})
}

func TestReconcileHoles(t *testing.T) {
	testReconcile(t, map[string]reconcileCase{
		"a reading in a hole": {
			parsed: []Sum{sum(1)},
			rows:   []row{other("a", 1), other("a", 3)},
			holes:  []span{hole("a", 2, 2)},
		},
		"a hole hides one reading, not two": {
			parsed: []Sum{sum(1), sum(2)},
			rows:   []row{other("a", 1), other("a", 3)},
			holes:  []span{hole("a", 2, 2)},
			lost:   1,
		},
		"a hole at the reading's position": {
			parsed: []Sum{sum(1), sum(2), sum(3)},
			rows:   []row{reading("a", 1, 1), reading("a", 3, 3)},
			holes:  []span{hole("a", 2, 2)},
		},
		"a hole before the reading's position": {
			parsed: []Sum{sum(1), sum(2), sum(3)},
			rows:   []row{reading("a", 2, 1), reading("a", 3, 3)},
			holes:  []span{hole("a", 1, 1)},
			lost:   1,
		},
		"a hole after the reading's position": {
			parsed: []Sum{sum(1), sum(2), sum(3)},
			rows:   []row{reading("a", 1, 1), reading("a", 2, 3), other("a", 4)},
			holes:  []span{hole("a", 3, 3)},
			lost:   1,
		},
		"a hole over a stored record": {
			parsed: []Sum{sum(1), sum(2)},
			rows:   []row{reading("a", 1, 1), other("a", 2), other("a", 3)},
			holes:  []span{hole("a", 2, 2)},
			lost:   1,
		},
		"a hole of another agent": {
			parsed: []Sum{sum(1)},
			rows:   []row{other("a", 1)},
			holes:  []span{{agent: "h", jid: "b", from: 1, to: 1}},
			lost:   1,
		},
		"a hole of another journal": {rows: []row{other("a", 2)}, holes: []span{hole("b", 1, 1)}, lost: 1},
	})
}

func TestReconcileRenewedJournals(t *testing.T) {
	testReconcile(t, map[string]reconcileCase{
		"a hole over a journal's end": {
			parsed: []Sum{sum(1), sum(2), sum(3)},
			rows:   []row{reading("a", 1, 1), other("a", 3), reading("b", 4, 3)},
			holes:  []span{hole("a", 2, 2), renewed("b", 3)},
		},
		"a reading missing before a renewal": {
			parsed: []Sum{sum(1)},
			rows:   []row{other("a", 1), other("a", 2), other("b", 3)},
			holes:  []span{renewed("b", 2)},
			lost:   1,
		},
		"a renewed journal's former records": {
			parsed: []Sum{sum(1)},
			rows:   []row{other("a", 1), reading("a", 2, 1), other("b", 3)},
			holes:  []span{renewed("b", 2)},
		},
		"a renewed journal, one former record missing": {
			rows:  []row{other("a", 1), other("b", 3)},
			holes: []span{renewed("b", 2)},
			lost:  1,
		},
	})
}

func TestQuantiles(t *testing.T) {
	var ms []float64
	for i := 100; i > 0; i-- {
		ms = append(ms, float64(i))
	}
	if got := quantiles(ms); got.P50 != 51 || got.P99 != 100 {
		t.Fatalf("got %+v", got)
	}
	if got := quantiles(nil); got != (Quantiles{}) {
		t.Fatalf("got %+v", got)
	}
}

func TestInvalidOptionsAreRefused(t *testing.T) {
	good := Config{Gates: 2, For: 1e9, Store: "sqlite", Broker: "embedded", Kill: []string{"agent"}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no gates":  func(c *Config) { c.Gates = 0 },
		"no time":   func(c *Config) { c.For = 0 },
		"store":     func(c *Config) { c.Store = "paper" },
		"broker":    func(c *Config) { c.Broker = "pigeon" },
		"kill what": func(c *Config) { c.Kill = []string{"guard"} },
	} {
		c := good
		change(&c)
		if c.Check() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
