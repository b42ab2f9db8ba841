package prove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/proof/ledger"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
)

// gateDiskFull fills an agent's disk in two steps while the county is away: so
// far that device health is shed, and completely.
func fillGateDisk(ctx context.Context, r *rig) error {
	r.chaos.Set(faults.Line{Cut: true})
	r.wait(ctx, time.Second)
	dir := r.journalDir(r.gates[0].ID)
	little, nothing := filepath.Join(dir, "filler-1"), filepath.Join(dir, "filler-2")
	if err := fill(little, 200<<10); err != nil { // of 512 KiB, below which shedding begins
		return err
	}
	if err := r.checkHealthShedFirst(ctx); err != nil {
		return err
	}
	if err := fill(nothing, 16<<10); err != nil {
		return err
	}
	r.wait(ctx, 5*time.Second)
	before := r.parsed()
	r.wait(ctx, 2*time.Second)
	if r.parsed() == before {
		return errors.New("with a full disk the gate no longer reads")
	}
	for _, path := range []string{little, nothing} {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	r.wait(ctx, 2*time.Second)
	r.chaos.Set(faults.Line{})
	if err := r.awaitAlert(ctx, "journal-write-failed"); err != nil {
		return err
	}
	return r.checkWarnedFirst(ctx)
}

// healthGoesFirst pulls a device while there is little room: its health records
// are shed, and every reading is kept.
func (r *rig) checkHealthShedFirst(ctx context.Context) error {
	gate := r.gates[0].ID
	r.wait(ctx, 1500*time.Millisecond) // the agent looks every second
	v, err := journal.Look(r.journalDir(gate))
	if err != nil {
		return err
	}
	from := v.Last + 1
	v.Close()
	begin, err := ledger.Read(r.ledger(gate)) // later: what is counted from here on is written from there on
	if err != nil {
		return err
	}
	for _, change := range []func(string) error{r.hw[0].Unplug, r.hw[0].Plug} {
		if err := change("reader-in"); err != nil {
			return err
		}
		r.wait(ctx, 2*time.Second)
	}
	end, err := ledger.Read(r.ledger(gate))
	if err != nil {
		return err
	}
	retry.Sleep(ctx, 200*time.Millisecond) // what was counted is written by then
	v, err = journal.Look(r.journalDir(gate))
	if err != nil {
		return err
	}
	defer v.Close()
	kept, shed, health := map[Sum]bool{}, uint64(0), 0
	for next := from; next <= v.Last; {
		c, err := v.Read(next, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil {
			return err
		}
		for _, h := range c.Holes {
			shed += h.Count
		}
		for _, e := range c.Entries {
			switch e.Record.Kind {
			case wire.KindReading:
				kept[sumOf(e.Record.Body)] = true
			case wire.KindHealth:
				health++
			}
		}
		next = c.To + 1
	}
	missing := len(slices.DeleteFunc(slices.Clone(end.Sums[begin.N:]), func(s Sum) bool { return kept[s] }))
	switch {
	case health > 0 || shed == 0:
		return fmt.Errorf("with little room %d health records are kept and %d records are shed", health, shed)
	case missing > 0 || len(kept) == 0:
		return fmt.Errorf("with little room %d readings are kept and %d are not", len(kept), missing)
	}
	r.note("with little room %d records of health were shed and %d readings kept", shed, len(kept))
	return nil
}

// warnedInTime checks that the desk heard of little room before anything could
// not be kept.
func (r *rig) checkWarnedFirst(ctx context.Context) error {
	if err := r.awaitAlert(ctx, "journal-disk-low"); err != nil {
		return err
	}
	all, err := entries(r.journalDir(r.gates[0].ID))
	if err != nil {
		return err
	}
	raised := func(typ fact.AlarmType) int {
		return slices.IndexFunc(all, func(rec wire.Record) bool {
			body, err := rec.DecodeBody()
			if err != nil {
				return false
			}
			a, ok := body.(*wire.Alarm)
			return ok && a.Type == typ && a.State == fact.AlarmRaised
		})
	}
	if low, failed := raised(fact.AlarmJournalDiskLow), raised(fact.AlarmJournalWrite); low < 0 || failed < low {
		return fmt.Errorf("the alarm of little room is record %d, that of lost ones %d", low, failed)
	}
	return nil
}
