package wire

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
)

// Envelope is a batch whose records are not read yet, so that its signature can be
// verified before.
type Envelope struct{ header batchHeader }

// OpenBatch reads all of a message but its records, and finds out whether it arrived
// whole. Its errors are those of DecodeBatch. The envelope shares payload's memory.
func OpenBatch(payload []byte) (Envelope, error) {
	if h, ok := quickHeader(payload); ok {
		return Envelope{h}, nil
	}
	h, err := decodeHeader(payload)
	if err != nil {
		return Envelope{}, fmt.Errorf("%w: %w", ErrBatch, err)
	}
	if h.CRC != sum(h.JID, h.Records) {
		return Envelope{}, ErrCRC
	}
	return Envelope{h}, nil
}

// quickHeader is decodeHeader for a message that EncodeBatch wrote and that is whole. ok
// is false for every other one.
func quickHeader(payload []byte) (h batchHeader, ok bool) {
	const mark = `,"records":[` // not within a string: its quotes would be escaped
	head, _, found := bytes.Cut(payload, []byte(mark))
	if !found || len(payload) > MaxMessageBytes || !bytes.HasSuffix(payload, []byte("]}")) {
		return h, false
	}
	if json.Unmarshal(append(bytes.Clone(head), '}'), &h) != nil || h.Records != nil {
		return h, false
	}
	h.Records = payload[len(head)+len(mark)-1 : len(payload)-1]
	return h, h.check() == nil && h.CRC == sum(h.JID, h.Records)
}

// Agent returns the agent that the batch names.
func (e Envelope) Agent() string { return e.header.Agent }

// Verify returns ErrUnsigned or ErrForeign unless key signed the batch. A nil key fits
// nothing.
func (e Envelope) Verify(county string, key *ecdsa.PublicKey) error {
	if e.header.Sig == "" {
		return ErrUnsigned
	}
	reasons := make([]string, 0, len(e.header.Holes))
	for _, h := range e.header.Holes {
		reasons = append(reasons, h.Reason)
	}
	return verifyAgent(e.text(county), e.header.Sig, key, reasons...)
}

func (e Envelope) text(county string) []byte {
	records := sha256.Sum256(e.header.Records)
	return batchText(e.header.batch(0), county, records[:])
}

// Batch reads the records. Its errors are those of DecodeBatch, except ErrCRC.
func (e Envelope) Batch() (Batch, error) {
	if b, ok := e.header.quickRecords(); ok {
		return b, nil
	}
	return e.header.records()
}
