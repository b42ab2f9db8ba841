// Package rollup counts records by the hour: that stays in the county's store when the
// records themselves are removed because they are old. It is pure.
package rollup

import (
	"slices"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Key says which records are counted together.
type Key struct {
	Hour int64     // unix hours, by the clock of the gate
	Kind wire.Kind //
	Word string    // see WordOf
}

// Words of records that say nothing else.
const (
	WordAmended = "amended" // a passage that a later one replaces: it is counted under no verdict
	WordUnknown = "unknown" // this version can't read the record
)

// Count is how many records there are, and what their temperatures are.
type Count struct {
	Records int
	Temps   int       // records with a screening temperature
	Sum     int64     // of these, hundredths of a degree Celsius
	Least   fact.Temp // of these; 0 when Temps is 0
	Most    fact.Temp // likewise
}

// Add adds what another count has.
func (c *Count) Add(o Count) {
	switch {
	case c.Temps == 0:
		c.Least, c.Most = o.Least, o.Most
	case o.Temps > 0:
		c.Least, c.Most = min(c.Least, o.Least), max(c.Most, o.Most)
	}
	c.Records, c.Temps, c.Sum = c.Records+o.Records, c.Temps+o.Temps, c.Sum+o.Sum
}

// Mean returns the mean of the temperatures, rounded; 0 when there are none.
func (c Count) Mean() fact.Temp {
	n := int64(c.Temps)
	if n == 0 {
		return 0
	}
	half := n / 2
	if c.Sum < 0 {
		half = -half
	}
	return fact.Temp((c.Sum + half) / n)
}

// Row is a count of an agent's records.
type Row struct {
	Agent string
	Key
	Count
}

// Counts are those of one journal.
type Counts map[Key]Count

// Record is one stored record of a journal.
type Record struct {
	Raw   []byte
	Kind  wire.Kind
	Hour  int64 // unix hours, by the clock of the gate
	Count bool  // false: it is only here because it may amend an earlier one
}

// Of counts records, which are of one journal in the order of their seqs.
func Of(records []Record) Counts {
	c := NewCounter()
	for _, r := range records {
		c.Take(r)
	}
	return c.Counts()
}

// Counter counts the records of one journal as they come, in the order of their seqs. A
// passage counts under its verdict unless a later one replaces it.
type Counter struct {
	counts Counts
	latest []entry // passages that a later one may replace, the oldest first
}

// entry is what a record counts.
type entry struct {
	key      Key
	count    Count
	counts   bool
	readings []uint64 // seqs
}

// NewCounter returns a counter that has counted nothing.
func NewCounter() *Counter { return &Counter{counts: Counts{}} }

// Take takes the next record.
func (c *Counter) Take(r Record) {
	e := entry{key: Key{Hour: r.Hour, Kind: r.Kind, Word: WordUnknown}, count: Count{Records: 1}, counts: r.Count}
	body, err := decode(r.Raw)
	if err == nil {
		e.key.Word = WordOf(body)
		e.count = e.count.with(temperature(body))
	}
	p, is := body.(*wire.Passage)
	if !is {
		c.add(e)
		return
	}
	c.replace(p)
	e.readings = p.Readings
	if c.latest = append(c.latest, e); len(c.latest) > Amendable {
		c.add(c.latest[0])
		c.latest = c.latest[1:]
	}
}

// replace counts the passage that p replaces as amended: the last one that used one of
// its readings.
func (c *Counter) replace(p *wire.Passage) {
	if !p.Amends {
		return
	}
	for i, old := range slices.Backward(c.latest) {
		if slices.ContainsFunc(old.readings, func(seq uint64) bool { return slices.Contains(p.Readings, seq) }) {
			c.latest = slices.Delete(c.latest, i, i+1)
			old.key.Word = WordAmended
			c.add(old)
			return
		}
	}
}

func (c *Counter) add(e entry) {
	if e.counts {
		sum := c.counts[e.key]
		sum.Add(e.count)
		c.counts[e.key] = sum
	}
}

// Counts returns what was counted. No record may be taken after it.
func (c *Counter) Counts() Counts {
	for _, e := range c.latest {
		c.add(e)
	}
	c.latest = nil
	return c.counts
}

func decode(raw []byte) (wire.Body, error) {
	r, err := wire.DecodeRecord(raw)
	if err != nil {
		return nil, err
	}
	return r.DecodeBody()
}

// with returns the count with a temperature; nil: there is none.
func (c Count) with(t *fact.Temp) Count {
	if t != nil {
		c.Temps, c.Sum, c.Least, c.Most = 1, int64(*t), *t, *t
	}
	return c
}

// WordOf returns what a record is counted under within its kind: the verdict of a
// passage, the type of a reading, the machine of a track.
func WordOf(body wire.Body) string {
	switch b := body.(type) {
	case *wire.Passage:
		return string(b.Verdict)
	case *wire.Reading:
		return string(b.Type)
	case *wire.Alarm:
		return string(b.Type) + " " + string(b.State)
	case *wire.Health:
		return string(b.State)
	case *wire.Audit:
		return b.Action
	case *wire.Clock:
		return b.Reason
	case *wire.Track:
		return b.Machine
	case *wire.Run:
		return b.Machine + " " + string(b.State)
	case *wire.Baseline:
		return b.Device
	case *wire.FieldCheck:
		return string(b.State)
	}
	return WordUnknown
}

// temperature returns the temperature of a passage or a reading, or nil.
func temperature(body wire.Body) *fact.Temp {
	switch b := body.(type) {
	case *wire.Passage:
		return b.Screening()
	case *wire.Reading:
		return b.Screening()
	}
	return nil
}

// Amendable is how many of a journal's last passages a later one may replace.
const Amendable = 20
