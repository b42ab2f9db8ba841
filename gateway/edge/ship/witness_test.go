package ship

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// heads lets a world's agent keep heads, whose numbers it adds to the list that it returns.
func (w *world) heads(fails *bool) *[]uint64 {
	kept := &[]uint64{}
	w.witness.keep = func(h wire.AuditHead) error {
		if *fails {
			return errors.New("disk full")
		}
		*kept = append(*kept, h.N)
		return nil
	}
	return kept
}

// says lets the collector publish a status with the head of an audit; key signs the head.
func (w *world) says(t *testing.T, n uint64, key ed25519.PrivateKey, county string) {
	t.Helper()
	at := wire.At(time.Unix(1e9, 0))
	h := wire.SignAuditHead(wire.AuditHead{County: county, Store: w.c.store, N: n, At: at,
		Hash: strings.Repeat(fmt.Sprintf("%02x", n), 32)}, key)
	st := wire.CollectorStatus{V: 1, State: fact.Online, At: at, Start: fmt.Sprint("start-", w.c.start),
		Store: w.c.store, Term: 1, Audit: &h}
	payload, err := wire.Encode(wire.SignCollectorStatus(st, "county", w.c.key))
	if err != nil {
		t.Fatal(err)
	}
	w.collector(w.now, payload)
}

func TestAnAgentKeepsTheHeadOfTheAuditAtAConnectAndOnceAnHour(t *testing.T) {
	w, fails := newWorld(), false
	kept := w.heads(&fails)
	expect := func(what string, want ...uint64) {
		t.Helper()
		if !slices.Equal(*kept, want) {
			t.Errorf("%s: %v, want %v", what, *kept, want)
		}
	}
	w.up(w.now)
	w.says(t, 5, w.c.key, "county")
	w.says(t, 5, w.c.key, "county")
	expect("the same head twice", 5)
	w.pass(10 * time.Second)
	w.says(t, 6, w.c.key, "county")
	expect("another one at once", 5)
	w.pass(time.Hour)
	expect("an hour later", 5, 6)
	w.says(t, 7, w.c.key, "county")
	w.c.start++ // the collector was started again
	w.says(t, 8, w.c.key, "county")
	expect("within a minute", 5, 6)
	w.pass(time.Minute)
	expect("of a collector that was started again", 5, 6, 8)
	w.pass(time.Minute)
	w.down(w.now, nil)
	w.up(w.now)
	fails = true
	w.says(t, 9, w.c.key, "county")
	expect("while the disk is full", 5, 6, 8)
	fails = false
	w.pass(time.Second)
	expect("when it is not any more", 5, 6, 8, 9)
}

func TestAnAgentKeepsNoForgedHead(t *testing.T) {
	w, fails := newWorld(), false
	kept := w.heads(&fails)
	_, other, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.up(w.now)
	w.says(t, 5, other, "county")
	w.says(t, 5, w.c.key, "another")
	w.says(t, 0, w.c.key, "county")
	if len(*kept) != 0 {
		t.Errorf("kept %v", *kept)
	}
	if w.greeting.announced == "" || len(w.troubles) != 0 {
		t.Errorf("the rest of the status does not count: %v", w.troubles)
	}
}
