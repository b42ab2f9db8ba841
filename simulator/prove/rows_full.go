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

// fillGateDisk fills an agent's disk in two steps while the line is cut: first
// until device health is shed, then completely.
func fillGateDisk(ctx context.Context, r *rig) error {
	r.chaos.Set(faults.Line{Cut: true})
	r.wait(ctx, time.Second)
	dir := r.journalDir(r.gates[0].ID)
	little, nothing := filepath.Join(dir, "filler-1"), filepath.Join(dir, "filler-2")
	if err := fill(little, 200<<10); err != nil { // shedding begins below 512 KiB
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
		return errors.New("the gate reads nothing with a full disk")
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

// checkHealthShedFirst unplugs a device while there is little space: its health
// records must be shed, and every reading kept.
func (r *rig) checkHealthShedFirst(ctx context.Context) error {
	gate := r.gates[0].ID
	r.wait(ctx, 1500*time.Millisecond) // the agent looks every second
	v, err := journal.Look(r.journalDir(gate))
	if err != nil {
		return err
	}
	from := v.Last + 1
	v.Close()
	// After Look: what the ledger counts from here on is written after from.
	begin, err := ledger.Read(r.ledger(gate))
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
	retry.Sleep(ctx, 200*time.Millisecond) // until what was counted is written
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
		return fmt.Errorf("with little space %d health records were kept and %d records shed", health, shed)
	case missing > 0 || len(kept) == 0:
		return fmt.Errorf("with little space %d readings were kept and %d were not", len(kept), missing)
	}
	r.note("with little space %d health records were shed and %d readings kept", shed, len(kept))
	return nil
}

// checkWarnedFirst checks that the alarm about little space came before the one
// about lost records.
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
		return fmt.Errorf("the alarm about little space is record %d, that about lost records %d", low, failed)
	}
	return nil
}
