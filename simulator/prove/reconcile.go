package prove

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"gatehouse/gateway/wire"
)

// Sum identifies a completed reading: the first half of the SHA-256 of its body,
// as in the agent's ledger.
type Sum = [16]byte

func sumOf(body []byte) Sum {
	full := sha256.Sum256(body)
	return Sum(full[:16])
}

// account are the readings in one agent's ledger, in the order of its journal.
type account struct {
	agent string
	sums  []Sum
}

// row is a record that is stored or in quarantine.
type row struct {
	agent   string
	jid     string
	seq     uint64
	reading bool
	body    Sum
}

// span is a range of seqs of one journal that is accounted for without rows.
type span struct {
	agent     string
	jid       string
	from, to  uint64
	elsewhere bool // stands for records of another journal of the agent
	expired   bool // records of it were removed because they were old
}

// facts are what reconcile compares.
type facts struct {
	parsed     []account
	rows       []row
	quarantine []row
	holes      []span
	knownLost  map[Sum]bool // readings that the fault is known to have lost
	expires    bool         // records may expire: readings in holes are counted as that
}

// count is the result of a reconciliation.
type count struct {
	Parsed, Stored, Quarantined, Holes, Counted, Expired, Lost, Duplicated int
	Problems                                                               []string // descriptions, at most maxProblems
}

const maxProblems = 20

func (c *count) problem(format string, args ...any) {
	if len(c.Problems) < maxProblems {
		c.Problems = append(c.Problems, fmt.Sprintf(format, args...))
	}
}

// reconcile compares the agents' ledgers with the store. A parsed reading is
// lost if it is neither a row nor in quarantine, and can't be in a hole at its
// position in its agent's journal. A row is duplicated if its (jid, seq) or its
// reading is stored twice. A seq without row, quarantine or hole is a lost
// record, too; and what a hole says to be in another journal must be there.
func reconcile(f facts) count {
	c := count{Quarantined: len(f.quarantine)}
	at := map[Sum]row{} // each reading's row
	for _, r := range f.quarantine {
		if r.reading {
			at[r.body] = r
		}
	}
	stored := map[Sum]int{}
	seqs := map[string][]uint64{} // by journal
	for _, r := range f.rows {
		seqs[r.jid] = append(seqs[r.jid], r.seq)
		if !r.reading {
			continue
		}
		c.Stored++
		at[r.body] = r
		if stored[r.body]++; stored[r.body] > 1 {
			c.Duplicated++
			c.problem("journal %s: the reading of seq %d is stored %d times", r.jid, r.seq, stored[r.body])
		}
	}
	for _, h := range f.holes {
		if !h.elsewhere && !h.expired {
			c.Holes += int(h.to - h.from + 1)
		}
	}
	known := map[Sum]bool{}
	for _, a := range f.parsed {
		c.Parsed += len(a.sums)
		for _, s := range a.sums {
			known[s] = true
		}
		c.readings(a, at, f)
	}
	for s, n := range stored {
		if !known[s] {
			c.Duplicated += n
			c.problem("a stored reading (%x) was never parsed", s)
		}
	}
	others := slices.Clone(f.holes)
	for _, r := range f.quarantine {
		others = append(others, span{agent: r.agent, jid: r.jid, from: r.seq, to: r.seq})
	}
	c.contiguous(seqs, others)
	c.otherJournals(f)
	return c
}

// readings checks an agent's ledger: of consecutive readings without a row, as
// many may be in holes as there are seqs of holes between the readings before
// and after them.
func (c *count) readings(a account, at map[Sum]row, f facts) {
	var before row
	var missing []Sum // since before
	count := func(after row) {
		inHoles := len(missing)
		if inHoles > 0 {
			inHoles = f.holeSeqs(a.agent, before, after)
		}
		for i, s := range missing {
			if f.expires && i < inHoles {
				c.Expired++
			}
			if i >= inHoles {
				c.Lost++
				c.problem("a parsed reading (%x) of %s is not stored", s, a.agent)
			}
		}
		missing = missing[:0]
	}
	for _, s := range a.sums {
		switch r, there := at[s]; {
		case there:
			count(r)
			before = r
		case f.knownLost[s]:
			c.Counted++
		default:
			missing = append(missing, s)
		}
	}
	count(row{})
}

// holeSeqs counts the seqs in an agent's holes that are after one record and
// before another and have no row. A row without a journal is the beginning or the
// end.
func (f facts) holeSeqs(agent string, before, after row) (n int) {
	taken := map[string]map[uint64]bool{}
	for _, r := range slices.Concat(f.rows, f.quarantine) {
		if taken[r.jid] == nil {
			taken[r.jid] = map[uint64]bool{}
		}
		taken[r.jid][r.seq] = true
	}
	for _, h := range f.holes {
		if h.elsewhere || h.agent != agent {
			continue
		}
		from, to := h.from, h.to
		if h.jid == before.jid {
			from = max(from, before.seq+1)
		}
		if h.jid == after.jid {
			to = min(to, after.seq-1)
		}
		inside := h.jid == before.jid || h.jid == after.jid || before.jid == "" || after.jid == ""
		for seq := from; inside && seq <= to; seq++ {
			if !taken[h.jid][seq] {
				n++
			}
		}
	}
	return n
}

// otherJournals checks that records which a hole says to be in another journal
// of the agent are accounted for there.
func (c *count) otherJournals(f facts) {
	type key struct {
		agent string
		seq   uint64
	}
	jids := map[key][]string{}
	note := func(agent, jid string, seq uint64) {
		k := key{agent, seq}
		jids[k] = append(jids[k], jid)
	}
	for _, r := range slices.Concat(f.rows, f.quarantine) {
		note(r.agent, r.jid, r.seq)
	}
	for _, h := range f.holes {
		for seq := h.from; !h.elsewhere && seq <= h.to; seq++ {
			note(h.agent, h.jid, seq)
		}
	}
	for _, h := range f.holes {
		for seq := h.from; h.elsewhere && seq <= h.to; seq++ {
			if !slices.ContainsFunc(jids[key{h.agent, seq}], func(jid string) bool { return jid != h.jid }) {
				c.Lost++
				c.problem("journal %s: seq %d should be in another journal, and is in none", h.jid, seq)
			}
		}
	}
}

// contiguous checks that each journal's seqs are accounted for from 1 to the
// last.
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
				next := spanEnd(jid, want, others)
				if next < want {
					c.Lost++
					c.problem("journal %s: seq %d is not stored", jid, want)
					next = want
				}
				want = next + 1
			}
			want = max(want, seq+1)
		}
	}
}

// spanEnd returns the last seq of the span that covers seq, or less than seq if
// there is none.
func spanEnd(jid string, seq uint64, spans []span) uint64 {
	for _, s := range spans {
		switch {
		case s.jid != jid || seq < s.from || seq > s.to:
		case s.expired:
			return seq // records of other kinds are still there
		default:
			return s.to
		}
	}
	return seq - 1
}

// decodeStored decodes a stored record. It returns the body only of passages
// and runs.
func decodeStored(agent, jid string, seq uint64, raw []byte) (row, wire.Record, wire.Body, error) {
	rec, err := wire.DecodeRecord(raw)
	if err != nil {
		return row{}, rec, nil, fmt.Errorf("stored record %s/%d: %w", jid, seq, err)
	}
	if rec.Seq != seq {
		return row{}, rec, nil, fmt.Errorf("stored record %s/%d holds seq %d", jid, seq, rec.Seq)
	}
	r := row{agent: agent, jid: jid, seq: seq, reading: rec.Kind == wire.KindReading, body: sumOf(rec.Body)}
	if rec.Kind != wire.KindPassage && rec.Kind != wire.KindRun {
		return r, rec, nil, nil
	}
	body, err := rec.DecodeBody()
	if err != nil {
		return row{}, rec, nil, fmt.Errorf("stored record %s/%d: %w", jid, seq, err)
	}
	return r, rec, body, nil
}
