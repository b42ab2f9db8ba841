package ship

import (
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

const (
	witnessEvery = time.Hour   // a new head of the county's audit is kept after this,
	witnessSoon  = time.Minute // or after this if the collector or the connection is another one
)

// witness keeps heads of the county's audit.
type witness struct {
	keep   func(wire.AuditHead) error // journals a head; nil: none is kept
	newest wire.AuditHead             // of the last status; N is 0 before
	kept   string                     // hash of the head that was kept last; empty: none was
	at     time.Duration              // boot clock: when
	anew   bool                       // the collector or the connection is another one since then
	warned bool                       // of a head that is not signed
}

// head takes the head of the county's audit that a signed status has; nil: it has none.
func (d *delivery) head(now clock.Moment, h *wire.AuditHead) {
	w := &d.witness
	switch {
	case w.keep == nil || h == nil || h.N == 0:
		return
	case h.County != d.county || h.Verify(d.collectorKey) != nil:
		if !w.warned {
			d.log.Warn("the head of the county's audit is not signed by the key in collector_key: it is not kept")
		}
		w.warned = true
		return
	}
	w.warned, w.newest = false, *h
	w.look(now)
}

// look keeps the newest head if it is due: at each connect, and at most once an hour
// besides. So a gate holds what the county can't change any more, and holds little of it.
func (w *witness) look(now clock.Moment) {
	wait := witnessEvery
	if w.anew {
		wait = witnessSoon
	}
	if w.newest.N == 0 || w.newest.Hash == w.kept || w.kept != "" && now.Boot-w.at < wait {
		return
	}
	if w.keep(w.newest) == nil { // else the journal has said why, and the next second comes
		w.kept, w.at, w.anew = w.newest.Hash, now.Boot, false
	}
}
