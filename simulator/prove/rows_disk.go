package prove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gatehouse/simulator/faults"
)

// disks are faults of disks: full, failing, damaged or without power.
func disks() []Fault {
	return []Fault{
		powerCutGateRow(),
		powerCutCountyRow(),
		gateDiskFullRow(),
		countyDiskFullRow(),
		fsyncFailsRow(),
		writeFailsRow(),
		bitRotRow(),
	}
}

func powerCutGateRow() Fault {
	return Fault{
		Row:    5,
		Name:   "power-cut-gate",
		What:   "the power of a gate's computer is cut: its disk is what the kernel had written",
		Expect: "only what is younger than the fsync interval is missing, and is counted",
		holes:  true,
		prepare: func(ctx context.Context, r *rig) error {
			return r.onDisk(ctx, r.journalDir(r.gates[0].ID))
		},
		inject: cutGatePower,
	}
}

func powerCutCountyRow() Fault {
	return Fault{
		Row:     6,
		Name:    "power-cut-county",
		What:    "the power of the collector's computer is cut",
		Expect:  "all that was acknowledged is there",
		prepare: func(ctx context.Context, r *rig) error { return r.onDisk(ctx, r.countyDir()) },
		inject:  cutCountyPower,
	}
}

func gateDiskFullRow() Fault {
	return Fault{
		Row:    16,
		Name:   "gate-disk-full",
		What:   "an agent's disk of 4 MiB fills up with the line cut",
		Expect: "an alarm before anything is shed; health goes first, each as a recorded hole",
		holes:  true,
		slow:   true,
		prepare: func(_ context.Context, r *rig) error {
			unmount, err := faults.Memory(r.journalDir(r.gates[0].ID), 4<<10)
			if err == nil {
				r.undo = append(r.undo, unmount)
			}
			return err
		},
		inject: fillGateDisk,
	}
}

func countyDiskFullRow() Fault {
	return Fault{
		Row:    17,
		Name:   "county-disk-full",
		What:   "the disk of collector and broker is full",
		Expect: "nothing is acknowledged until it has room",
		slow:   true,
		prepare: func(_ context.Context, r *rig) error {
			r.brokerDir = filepath.Join(r.countyDir(), "broker")
			unmount, err := faults.Memory(r.countyDir(), 24<<10)
			if err == nil {
				r.undo = append(r.undo, unmount)
			}
			return err
		},
		inject: fillCountyDisk,
	}
}

func fsyncFailsRow() Fault {
	return Fault{
		Row:    18,
		Name:   "fsync-fails",
		What:   "every fsync of an agent fails with EIO for a while",
		Expect: "a new segment, the records written again, an alarm",
		inject: func(ctx context.Context, r *rig) error {
			a := r.agents[0]
			if err := faults.Inject(ctx, a.pid(), "fsync", "fsync:error=EIO", 3*time.Second); err != nil {
				return err
			}
			return r.awaitAlert(ctx, "journal-sync-failed")
		},
	}
}

func writeFailsRow() Fault {
	return Fault{
		Row:    19,
		Name:   "write-fails",
		What:   "writes of an agent fail now and then with ENOSPC",
		Expect: "no phantom record, each a recorded hole",
		holes:  true,
		inject: func(ctx context.Context, r *rig) error {
			return faults.Inject(ctx, r.agents[0].pid(), "pwrite64", "pwrite64:error=ENOSPC:when=3+5",
				5*time.Second)
		},
	}
}

func bitRotRow() Fault {
	return Fault{
		Row:    20,
		Name:   "bit-rot",
		What:   "a byte of the unacknowledged journal flips while its agent is down",
		Expect: "the start succeeds, what is damaged is a recorded hole",
		holes:  true,
		inject: flipBit,
	}
}

// fill fills the disk with a file, except for spare bytes.
func fill(path string, spare int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	b := make([]byte, 4<<10)
	size := int64(0)
	for {
		n, err := f.Write(b)
		size += int64(n)
		if errors.Is(err, syscall.ENOSPC) {
			return f.Truncate(max(0, size-spare))
		}
		if err != nil {
			return err
		}
	}
}

func fillCountyDisk(ctx context.Context, r *rig) error {
	filler := filepath.Join(r.countyDir(), "filler")
	if err := fill(filler, 0); err != nil {
		return err
	}
	if _, err := r.awaitOutput(ctx, r.collector, "nothing is acknowledged until it does", 15*time.Second); err != nil {
		return err
	}
	r.wait(ctx, 4*time.Second)
	waiting := r.backlog(ctx)
	if waiting == 0 {
		return errors.New("the disk is full and no record waits")
	}
	r.note("%d records waited", waiting)
	return os.Remove(filler)
}

// flipBit flips a bit in one of the last records of a journal, which are not
// stored yet.
func flipBit(ctx context.Context, r *rig) error {
	r.chaos.Set(faults.Line{Cut: true})
	r.wait(ctx, 3*time.Second)
	r.agents[0].kill()
	segments, err := filepath.Glob(filepath.Join(r.journalDir(r.gates[0].ID), "*.seg"))
	if err != nil {
		return err
	}
	if len(segments) == 0 {
		return errors.New("there is no segment to damage")
	}
	path := segments[len(segments)-1]
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const header, end = 44, 1000 // the end could be torn as well
	from := max(header, len(b)-end-1500)
	if len(b)-end <= from {
		return fmt.Errorf("%s holds %d bytes: too few records waited", path, len(b))
	}
	at := from + r.rnd.IntN(len(b)-end-from)
	b[at] ^= 1 << r.rnd.IntN(8)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return err
	}
	if err := r.agents[0].start(); err != nil {
		return err
	}
	r.wait(ctx, time.Second)
	r.chaos.Set(faults.Line{})
	return r.awaitAlert(ctx, "journal-damaged")
}
