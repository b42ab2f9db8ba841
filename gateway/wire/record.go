package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Kind is the kind of a record.
type Kind string

// The kinds that this version knows. A collector puts a record of another kind into
// quarantine with its bytes; it never drops one.
const (
	KindReading Kind = "reading" // one completed measurement or tap
	KindPassage Kind = "passage" // one verdict at a gate, with its inputs
	KindAlarm   Kind = "alarm"   // a condition that needs somebody, raised or cleared
	KindHealth  Kind = "health"  // the state of a device or of the agent changed
	KindClock   Kind = "clock"   // the agent started, or its wall clock stepped
	KindAudit   Kind = "audit"   // what somebody did at the gate's screen
	KindTrack   Kind = "track"   // what a machine said while it worked
	KindRun     Kind = "run"     // one disinfection task of a machine, graded

	KindBaseline Kind = "baseline" // what a thermometer has read of people
	KindCheck    Kind = "check"    // a thermometer compared with a contact thermometer
)

// Time is an instant on the wire: RFC 3339 in UTC with nine decimals, a string
// because numbers that size break in JavaScript.
type Time struct{ time.Time }

// timeLayout keeps nine decimals, so that strings sort as instants do.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// At returns a Time of t.
func At(t time.Time) Time { return Time{t.UTC().Round(0)} }

// String returns "2020-02-14T06:30:00.000000000Z".
func (t Time) String() string { return t.UTC().Format(timeLayout) }

// MarshalJSON writes the string form.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// UnmarshalJSON reads RFC 3339 with any offset and number of decimals (those
// past the ninth don't count), in the years 1970 to 2261, which is what a store
// of nanoseconds can hold.
func (t *Time) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return fmt.Errorf("time %.40s is not a string", b)
	}
	v, err := parseTime(string(b[1 : len(b)-1]))
	if err == nil {
		*t = v
	}
	return err
}

func parseTime(s string) (Time, error) {
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return Time{}, fmt.Errorf("time: %w", err)
	}
	if v = v.UTC(); v.Year() < 1970 || v.Year() > 2261 {
		return Time{}, fmt.Errorf("time %s is outside 1970 to 2261", s)
	}
	return At(v), nil
}

// MaxSeq is the largest seq: larger numbers are not exact in JavaScript.
const MaxSeq = 1<<53 - 1

// Record is one fact at one place, identified by its journal's id and Seq. Its
// bytes never change after the journal has written it: they are sent, hashed and
// stored as they are.
type Record struct {
	Seq    uint64          `json:"seq"`              // gapless within a journal, from 1
	At     Time            `json:"at"`               // wall clock at append; strictly rising within an era
	Era    uint32          `json:"era,omitempty"`    // one more after each backward step of the wall clock
	BootNS int64           `json:"boot_ns"`          // boot clock at append, nanoseconds
	Unsync bool            `json:"unsync,omitempty"` // the wall clock was not known to be right
	Kind   Kind            `json:"kind"`
	Body   json.RawMessage `json:"body"` // the kind's body; fields unknown to a reader are kept
}

// Body is the content of a record: *Reading, *Passage, *Alarm, *Health, *Clock, *Audit,
// *Track, *Run, *Baseline, *FieldCheck.
type Body interface {
	// Kind is the record kind this body belongs to.
	Kind() Kind
	// Check returns an error that says what is wrong with the body, or nil.
	Check() error
}

var (
	// ErrKind means that the record's kind is not one of this version's.
	ErrKind = errors.New("unknown kind of record")
	// ErrBody means that a record's body is not what its kind asks for.
	ErrBody = errors.New("bad record body")
)

// EncodeRecord returns the record's bytes: one line of JSON without white space
// or HTML escapes. Journals call it once a record; nobody encodes it again. The body
// is EncodeBody's. It writes the bytes that encoding/json would, in a fifth of
// the time: a journal's writers wait for each other here.
func EncodeRecord(r Record) ([]byte, error) {
	if len(r.Body) == 0 || !plain(string(r.Kind)) {
		return marshal(r)
	}
	b := make([]byte, 0, len(r.Body)+len(r.Kind)+160)
	b = strconv.AppendUint(append(b, `{"seq":`...), r.Seq, 10)
	b = append(r.At.UTC().AppendFormat(append(b, `,"at":"`...), timeLayout), '"')
	if r.Era != 0 {
		b = strconv.AppendUint(append(b, `,"era":`...), uint64(r.Era), 10)
	}
	b = strconv.AppendInt(append(b, `,"boot_ns":`...), r.BootNS, 10)
	if r.Unsync {
		b = append(b, `,"unsync":true`...)
	}
	b = append(append(b, `,"kind":"`...), r.Kind...)
	b = append(append(b, `","body":`...), r.Body...)
	return append(b, '}'), nil
}

// plain reports whether JSON writes a text as it is.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// EncodeBody returns the bytes that become Record.Body.
func EncodeBody(b Body) (json.RawMessage, error) { return marshal(b) }

func marshal[T any](v T) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// PeekKind returns the kind of a record that EncodeRecord wrote, without reading
// the rest, or "" when it can't be seen: for callers that look for a few
// among many.
func PeekKind(raw []byte) Kind {
	const mark = `,"kind":"`
	_, rest, ok := bytes.Cut(raw, []byte(mark)) // nothing before it is a text from outside
	end := bytes.IndexByte(rest, '"')
	if !ok || end < 0 {
		return ""
	}
	return Kind(rest[:end])
}

// DecodeRecord reads the envelope of a record and checks what every kind has:
// a seq, a time, a kind, a body that is a JSON object. It does not look into
// the body: DecodeBody does. The record's body shares raw's memory. With an
// error it returns what it had read by then.
//
// Records and bodies of any form are read with go-json-experiment/json, which becomes
// encoding/json/v2: 7.2 µs for a record of a full batch, where a parser written
// by hand took 6.2 and encoding/json 14 (medians of seven runs, one machine).
func DecodeRecord(raw []byte) (Record, error) {
	var e envelope
	err := jsonv2.Unmarshal(raw, &e, decodeOptions)
	r := e.Record
	r.Body = raw[e.Body.from:e.Body.to:e.Body.to]
	if err != nil {
		return r, fmt.Errorf("decode record: %w", err)
	}
	return r, r.check()
}

// decodeOptions lets the last of several fields of one name count, as
// encoding/json does.
var decodeOptions = jsontext.AllowDuplicateNames(true)

// envelope is a Record whose body is not copied: its Body hides Record.Body.
type envelope struct {
	Record

	Body span `json:"body"`
}

// span is where a value begins and ends in the text that is being decoded.
type span struct{ from, to int64 }

// UnmarshalJSONFrom skips the value.
func (s *span) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if s.to > 0 {
		return errors.New("it comes twice")
	}
	v, err := d.ReadValue()
	s.to = d.InputOffset()
	s.from = s.to - int64(len(v))
	return err
}

// check looks at what every kind of record has.
func (r *Record) check() error {
	switch {
	case r.Seq == 0 || r.Seq > MaxSeq:
		return fmt.Errorf("decode record: seq is missing or not in 1 to %d", uint64(MaxSeq))
	case r.At.IsZero():
		return errors.New("decode record: at is missing")
	case r.Kind == "":
		return errors.New("decode record: kind is missing")
	case len(r.Body) == 0 || r.Body[0] != '{':
		return errors.New("decode record: body is not an object")
	}
	return nil
}

// DecodeBody reads and checks the body of a record. The error wraps ErrKind or
// ErrBody; either way the record belongs into quarantine.
func (r Record) DecodeBody() (Body, error) {
	b := quickBody(r.Kind, r.Body)
	if b == nil {
		var err error
		if b, err = r.parseBody(); err != nil {
			return nil, err
		}
	}
	if err := b.Check(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBody, r.Kind, err)
	}
	return b, nil
}

// parseBody reads a body of any form.
func (r Record) parseBody() (b Body, err error) {
	switch r.Kind {
	case KindReading:
		b = new(Reading)
	case KindPassage:
		b = new(Passage)
	case KindAlarm:
		b = new(Alarm)
	case KindHealth:
		b = new(Health)
	case KindClock:
		b = new(Clock)
	case KindAudit:
		b = new(Audit)
	case KindTrack:
		b = new(Track)
	case KindRun:
		b = new(Run)
	case KindBaseline:
		b = new(Baseline)
	case KindCheck:
		b = new(FieldCheck)
	default:
		return nil, fmt.Errorf("%w: %.40q", ErrKind, r.Kind)
	}
	if err := jsonv2.Unmarshal(r.Body, b, decodeOptions); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBody, r.Kind, err)
	}
	return b, nil
}

// Hash returns the hash of a record's bytes. Records of one journal and seq with
// different hashes are different records.
func Hash(raw []byte) [32]byte { return sha256.Sum256(raw) }
