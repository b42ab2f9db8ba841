package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// Limits of a batch. A sender keeps its records to MaxBatchBytes; a header that
// is full of holes may come on top, so that a receiver takes messages of up to
// MaxMessageBytes.
const (
	MaxBatchRecords = 256
	MaxBatchBytes   = 64 << 10
	MaxMessageBytes = 128 << 10
	MaxRecordBytes  = 48 << 10
	MaxWindow       = 4 // batches in flight from one agent
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Hole is a range of seqs that will never arrive, with the reason. It travels
// in the batch header and counts as committed: it is a row on the desk.
type Hole struct {
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Reason string `json:"reason"` // code; see WIRE.md
	Count  uint64 `json:"count"`  // records lost; equals To-From+1
}

// Entry is one record of a batch, decoded and as its bytes.
type Entry struct {
	Record Record
	Raw    []byte // exactly as the journal wrote them

	body Body // as DecodeBatch has read it; or nil
}

// Body returns the record's body, which nobody may change: it is read only once.
// The error is that of Record.DecodeBody.
func (e Entry) Body() (Body, error) {
	if e.body != nil {
		return e.body, nil
	}
	return e.Record.DecodeBody()
}

// Batch is a message on …/records: records From to To of one journal, without the
// Holes. Ahead marks a single alarm that overtakes the
// backlog; it moves no watermark.
type Batch struct {
	Agent   string // whose journal it is; equals the topic's
	JID     string // the journal, a UUID
	From    uint64 // first seq covered by records and holes
	To      uint64 // last seq covered
	Holes   []Hole
	Ahead   bool
	Sig     string  // of the agent, made by SignBatch; empty: it is not signed
	Entries []Entry // rising seq
	Bad     []Bad   // records that can't be decoded; they belong into quarantine
}

// Bad is a record inside a sound batch that can't be read or must not be
// believed.
type Bad struct {
	Seq    uint64 // 0 when even that is unknown
	Raw    []byte
	Reason string
}

type batchHeader struct {
	V       int             `json:"v"`
	Agent   string          `json:"agent"`
	JID     string          `json:"jid"`
	From    uint64          `json:"from"`
	To      uint64          `json:"to"`
	Holes   []Hole          `json:"holes,omitempty"`
	Ahead   bool            `json:"ahead,omitempty"`
	CRC     string          `json:"crc32c"` // see sum
	Sig     string          `json:"sig,omitempty"`
	Records json.RawMessage `json:"records"`
}

// ErrBatch means that a message is not a batch. All of it belongs into quarantine.
var ErrBatch = errors.New("bad batch")

// ErrCRC means that a batch was damaged on its way and must be sent again.
var ErrCRC = errors.New("batch damaged in flight: crc32c differs")

// EncodeBatch returns the message for b. Entries carry their bytes; Bad is not
// encoded.
func EncodeBatch(b Batch) ([]byte, error) {
	records := Join(b.Entries)
	head, err := marshal(batchHeader{
		V: 1, Agent: b.Agent, JID: b.JID, From: b.From, To: b.To, Holes: b.Holes, Ahead: b.Ahead,
		CRC: sum(b.JID, records), Sig: b.Sig, Records: json.RawMessage("0"),
	})
	if err != nil {
		return nil, err
	}
	// The records are put in by hand: encoding/json would compact them, and
	// their bytes are what is hashed.
	head = bytes.TrimSuffix(head, []byte("0}"))
	return slices.Concat(head, records, []byte{'}'}), nil
}

// Join returns the bytes of records as a JSON array; Split takes it apart.
func Join(entries []Entry) []byte {
	size := 2
	for _, e := range entries {
		size += len(e.Raw) + 1
	}
	records := make([]byte, 0, size)
	records = append(records, '[')
	for i, e := range entries {
		if i > 0 {
			records = append(records, ',')
		}
		records = append(records, e.Raw...)
	}
	return append(records, ']')
}

// Split returns the bytes of each record that Join has joined.
func Split(records []byte) ([][]byte, error) { return items(records) }

// sum is the CRC-32C (RFC 3720) of the jid's characters and then the bytes of
// records, brackets included.
func sum(jid string, records []byte) string {
	return fmt.Sprintf("%08x", crc32.Update(crc32.Checksum([]byte(jid), castagnoli), castagnoli, records))
}

// DecodeBatch reads a message; the entries share payload's memory. It fails
// with ErrCRC when the message was damaged, and with ErrBatch when it is no
// batch. A record that can't be read does not fail the batch: it is listed in
// Bad.
func DecodeBatch(payload []byte) (Batch, error) {
	e, err := OpenBatch(payload)
	if err != nil {
		return Batch{}, err
	}
	return e.Batch()
}

// records reads the records, of any form.
func (h *batchHeader) records() (Batch, error) {
	raws, err := items(h.Records)
	if err == nil && len(raws) > MaxBatchRecords {
		err = fmt.Errorf("%d in one batch, more than %d", len(raws), MaxBatchRecords)
	}
	if err != nil {
		return Batch{}, fmt.Errorf("%w: records: %w", ErrBatch, err)
	}
	b := h.batch(len(raws))
	for _, raw := range raws {
		b.take(raw)
	}
	if err := b.covered(); err != nil {
		return Batch{}, fmt.Errorf("%w: %w", ErrBatch, err)
	}
	return b, nil
}

// decodeHeader reads what is not a record.
func decodeHeader(payload []byte) (h batchHeader, err error) {
	if len(payload) > MaxMessageBytes {
		return h, fmt.Errorf("%d bytes, more than %d", len(payload), MaxMessageBytes)
	}
	records, rest, err := cut(payload, "records")
	if err != nil {
		return h, err
	}
	if err := json.Unmarshal(rest, &h); err != nil {
		return h, err
	}
	h.Records = records
	return h, h.check()
}

// batch returns the batch of this header, with room for n records.
func (h *batchHeader) batch(n int) Batch {
	return Batch{Agent: h.Agent, JID: h.JID, From: h.From, To: h.To, Holes: h.Holes, Ahead: h.Ahead,
		Sig: h.Sig, Entries: make([]Entry, 0, n)}
}

func (h *batchHeader) check() error {
	switch {
	case h.V != 1:
		return fmt.Errorf("version %d: only version 1 is known", h.V)
	case CheckID(h.Agent) != nil:
		return fmt.Errorf("agent: %w", CheckID(h.Agent))
	case h.Agent == CollectorID:
		return fmt.Errorf("agent: %q is the collector's own name", h.Agent)
	case !validJID(h.JID):
		return fmt.Errorf("jid %.40q is not a UUID", h.JID)
	case h.From == 0 || h.To < h.From || h.To > MaxSeq:
		return fmt.Errorf("from %d to %d is no range", h.From, h.To)
	case len(h.CRC) != 8:
		return fmt.Errorf("crc32c %.20q is not 8 hexadecimal digits", h.CRC)
	case len(h.Records) == 0 || h.Records[0] != '[':
		return errors.New("records are missing")
	case h.Ahead && (h.From != h.To || len(h.Holes) > 0):
		return errors.New("a batch that goes ahead holds one record")
	}
	return nil
}

// validJID takes the canonical lower-case form of a UUID only.
func validJID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// take reads one record, checks it and its body, and adds it to Entries or Bad.
func (b *Batch) take(raw []byte) {
	r, err := DecodeRecord(raw)
	if err == nil && (r.Seq < b.From || r.Seq > b.To) {
		err = fmt.Errorf("seq %d is outside the batch's %d to %d", r.Seq, b.From, b.To)
	}
	if err == nil && len(raw) > MaxRecordBytes {
		err = fmt.Errorf("record of %d bytes is longer than %d", len(raw), MaxRecordBytes)
	}
	var body Body
	if err == nil {
		body, err = r.DecodeBody()
	}
	if err != nil {
		b.Bad = append(b.Bad, Bad{Seq: r.Seq, Raw: raw, Reason: err.Error()})
		return
	}
	b.Entries = append(b.Entries, Entry{r, raw, body})
}

// covered checks that records, unreadable records and holes account for every
// seq from From to To exactly once, so that none is lost unnoticed. A bad record
// whose seq is unknown accounts for any one seq.
func (b *Batch) covered() error {
	spans := make([][2]uint64, 0, len(b.Entries)+len(b.Bad)+len(b.Holes))
	unknown := uint64(0)
	for i, e := range b.Entries {
		if i > 0 && e.Record.Seq < b.Entries[i-1].Record.Seq {
			return fmt.Errorf("seq %d comes after %d", e.Record.Seq, b.Entries[i-1].Record.Seq)
		}
		spans = append(spans, [2]uint64{e.Record.Seq, e.Record.Seq})
	}
	for i, bad := range b.Bad {
		if bad.Seq < b.From || bad.Seq > b.To {
			b.Bad[i].Seq = 0
			unknown++
			continue
		}
		spans = append(spans, [2]uint64{bad.Seq, bad.Seq})
	}
	for _, h := range b.Holes {
		if h.From < b.From || h.To > b.To || h.To < h.From || h.Count != h.To-h.From+1 {
			return fmt.Errorf("hole %d to %d (%d) does not fit", h.From, h.To, h.Count)
		}
		spans = append(spans, [2]uint64{h.From, h.To})
	}
	slices.SortFunc(spans, func(x, y [2]uint64) int { return cmp.Compare(x[0], y[0]) })
	n, last := unknown, b.From-1
	for _, s := range spans {
		if s[0] <= last {
			return fmt.Errorf("seq %d comes twice", s[0])
		}
		n, last = n+s[1]-s[0]+1, s[1]
	}
	if want := b.To - b.From + 1; n != want {
		return fmt.Errorf("%d records and holes for %d seqs", n, want)
	}
	return nil
}
