package wire

import (
	"bytes"
	"math"
)

// quickRecord reads the envelope of a record that EncodeRecord wrote, in a third
// of the time. It does not look whether the body is JSON. ok is false for every
// other text, which may be a record all the same.
func quickRecord(raw []byte) (r Record, ok bool) {
	f := fixed{rest: raw, ok: true}
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
	if !f.ok || err != nil || boot > math.MaxInt64 || len(f.rest) < 2 || f.rest[len(f.rest)-1] != '}' {
		return Record{}, false
	}
	r.Body = f.rest[: len(f.rest)-1 : len(f.rest)-1]
	return r, r.Kind != "" && r.check() == nil
}

// kindOf returns the kind of that name, empty when it is not one of this
// version's.
func kindOf(name []byte) Kind {
	for _, k := range []Kind{KindReading, KindPassage, KindAlarm, KindHealth, KindClock, KindAudit, KindTrack,
		KindRun} {
		if string(name) == string(k) {
			return k
		}
	}
	return ""
}

// fixed takes a text of a known form apart. ok is false from the first piece on
// that is not as expected.
type fixed struct {
	rest []byte
	ok   bool
}

// try moves past a text, if it comes next.
func (f *fixed) try(text string) bool {
	if len(f.rest) < len(text) || string(f.rest[:len(text)]) != text {
		return false
	}
	f.rest = f.rest[len(text):]
	return true
}

// skip moves past a text that must come next.
func (f *fixed) skip(text string) { f.ok = f.try(text) && f.ok }

// until returns what is before the byte end, and moves past it.
func (f *fixed) until(end byte) []byte {
	i := bytes.IndexByte(f.rest, end)
	if i < 0 {
		f.ok = false
		return nil
	}
	found := f.rest[:i]
	f.rest = f.rest[i+1:]
	return found
}

// number returns the number that comes next: digits, as strconv writes them.
func (f *fixed) number() (n uint64) {
	i := 0
	for ; i < len(f.rest) && f.rest[i] >= '0' && f.rest[i] <= '9' && i < 19; i++ {
		n = 10*n + uint64(f.rest[i]-'0')
	}
	f.ok = f.ok && i > 0 && (i == 1 || f.rest[0] != '0')
	f.rest = f.rest[i:]
	return n
}
