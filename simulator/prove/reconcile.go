package prove

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"gatehouse/gateway/wire"
)

// Sum names a completed reading: the first half of the SHA-256 of its body, as
// the agent's ledger has it.
type Sum = [16]byte

func sumOf(body []byte) Sum {
	full := sha256.Sum256(body)
	return Sum(full[:16])
}

// row is one stored record, in the store's order.
type row struct {
	jid     string
	seq     uint64
	reading bool
	body    Sum
}

// span is a range of seqs of one journal that is accounted for without a row.
type span struct {
	jid      string
	from, to uint64
	empty    bool // of seqs that hold no record of this journal
}

// count is what a reconciliation finds.
type count struct {
	Parsed, Stored, Quarantined, Holes, Lost, Duplicated int
	Problems                                             []string // each in words, at most a few
}

const maxProblems = 20

func (c *count) problem(format string, args ...any) {
	if len(c.Problems) < maxProblems {
		c.Problems = append(c.Problems, fmt.Sprintf(format, args...))
	}
}

// reconcile holds what the agents' ledgers parsed against what the store has.
// A parsed reading is lost when it is neither a row, nor in quarantine, nor
// can be one of the records of a recorded hole. A row is duplicated when its
// (jid, seq) or its reading is stored twice. Seqs that neither row, quarantine
// nor hole explain are lost records, too.
func reconcile(parsed []Sum, rows []row, quarantined []Sum, poison, holes []span) count {
	c := count{Parsed: len(parsed), Quarantined: len(poison)}
	readings := map[Sum]int{}
	byJID := map[string][]uint64{}
	for _, r := range rows {
		if r.reading {
			c.Stored++
			readings[r.body]++
			if n := readings[r.body]; n > 1 {
				c.Duplicated++
				c.problem("journal %s: the reading of seq %d is stored %d times", r.jid, r.seq, n)
			}
		}
		byJID[r.jid] = append(byJID[r.jid], r.seq)
	}
	explained := 0 // places where a parsed reading without a row may be
	for _, h := range holes {
		if h.empty {
			continue
		}
		n := int(h.to - h.from + 1)
		c.Holes += n
		explained += n
	}
	held := map[Sum]bool{}
	for _, s := range quarantined {
		held[s] = true
	}
	known := map[Sum]bool{}
	for _, s := range parsed {
		known[s] = true
		if readings[s] == 0 && !held[s] {
			if explained > 0 {
				explained--
				continue
			}
			c.Lost++
			c.problem("a parsed reading (%x) is nowhere", s)
		}
	}
	for s, n := range readings {
		if !known[s] {
			c.Duplicated += n
			c.problem("a stored reading (%x) was never parsed", s)
		}
	}
	c.contiguous(byJID, append(slices.Clone(poison), holes...))
	return c
}

// contiguous checks that each journal's seqs are there from 1 to its last.
func (c *count) contiguous(byJID map[string][]uint64, others []span) {
	for jid, seqs := range byJID {
		slices.Sort(seqs)
		want := uint64(1)
		for _, seq := range seqs {
			if seq < want {
				if seq == want-1 {
					c.Duplicated++
					c.problem("journal %s: seq %d is stored twice", jid, seq)
				}
				continue
			}
			for want < seq {
				next := through(jid, want, others)
				if next < want {
					c.Lost++
					c.problem("journal %s: seq %d is nowhere", jid, want)
					next = want
				}
				want = next + 1
			}
			want = max(want, seq+1)
		}
	}
}

// through gives the last seq of the span that covers seq, or less than seq.
func through(jid string, seq uint64, spans []span) uint64 {
	for _, s := range spans {
		if s.jid == jid && s.from <= seq && seq <= s.to {
			return s.to
		}
	}
	return seq - 1
}

// decodeRow reads what reconcile needs from a stored record.
func decodeRow(jid string, seq uint64, raw []byte) (row, wire.Record, wire.Body, error) {
	rec, err := wire.DecodeRecord(raw)
	if err != nil {
		return row{}, rec, nil, fmt.Errorf("stored record %s/%d: %w", jid, seq, err)
	}
	if rec.Seq != seq {
		return row{}, rec, nil, fmt.Errorf("stored record %s/%d holds seq %d", jid, seq, rec.Seq)
	}
	r := row{jid: jid, seq: seq, reading: rec.Kind == wire.KindReading, body: sumOf(rec.Body)}
	if rec.Kind != wire.KindPassage && rec.Kind != wire.KindRun {
		return r, rec, nil, nil
	}
	body, err := rec.DecodeBody()
	if err != nil {
		return row{}, rec, nil, fmt.Errorf("stored record %s/%d: %w", jid, seq, err)
	}
	return r, rec, body, nil
}
