package wire

import (
	"bytes"
	"math"
)

// quickRecords reads sound records that EncodeRecord wrote, in a third of the time. ok is
// false for all others.
func (h *batchHeader) quickRecords() (b Batch, ok bool) {
	if !bytes.HasSuffix(h.Records, []byte("]")) {
		return b, false
	}
	b = h.batch(int(min(h.To-h.From+1, MaxBatchRecords)))
	for rest := h.Records[1 : len(h.Records)-1]; len(rest) > 0; {
		raw := firstRecord(rest)
		rest = rest[min(len(raw)+1, len(rest)):]
		r, ok := quickRecord(raw)
		if !ok || r.Seq < b.From || r.Seq > b.To || len(raw) > MaxRecordBytes || len(b.Entries) == MaxBatchRecords {
			return b, false
		}
		body, err := r.DecodeBody()
		if err != nil {
			return b, false
		}
		b.Entries = append(b.Entries, Entry{r, raw, body})
	}
	return b, b.covered() == nil
}

// firstRecord returns the first of records that are joined with commas. It looks
// for what the next one begins with. If that is in the body of the first, what it
// returns is no record, because its braces don't match.
func firstRecord(records []byte) []byte {
	if i := bytes.Index(records, []byte(`},{"seq":`)); i >= 0 {
		return records[:i+1]
	}
	return records
}

// quickRecord reads the envelope of a record that EncodeRecord wrote, in a third
// of the time. It does not look whether the body is JSON. ok is false for every
// other text, which may be a record all the same.
func quickRecord(raw []byte) (r Record, ok bool) {
	f := fixed{b: raw, ok: true}
	f.skip(`{"seq":`)
	r.Seq = f.number()
	f.skip(`,"at":"`)
	at, err := parseTime(string(f.until('"')))
	if f.try(`,"era":`) {
		era := f.number()
		r.Era, f.ok = uint32(era), f.ok && era <= math.MaxUint32
	}
	f.skip(`,"boot_ns":`)
	boot := f.number()
	r.At, r.BootNS = at, int64(boot)
	r.Unsync = f.try(`,"unsync":true`)
	f.skip(`,"kind":"`)
	r.Kind = kindOf(f.until('"'))
	f.skip(`,"body":`)
	if !f.ok || err != nil || boot > math.MaxInt64 || len(raw) < f.i+2 || raw[len(raw)-1] != '}' {
		return Record{}, false
	}
	r.Body = raw[f.i : len(raw)-1 : len(raw)-1]
	return r, r.Kind != "" && r.check() == nil
}

// kindOf returns the kind of that name, empty when it is not one of this
// version's.
func kindOf(name []byte) Kind {
	for _, k := range []Kind{KindReading, KindPassage, KindAlarm, KindHealth, KindClock, KindAudit, KindTrack,
		KindRun, KindBaseline, KindCheck} {
		if string(name) == string(k) {
			return k
		}
	}
	return ""
}

// fixed takes a text of a known form apart. ok is false from the first piece on
// that is not as expected.
type fixed struct {
	b  []byte
	i  int // how far it is read
	ok bool
}

// try moves past a text, if it comes next.
func (f *fixed) try(text string) bool {
	end := f.i + len(text)
	if len(f.b) < end || string(f.b[f.i:end]) != text {
		return false
	}
	f.i = end
	return true
}

// skip moves past a text that must come next.
func (f *fixed) skip(text string) { f.ok = f.try(text) && f.ok }

// until returns what is before the byte end, and moves past it.
func (f *fixed) until(end byte) []byte {
	n := bytes.IndexByte(f.b[f.i:], end)
	if n < 0 {
		f.ok = false
		return nil
	}
	found := f.b[f.i : f.i+n]
	f.i += n + 1
	return found
}

// number returns the number that comes next: digits, as strconv writes them.
func (f *fixed) number() (n uint64) {
	first := f.i
	for ; f.i < len(f.b) && digit(f.b[f.i]) && f.i < first+19; f.i++ {
		n = 10*n + uint64(f.b[f.i]-'0')
	}
	f.ok = f.ok && f.i > first && (f.i == first+1 || f.b[first] != '0')
	return n
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
