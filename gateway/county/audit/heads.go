package audit

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Witness is a gate's record of a head: the county had this chain then.
type Witness struct {
	Head

	Gate string    // id of the agent
	At   time.Time // by its clock
}

// witnessed is a head with who has journalled it.
type witnessed struct {
	first Witness
	count int // records, by all gates
}

// Witnesses are the heads that gates have journalled. The zero value holds none.
type Witnesses struct {
	heads map[Head]*witnessed
	newest,
	records uint64
	last map[string]Witness // of each gate the newest
}

// Add adds a record.
func (w *Witnesses) Add(x Witness) {
	if w.heads == nil {
		w.heads, w.last = map[Head]*witnessed{}, map[string]Witness{}
	}
	w.records++
	w.newest = max(w.newest, x.N)
	if old, ok := w.last[x.Gate]; !ok || x.At.After(old.At) {
		w.last[x.Gate] = x
	}
	h := w.heads[x.Head]
	if h == nil {
		h = &witnessed{first: x}
		w.heads[x.Head] = h
	}
	h.count++
	if x.At.Before(h.first.At) {
		h.first = x
	}
}

// Records returns how many records there are, and of how many gates.
func (w *Witnesses) Records() (records uint64, gates int) { return w.records, len(w.last) }

// Newest returns the highest n that a gate has journalled; 0: none.
func (w *Witnesses) Newest() uint64 { return w.newest }

// Last returns the newest record of each gate, sorted by gate.
func (w *Witnesses) Last() []Witness {
	var out []Witness
	for _, gate := range slices.Sorted(maps.Keys(w.last)) {
		out = append(out, w.last[gate])
	}
	return out
}

// See takes an entry of the chain: the heads that are the same stand in it.
func (w *Witnesses) See(e Entry) { delete(w.heads, Head{e.N, e.Hash}) }

// Missing returns, after See was called with all entries up to end, the heads that stand
// not in the chain, by n.
func (w *Witnesses) Missing(end Head) (faults []Fault) {
	for _, h := range w.heads {
		what := fmt.Sprintf("entry %d is another one than", h.first.N)
		switch {
		case h.first.N == 0:
			continue // of a chain without entries
		case h.first.N > end.N:
			what = fmt.Sprintf("the chain ends at entry %d: entry %d is missing, which", end.N, h.first.N)
		}
		faults = append(faults, Fault{h.first.N, fmt.Sprintf("%s %s has journalled at %s (hash %.16s…; records: %d)",
			what, h.first.Gate, h.first.At.UTC().Format(time.RFC3339), h.first.Hash, h.count)})
	}
	slices.SortFunc(faults, func(a, b Fault) int { return int(int64(a.N) - int64(b.N)) })
	return faults
}
