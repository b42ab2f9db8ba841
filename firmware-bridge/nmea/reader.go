package nmea

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

const (
	longest  = 256 // bytes of a sentence; the standard says 82
	patience = 3   // sentences of one kind without one of the other, until that has ended
	mostKind = 6   // kinds of other sentences that a report names
)

// Reader finds the sentences among the bytes of a receiver and makes samples of
// them. The zero value is ready to use; it is for one goroutine.
//
// RMC and GGA of one moment tell one position, rounded differently: those of the
// kind that came first are taken, until that kind ends. Of the other kind only the
// speed counts then.
type Reader struct {
	text  []byte                          // of the sentence that has begun, with its $
	long  bool                            // it is longer than longest
	sums  bool                            // the receiver ends its sentences with a checksum
	now   struct{ address, epoch string } // of the newest position
	since map[string]int                  // by kind: sentences of the other kind since its last one
	no    map[string]bool                 // by kind: its newest sentence says that there is no fix
	pairs bool                            // an RMC and a GGA of one moment have come

	used    bool     // an RMC or GGA was read since the last call of Understood
	others  []string // kinds of sentences that are not used
	formats []string // what comes besides sentences
}

// Take takes bytes and calls each with the samples and errors in them.
func (r *Reader) Take(b []byte, each func(runs.Sample, error)) {
	r.note(b)
	for _, c := range b {
		switch {
		case c == '$':
			r.end(false, each)
			r.text = append(r.text[:0], c)
		case c < ' ' || c > '~':
			r.end(c == '\r' || c == '\n', each)
		case len(r.text) >= longest:
			r.long = true
		case len(r.text) > 0:
			r.text = append(r.text, c)
		}
	}
}

// end ends the sentence that has begun. atLineEnd is whether a line ends there.
func (r *Reader) end(atLineEnd bool, each func(runs.Sample, error)) {
	text, long := strings.TrimRight(string(r.text), " "), r.long
	r.text, r.long = r.text[:0], false
	if text == "" || long {
		return
	}
	s, used, err := parse(text)
	if !used {
		r.noteOther(text)
		return
	}
	if !s.sum && err == nil && (r.sums || !atLineEnd) {
		err = fmt.Errorf("%.90q: %w", text, errNoSum)
	}
	if err != nil {
		each(runs.Sample{}, err)
		return
	}
	r.sums, r.used = r.sums || s.sum, true
	if v := r.values(s, text[:len("$GPRMC")]); v != (fact.Values{}) {
		each(runs.Sample{Values: v}, nil)
	}
}

// values returns what is new in a sentence.
func (r *Reader) values(s sentence, address string) (v fact.Values) {
	if r.since == nil {
		r.since, r.no = map[string]int{}, map[string]bool{}
	}
	other := "RMC"
	if s.kind == other {
		other = "GGA"
	}
	r.since[s.kind] = 0
	r.since[other]++
	r.no[s.kind] = s.no
	if !s.fix || r.no[other] && r.since[other] < patience {
		return v
	}
	v.Speed = s.speed
	last := r.now
	same := s.epoch == last.epoch && s.epoch != ""
	if strings.HasSuffix(last.address, other) {
		r.pairs = r.pairs || same
		if r.pairs && r.since[other] < patience {
			return v // the other kind tells the position
		}
	}
	if same && address != last.address {
		return fact.Values{} // another talker has told it
	}
	r.now.address, r.now.epoch = address, s.epoch
	v.Lat, v.Lon = new(s.lat), new(s.lon)
	return v
}

// noteOther notes the kind of a sentence that is not used.
func (r *Reader) noteOther(text string) {
	kind := kindOf(text)
	if kind != "" && len(r.others) < mostKind && !slices.Contains(r.others, kind) {
		r.others = append(r.others, kind)
	}
}

// note notes the binary protocols that receivers speak, by their first bytes.
func (r *Reader) note(b []byte) {
	for name, begin := range map[string]string{"u-blox binary (UBX)": "\xb5\x62", "SiRF binary": "\xa0\xa2"} {
		if bytes.Contains(b, []byte(begin)) && !slices.Contains(r.formats, name) {
			r.formats = append(r.formats, name)
		}
	}
}

// Understood reports whether an RMC or GGA was read since the last call.
func (r *Reader) Understood() bool {
	used := r.used
	r.used = false
	return used
}

// Try returns what may be wrong when no RMC or GGA comes, and what to try.
func (r *Reader) Try() string {
	switch {
	case len(r.others) > 0:
		return fmt.Sprintf("the receiver sends %s, but neither RMC nor GGA: switch RMC on",
			strings.Join(r.others, ", "))
	case len(r.formats) > 0:
		return "this looks like " + strings.Join(r.formats, ", ") + ": set the receiver to NMEA"
	}
	return "is the speed right? Try baud: 4800, 9600, 38400 or 115200; " +
		"is it a receiver of positions that sends NMEA?"
}

// Parse reads one sentence. ok is false when it has no valid fix: it is of another
// kind, or the receiver sees too few satellites.
func Parse(text string) (s runs.Sample, ok bool, err error) {
	new(Reader).Take([]byte(text+"\n"), func(got runs.Sample, bad error) {
		s, ok, err = got, bad == nil, bad
	})
	return s, ok, err
}
