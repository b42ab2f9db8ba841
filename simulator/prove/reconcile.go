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

// account is what one agent's ledger counted, in the order of its journal.
type account struct {
	agent string
	sums  []Sum
}

// row is one record that is stored or in quarantine.
type row struct {
	agent   string
	jid     string
	seq     uint64
	reading bool
	body    Sum
}

// span is a range of seqs of one journal that is accounted for without a row.
type span struct {
	agent    string
	jid      string
	from, to uint64
	empty    bool // it stands for records of another journal of the agent
}

// facts are what is held against each other.
type facts struct {
	parsed []account
	rows   []row
	poison []row // in quarantine
	holes  []span
	spared map[Sum]bool // readings that are gone, as the fault's own witness saw
}

// count is what a reconciliation finds.
type count struct {
	Parsed, Stored, Quarantined, Holes, Counted, Lost, Duplicated int
	Problems                                                      []string // each in words, at most a few
}

const maxProblems = 20

func (c *count) problem(format string, args ...any) {
	if len(c.Problems) < maxProblems {
		c.Problems = append(c.Problems, fmt.Sprintf(format, args...))
	}
}

// reconcile holds what the agents' ledgers parsed against what the store has.
// A parsed reading is lost when it is neither a row, nor in quarantine, nor
// can be one of the records of a hole at its place in its agent's journal. A
// row is duplicated when its (jid, seq) or its reading is stored twice. Seqs
// that neither row, quarantine nor hole explain are lost records, too; a hole
// that stands for records of another journal must find them there.
func reconcile(f facts) count {
	c := count{Quarantined: len(f.poison)}
	at := map[Sum]row{} // where each reading is
	for _, r := range f.poison {
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
		if !h.empty {
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
	for _, r := range f.poison {
		others = append(others, span{agent: r.agent, jid: r.jid, from: r.seq, to: r.seq})
	}
	c.contiguous(seqs, others)
	c.elsewhere(f)
	return c
}

// readings follows an agent's ledger: of several readings in a row that are
// nowhere, as many may be in holes as lie between those before and after.
func (c *count) readings(a account, at map[Sum]row, f facts) {
	var before row
	var missing []Sum
	settle := func(after row) {
		room := len(missing)
		if room > 0 {
			room = f.places(a.agent, before, after)
		}
		for i, s := range missing {
			if i >= room {
				c.Lost++
				c.problem("a parsed reading (%x) of %s is nowhere", s, a.agent)
			}
		}
		missing = missing[:0]
	}
	for _, s := range a.sums {
		switch r, there := at[s]; {
		case there:
			settle(r)
			before = r
		case f.spared[s]:
			c.Counted++
		default:
			missing = append(missing, s)
		}
	}
	settle(row{})
}

// places counts the seqs of an agent's holes that come after one record and
// before another and hold no record; a record without a journal is the begin or
// the end.
func (f facts) places(agent string, before, after row) (n int) {
	taken := map[string]map[uint64]bool{}
	for _, r := range slices.Concat(f.rows, f.poison) {
		if taken[r.jid] == nil {
			taken[r.jid] = map[uint64]bool{}
		}
		taken[r.jid][r.seq] = true
	}
	for _, h := range f.holes {
		if h.empty || h.agent != agent {
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

// elsewhere checks that what a journal says to be of another one of its agent,
// or stored under it, is accounted for there.
func (c *count) elsewhere(f facts) {
	type key struct {
		agent string
		seq   uint64
	}
	jids := map[key][]string{}
	note := func(agent, jid string, seq uint64) {
		k := key{agent, seq}
		jids[k] = append(jids[k], jid)
	}
	for _, r := range slices.Concat(f.rows, f.poison) {
		note(r.agent, r.jid, r.seq)
	}
	for _, h := range f.holes {
		for seq := h.from; !h.empty && seq <= h.to; seq++ {
			note(h.agent, h.jid, seq)
		}
	}
	for _, h := range f.holes {
		for seq := h.from; h.empty && seq <= h.to; seq++ {
			if !slices.ContainsFunc(jids[key{h.agent, seq}], func(jid string) bool { return jid != h.jid }) {
				c.Lost++
				c.problem("journal %s: seq %d is said to be of another journal, and is in none", h.jid, seq)
			}
		}
	}
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
func decodeRow(agent, jid string, seq uint64, raw []byte) (row, wire.Record, wire.Body, error) {
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
