package influx

import (
	"encoding/base64"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// recordsMeasurement has the bytes of records, many in a point: the records from
// seq from to seq to of a journal, without a gap, as a JSON array, compressed with
// zstd, in base64.
const (
	recordsMeasurement = "records"
	fieldFrom          = "from"
	fieldTo            = "to"
	fieldRaw           = "raw" // in points of earlier versions: the record's own bytes
)

// A point of records is written under a time that tells it from every other one of
// its journal: the first record's, rounded down to cutSpan, plus its first seq
// (modulo 2^22) and the number of its records. So a batch that is cut anew when it
// is sent again, or whose first record has the time of another batch's, never
// replaces a point; who reads drops what comes twice. A tag would do the same, and
// fill the index.
const (
	cutSpan  = 1 << 30 // nanoseconds, a little more than a second
	cutCount = 8       // bits for the number of records, of which a batch has 256 at most
)

func cutTime(first time.Time, from, to uint64) time.Time {
	return time.Unix(0, first.UnixNano()&^(cutSpan-1)|int64(from<<cutCount|(to-from))&(cutSpan-1))
}

// packer compresses records. Its methods are for one goroutine at a time.
type packer struct {
	zip    *zstd.Encoder
	packed []byte
}

// addBatch adds points with the bytes of entries of a batch: one where the seqs
// have no gap.
func (p *packer) addBatch(to *lines, county string, b store.Batch, entries []wire.Entry) error {
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n].Record.Seq == entries[n-1].Record.Seq+1 {
			n++
		}
		if err := p.add(to, county, b, entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

func (p *packer) add(to *lines, county string, b store.Batch, entries []wire.Entry) error {
	if p.zip == nil {
		var err error
		p.zip, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		if err != nil {
			return fmt.Errorf("compress records: %w", err)
		}
	}
	p.packed = p.zip.EncodeAll(wire.Join(entries), p.packed[:0])
	from, last := entries[0].Record.Seq, entries[len(entries)-1].Record.Seq
	h, err := headOf(recordsMeasurement, tag{"agent", b.Agent}, tag{"community", b.Place.Community},
		tag{"compound", b.Place.Compound}, tag{"county", county}, tag{"grid", b.Place.Grid}, tag{"journal", b.JID})
	if err != nil {
		return err
	}
	to.add(h, cutTime(entries[0].Record.At.Time, from, last), func(x *point) {
		x.count(fieldFrom, int64(from))
		x.count(fieldTo, int64(last))
		x.text(fieldRaw, base64.StdEncoding.EncodeToString(p.packed))
	})
	return nil
}

// mostUnpacked bounds the records of one point: a batch has 64 KiB of them, and one
// record may have 48.
const mostUnpacked = 2 * wire.MaxMessageBytes

// unpack returns the records of a point.
func unpack(zip *zstd.Decoder, raw string) ([]store.Row, error) {
	packed, err := base64.StdEncoding.DecodeString(raw)
	if err != nil {
		return nil, err
	}
	joined, err := zip.DecodeAll(packed, nil)
	if err != nil {
		return nil, err
	}
	records, err := wire.Split(joined)
	if err != nil {
		return nil, err
	}
	var rows []store.Row
	for _, b := range records {
		row, err := rowOf(b)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func rowOf(raw []byte) (store.Row, error) {
	r, err := wire.DecodeRecord(raw)
	return store.Row{Seq: r.Seq, At: r.At.Time, Kind: r.Kind, Raw: raw}, err
}
