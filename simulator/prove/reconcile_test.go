package prove

import (
	"testing"
)

func sum(n byte) Sum { return Sum{n} }

func reading(jid string, seq uint64, n byte) row {
	return row{jid: jid, seq: seq, reading: true, body: sum(n)}
}

func other(jid string, seq uint64) row { return row{jid: jid, seq: seq} }

func TestReconcile(t *testing.T) {
	for name, c := range map[string]struct {
		parsed      []Sum
		rows        []row
		quarantined []Sum
		poison      []span
		holes       []span
		lost, dup   int
	}{
		"all is there":                      {parsed: []Sum{sum(1), sum(2)}, rows: []row{other("a", 1), reading("a", 2, 1), reading("a", 3, 2)}},
		"rows in any order":                 {parsed: []Sum{sum(1), sum(2)}, rows: []row{reading("a", 2, 2), reading("a", 1, 1)}},
		"a reading is nowhere":              {parsed: []Sum{sum(1), sum(2)}, rows: []row{reading("a", 1, 1)}, lost: 1},
		"a record is nowhere":               {parsed: []Sum{sum(1)}, rows: []row{reading("a", 1, 1), other("a", 3)}, lost: 1},
		"the first record is nowhere":       {rows: []row{other("a", 2)}, lost: 1},
		"a reading in quarantine":           {parsed: []Sum{sum(1)}, rows: []row{other("a", 2)}, quarantined: []Sum{sum(1)}, poison: []span{{jid: "a", from: 1, to: 1}}},
		"a reading in a hole":               {parsed: []Sum{sum(1)}, rows: []row{other("a", 1), other("a", 3)}, holes: []span{{jid: "a", from: 2, to: 2}}},
		"a hole hides one reading, not two": {parsed: []Sum{sum(1), sum(2)}, rows: []row{other("a", 1), other("a", 3)}, holes: []span{{jid: "a", from: 2, to: 2}}, lost: 1},
		"a renewed journal hides none":      {parsed: []Sum{sum(1)}, rows: []row{other("b", 3)}, holes: []span{{jid: "b", from: 1, to: 2, empty: true}}, lost: 1},
		"another journal's hole is no help": {rows: []row{other("a", 2)}, holes: []span{{jid: "b", from: 1, to: 1}}, lost: 1},
		"a seq twice":                       {parsed: []Sum{sum(1)}, rows: []row{reading("a", 1, 1), other("a", 1)}, dup: 1},
		"a reading twice":                   {parsed: []Sum{sum(1)}, rows: []row{reading("a", 1, 1), reading("b", 1, 1)}, dup: 1},
		"a reading that nobody parsed":      {rows: []row{reading("a", 1, 1)}, dup: 1},
		"the same seqs of two journals":     {parsed: []Sum{sum(1), sum(2)}, rows: []row{reading("a", 1, 1), reading("b", 1, 2)}},
	} {
		t.Run(name, func(t *testing.T) {
			got := reconcile(c.parsed, c.rows, c.quarantined, c.poison, c.holes)
			if got.Lost != c.lost || got.Duplicated != c.dup || (got.Lost+got.Duplicated > 0) != (len(got.Problems) > 0) {
				t.Fatalf("lost %d, duplicated %d, want %d and %d; %v", got.Lost, got.Duplicated, c.lost, c.dup, got.Problems)
			}
		})
	}
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

func TestWrongProofsAreRefused(t *testing.T) {
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
			t.Errorf("%s is taken", name)
		}
	}
}
