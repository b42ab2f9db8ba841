package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

const (
	okRecord = `{"seq":%d,"at":"2020-02-14T06:30:00Z","kind":"clock","body":{"reason":"start"}}`
	noRecord = `{"seq":%d,"at":"2020-02-14T06:30:00Z","kind":"weather","body":{}}`
)

func ok(seq int) string { return fmt.Sprintf(okRecord, seq) }

func bad(seq int) string { return fmt.Sprintf(noRecord, seq) }

func hole(from, to, count uint64) Hole {
	return Hole{From: from, To: to, Reason: "damaged", Count: count}
}

// covers are batches whose checksum is right.
var covers = map[string]struct {
	from, to uint64
	holes    []Hole
	records  []string
	err      string // "" when it is to be read
	bad      int    // records that belong into quarantine
}{
	"one record":                    {7, 7, nil, []string{ok(7)}, "", 0},
	"several":                       {7, 9, nil, []string{ok(7), ok(8), ok(9)}, "", 0},
	"a hole only":                   {7, 9, []Hole{hole(7, 9, 3)}, nil, "", 0},
	"a hole before":                 {7, 9, []Hole{hole(7, 8, 2)}, []string{ok(9)}, "", 0},
	"a hole between":                {7, 9, []Hole{hole(8, 8, 1)}, []string{ok(7), ok(9)}, "", 0},
	"two holes":                     {7, 10, []Hole{hole(9, 10, 2), hole(7, 7, 1)}, []string{ok(8)}, "", 0},
	"a bad record in its place":     {7, 9, nil, []string{ok(7), bad(8), ok(9)}, "", 1},
	"a bad record without a seq":    {7, 9, nil, []string{ok(7), `{}`, ok(9)}, "", 1},
	"a bad record, seq outside":     {7, 9, nil, []string{ok(7), ok(1000), ok(9)}, "", 1},
	"a record that is no JSON":      {7, 8, nil, []string{ok(7), `{"seq":8,}`}, "", 1},
	"records that are no objects":   {7, 9, nil, []string{`1`, `null`, `"x"`}, "", 3},
	"a seq is missing":              {7, 9, nil, []string{ok(7), ok(9)}, "2 records and holes for 3 seqs", 0},
	"the last is missing":           {7, 9, nil, []string{ok(7), ok(8)}, "2 records and holes for 3 seqs", 0},
	"nothing":                       {7, 7, nil, nil, "0 records and holes for 1 seqs", 0},
	"one seq twice":                 {7, 8, nil, []string{ok(7), ok(7)}, "seq 7 comes twice", 0},
	"a good and a bad one":          {7, 8, nil, []string{ok(7), bad(7)}, "seq 7 comes twice", 0},
	"a bad one too many":            {7, 8, nil, []string{ok(7), ok(8), `{}`}, "3 records and holes for 2 seqs", 0},
	"falling order":                 {7, 8, nil, []string{ok(8), ok(7)}, "seq 7 comes after 8", 0},
	"a hole over a record":          {7, 8, []Hole{hole(7, 8, 2)}, []string{ok(8)}, "seq 8 comes twice", 0},
	"holes that overlap":            {7, 9, []Hole{hole(7, 8, 2), hole(8, 9, 2)}, nil, "seq 8 comes twice", 0},
	"a hole that begins before":     {7, 8, []Hole{hole(6, 8, 3)}, nil, "does not fit", 0},
	"a hole that ends after":        {7, 8, []Hole{hole(7, 9, 3)}, nil, "does not fit", 0},
	"a hole backwards":              {7, 8, []Hole{hole(8, 7, 0)}, []string{ok(7), ok(8)}, "does not fit", 0},
	"a hole that counts wrong":      {7, 8, []Hole{hole(7, 8, 1)}, nil, "does not fit", 0},
	"a hole of all seqs":            {1, MaxSeq, []Hole{hole(1, MaxSeq, MaxSeq)}, nil, "", 0},
	"a hole past the last seq":      {1, MaxSeq + 1, []Hole{hole(1, MaxSeq+1, MaxSeq+1)}, nil, "no range", 0},
	"from 0":                        {0, 1, nil, []string{ok(1)}, "no range", 0},
	"to before from":                {8, 7, nil, []string{ok(7)}, "no range", 0},
	"257 records":                   {1, 257, nil, many(257), "more than 256", 0},
	"an empty place in the array":   {7, 8, nil, []string{ok(7), ``}, "not JSON", 0},
	"a record that closes the list": {7, 8, nil, []string{ok(7), ok(8) + `]`}, "not JSON", 0},
}

func many(n int) (records []string) {
	for i := range n {
		records = append(records, ok(i+1))
	}
	return records
}

func TestABatchAccountsForEverySeqOnce(t *testing.T) {
	for name, c := range covers {
		t.Run(name, func(t *testing.T) {
			b, err := DecodeBatch(message(t, c.from, c.to, c.holes, c.records...))
			if c.err != "" {
				if !errors.Is(err, ErrBatch) || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want one that says %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(b.Bad) != c.bad || len(b.Entries) != len(c.records)-c.bad {
				t.Errorf("%d entries and %d bad, want %d and %d", len(b.Entries), len(b.Bad), len(c.records)-c.bad,
					c.bad)
			}
		})
	}
}

func TestABadRecordKeepsItsBytesItsSeqAndAReason(t *testing.T) {
	raws := []string{ok(7), bad(8), `{"x": 1}`}
	b, err := DecodeBatch(message(t, 7, 9, nil, raws...))
	if err != nil || len(b.Bad) != 2 {
		t.Fatalf("%+v, %v", b, err)
	}
	for i, want := range []struct {
		seq  uint64
		says string
	}{{8, "unknown kind of record: \"weather\""}, {0, "seq is missing"}} {
		got := b.Bad[i]
		if got.Seq != want.seq || string(got.Raw) != raws[i+1] || !strings.Contains(got.Reason, want.says) {
			t.Errorf("bad record %d is %+v, want seq %d, its bytes and %q", i, got, want.seq, want.says)
		}
	}
}

func TestARecordLongerThanTheLimitIsBad(t *testing.T) {
	long := func(n int) []byte {
		h := sampleHealth()
		h.Detail = strings.Repeat("x", n)
		return record(t, 7, h)
	}
	spare := MaxRecordBytes - len(long(1)) + 1
	for n, wantBad := range map[int]int{spare: 0, spare + 1: 1} {
		b, err := DecodeBatch(message(t, 7, 7, nil, string(long(n))))
		if err != nil || len(b.Bad) != wantBad {
			t.Errorf("%d bytes: %d bad, %v; want %d", len(long(n)), len(b.Bad), err, wantBad)
		}
	}
}

func TestAMessageLargerThanTheLimitIsNoBatch(t *testing.T) {
	payload := message(t, 7, 7, nil, ok(7))
	padded := append(payload, bytes.Repeat([]byte(" "), MaxMessageBytes-len(payload))...)
	if _, err := DecodeBatch(padded); err != nil {
		t.Errorf("%d bytes: %v", len(padded), err)
	}
	if _, err := DecodeBatch(append(padded, ' ')); !errors.Is(err, ErrBatch) {
		t.Errorf("%d bytes: %v", len(padded)+1, err)
	}
}

func TestFieldsOfALaterVersionAreKeptToTheBit(t *testing.T) {
	raw := `{ "seq":7, "new":{"a":[1,2.50]}, "at":"2020-02-14T06:30:00Z", "kind":"clock", ` +
		`"body":{"reason":"start","phase" : 1e2 } }`
	b, err := DecodeBatch(message(t, 7, 7, nil, raw))
	if err != nil || len(b.Entries) != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
	if string(b.Entries[0].Raw) != raw {
		t.Errorf("the record became %s", b.Entries[0].Raw)
	}
	if want := `{"reason":"start","phase" : 1e2 }`; string(b.Entries[0].Record.Body) != want {
		t.Errorf("the body became %s", b.Entries[0].Record.Body)
	}
}

// TestNoFlippedBitGoesUnseen flips every bit of a message: the record or its
// journal must never become another one.
func TestNoFlippedBitGoesUnseen(t *testing.T) {
	want := batch(t, 40, 43, []Hole{hole(41, 42, 2)}, record(t, 40, sampleCard()), record(t, 43, samplePassage()))
	sound, err := EncodeBatch(want)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sound {
		for bit := range 8 {
			damaged := bytes.Clone(sound)
			damaged[i] ^= 1 << bit
			got, err := DecodeBatch(damaged)
			if err != nil {
				continue
			}
			// What is left are other ids of the agent, which the topic tells, and
			// other words for why there is a hole.
			got.Agent, got.Holes[0].Reason = want.Agent, want.Holes[0].Reason
			if !sameBatch(got, want) {
				t.Errorf("bit %d of byte %d: %q gives %+v", bit, i, damaged[max(0, i-10):min(len(damaged), i+10)], got)
			}
		}
	}
}

func TestDamagedRecordsAreToldFromNoBatch(t *testing.T) {
	payload := message(t, 7, 7, nil, ok(7))
	flipped := bytes.Replace(payload, []byte("start"), []byte("staru"), 1)
	if _, err := DecodeBatch(flipped); !errors.Is(err, ErrCRC) || errors.Is(err, ErrBatch) {
		t.Errorf("damaged in flight: %v", err)
	}
	for name, payload := range noBatches {
		if _, err := DecodeBatch([]byte(payload)); !errors.Is(err, ErrBatch) || errors.Is(err, ErrCRC) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const header = `"agent":"gate-017","jid":"` + testJID + `","from":7,"to":7,"crc32c":"00000000"`

var noBatches = map[string]string{
	"empty":             ``,
	"null":              `null`,
	"text":              `hello`,
	"array":             `[1]`,
	"version 2":         `{"v":2,` + header + `,"records":[]}`,
	"no version":        `{` + header + `,"records":[]}`,
	"no records":        `{"v":1,` + header + `}`,
	"records twice":     `{"v":1,` + header + `,"records":[],"records":[]}`,
	"records an object": `{"v":1,` + header + `,"records":{}}`,
	"records null":      `{"v":1,` + header + `,"records":null}`,
	"no checksum":       `{"v":1,"agent":"gate-017","jid":"` + testJID + `","from":7,"to":7,"records":[]}`,
	"jid in capitals": `{"v":1,"agent":"gate-017","jid":"` + strings.ToUpper(testJID) +
		`","from":7,"to":7,"crc32c":"00000000","records":[]}`,
	"jid without dashes": `{"v":1,"agent":"gate-017","jid":"` + strings.Repeat("a", 36) +
		`","from":7,"to":7,"crc32c":"00000000","records":[]}`,
	"jid too short": `{"v":1,"agent":"gate-017","jid":"3f2b","from":7,"to":7,"crc32c":"00000000","records":[]}`,
	"agent no id": `{"v":1,"agent":"Gate","jid":"` + testJID +
		`","from":7,"to":7,"crc32c":"00000000","records":[]}`,
	"agent named collector": `{"v":1,"agent":"collector","jid":"` + testJID +
		`","from":7,"to":7,"crc32c":"00000000","records":[]}`,
	"from as a string": `{"v":1,"agent":"gate-017","jid":"` + testJID +
		`","from":"7","to":7,"crc32c":"00000000","records":[]}`,
	"ahead of two seqs": `{"v":1,"agent":"gate-017","jid":"` + testJID +
		`","from":7,"to":8,"ahead":true,"crc32c":"00000000","records":[]}`,
	"ahead with a hole": `{"v":1,` + header +
		`,"ahead":true,"holes":[{"from":7,"to":7,"reason":"damaged","count":1}],"records":[]}`,
	"something after it":     `{"v":1,` + header + `,"records":[]}}`,
	"cut off":                `{"v":1,` + header + `,"records":[{"seq":7`,
	"a thousand open braces": strings.Repeat("{", 1000),
}
