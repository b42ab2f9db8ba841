package prove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
)

// disks are media that fill up, fail, rot or lose their power.
func disks() []Fault {
	return []Fault{
		{Row: 5, Name: "power-cut-gate", What: "the power of a gate's computer is cut: its disk is what the kernel had written", Expect: "only what is younger than the fsync interval is missing, and is counted",
			holes: true, before: func(ctx context.Context, r *rig) error {
				return r.onDisk(ctx, r.journalDir(r.gates[0].ID))
			}, strike: powerCutGate, counted: func(r *rig) int { return r.cut.missing }},
		{Row: 6, Name: "power-cut-county", What: "the power of the collector's computer is cut", Expect: "all that was acknowledged is there",
			before: func(ctx context.Context, r *rig) error { return r.onDisk(ctx, r.countyDir()) }, strike: powerCutCounty},
		{Row: 16, Name: "gate-disk-full", What: "an agent's disk of 4 MiB fills up with the line cut", Expect: "what is shed is a recorded hole: health and tracks first", holes: true,
			before: func(_ context.Context, r *rig) error {
				unmount, err := faults.Memory(r.journalDir(r.gates[0].ID), 4<<10)
				if err == nil {
					r.undo = append(r.undo, unmount)
				}
				return err
			}, strike: gateDiskFull},
		{Row: 17, Name: "county-disk-full", What: "the disk of collector and broker is full", Expect: "nothing is acknowledged until it has room", slow: true,
			before: func(_ context.Context, r *rig) error {
				r.brokerDir = filepath.Join(r.countyDir(), "broker")
				unmount, err := faults.Memory(r.countyDir(), 24<<10)
				if err == nil {
					r.undo = append(r.undo, unmount)
				}
				return err
			}, strike: countyDiskFull},
		{Row: 18, Name: "fsync-fails", What: "every fsync of an agent fails with EIO for a while", Expect: "a new segment, the records written again, an alarm",
			strike: func(ctx context.Context, r *rig) error {
				a := r.agents[0]
				if err := faults.Inject(ctx, a.pid(), "fsync", "fsync:error=EIO", 3*time.Second); err != nil {
					return err
				}
				return r.alerted(ctx, "journal-sync-failed")
			}},
		{Row: 19, Name: "write-fails", What: "writes of an agent fail now and then with ENOSPC", Expect: "no phantom record, each a recorded hole", holes: true,
			strike: func(ctx context.Context, r *rig) error {
				return faults.Inject(ctx, r.agents[0].pid(), "pwrite64", "pwrite64:error=ENOSPC:when=3+5", 5*time.Second)
			}},
		{Row: 20, Name: "bit-rot", What: "a byte of the unacknowledged journal flips while its agent is down", Expect: "the start succeeds, what is damaged is a recorded hole", holes: true, strike: bitRot},
	}
}

// onDisk puts a folder onto a disk of its own, whose power can be cut.
func (r *rig) onDisk(ctx context.Context, dir string) (err error) {
	r.disk, err = faults.NewDisk(ctx, filepath.Join(r.Dir, "disk.img"), dir, 32)
	if err == nil {
		r.undo = append(r.undo, func() { r.disk.Unmount() })
	}
	return err
}

// cut is what a power cut took from a journal.
type cut struct {
	missing int // readings
	oldest  time.Duration
}

// image is a copy of a disk, and how things stood when it was made.
type image struct {
	path   string
	boot   time.Duration // when the process was stopped
	stored uint64        // the store had so much of the journal
	acked  map[string]uint64
}

// copyDisk stops a process for the moment that copying takes.
func (r *rig) copyDisk(ctx context.Context, p *process, n int, goOn bool) (image, error) {
	i := image{path: filepath.Join(r.Dir, fmt.Sprintf("disk-%d.img", n)), acked: r.ears.through()}
	p.signal(syscall.SIGSTOP)
	i.boot = bootClock()
	err := r.disk.Copy(ctx, i.path)
	if goOn {
		p.signal(syscall.SIGCONT)
	}
	return i, err
}

// powerCutGate cuts the power six times, and goes on with what the last cut left.
func powerCutGate(ctx context.Context, r *rig) error {
	a, dir := r.agents[0], r.journalDir(r.gates[0].ID)
	var images []image
	const cuts = 6
	for n := range cuts {
		pause(ctx, time.Duration(200+r.rnd.IntN(1200))*time.Millisecond)
		if n > 0 { // the worst instant: a reading has been written and its fsync has not begun
			for before := r.parsed(0); r.parsed(0) == before && pause(ctx, time.Millisecond); {
			}
			pause(ctx, time.Duration(2+r.rnd.IntN(8))*time.Millisecond)
		}
		i, err := r.copyDisk(ctx, a, n, n < cuts-1)
		if err != nil {
			return err
		}
		images = append(images, i)
	}
	a.kill()
	whole, err := entries(dir)
	if err != nil {
		return err
	}
	r.disk.Unmount()
	for n, i := range images {
		last := n == len(images)-1
		at := dir
		if !last {
			at = filepath.Join(r.Dir, fmt.Sprint("cut-", n))
		}
		d, err := faults.Mounted(ctx, i.path, at)
		if err != nil {
			return err
		}
		took, err := i.missing(at, whole)
		if err != nil {
			r.broken("power cut %d: %v", n, err)
		}
		if last {
			r.disk = d
			r.cut = took
		} else {
			d.Unmount()
		}
		r.cut.oldest = max(r.cut.oldest, took.oldest)
	}
	r.note("%d cuts; %d readings taken by the last; the oldest record taken by any was %d ms old", cuts, r.cut.missing, r.cut.oldest.Milliseconds())
	return a.start()
}

// window is how old a record can be that a power cut takes: the fsync interval
// of 20 ms, and the fsync itself, which takes its time on a loaded machine.
const window = 20*time.Millisecond + 250*time.Millisecond

// missing holds what a cut left against all that had been written.
func (i image) missing(dir string, whole []wire.Record) (cut, error) {
	var c cut
	left, err := entries(dir)
	if err != nil {
		return c, err
	}
	has := map[uint64]string{}
	for _, rec := range left {
		has[rec.Seq] = string(rec.Body)
	}
	for _, rec := range whole {
		age := i.boot - time.Duration(rec.BootNS)
		body, there := has[rec.Seq]
		switch {
		case there && body != string(rec.Body):
			return c, fmt.Errorf("seq %d is another record after the cut", rec.Seq)
		case there || age < 0:
			continue
		case age > window:
			return c, fmt.Errorf("seq %d was %s old and is gone", rec.Seq, age)
		}
		c.oldest = max(c.oldest, age)
		if rec.Kind == wire.KindReading {
			c.missing++
		}
	}
	return c, nil
}

// entries reads all records of a journal.
func entries(dir string) (out []wire.Record, err error) {
	v, err := journal.Look(dir)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	for next := max(v.First, 1); next <= v.Last; {
		c, err := v.Read(next, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil {
			return nil, err
		}
		for _, e := range c.Entries {
			out = append(out, e.Record)
		}
		if c.To < next {
			break
		}
		next = c.To + 1
	}
	return out, nil
}

// powerCutCounty cuts the collector's power four times, and goes on with what
// the last cut left.
func powerCutCounty(ctx context.Context, r *rig) error {
	var images []image
	const cuts = 4
	for n := range cuts {
		r.wait(ctx, time.Duration(500+r.rnd.IntN(1500))*time.Millisecond)
		i, err := r.copyDisk(ctx, r.collector, n, n < cuts-1)
		if err != nil {
			return err
		}
		images = append(images, i)
	}
	r.collector.kill()
	r.disk.Unmount()
	for n, i := range images {
		at := filepath.Join(r.Dir, fmt.Sprint("cut-", n))
		if n == len(images)-1 {
			at = r.countyDir()
		}
		d, err := faults.Mounted(ctx, i.path, at)
		if err != nil {
			return err
		}
		if err := soundStore(ctx, at, i.acked); err != nil {
			r.broken("power cut %d: %v", n, err)
		}
		if n < len(images)-1 {
			d.Unmount()
		} else {
			r.disk = d
		}
	}
	r.note("%d cuts", cuts)
	return r.collector.start()
}

// gateDiskFull fills an agent's disk while the county is away.
func gateDiskFull(ctx context.Context, r *rig) error {
	r.chaos.Set(faults.Line{Cut: true})
	r.wait(ctx, time.Second)
	filler := filepath.Join(r.journalDir(r.gates[0].ID), "filler")
	if err := fill(filler, 16<<10); err != nil {
		return err
	}
	r.wait(ctx, 5*time.Second)
	before := r.parsed(0)
	r.wait(ctx, 2*time.Second)
	if r.parsed(0) == before {
		return errors.New("with a full disk the gate no longer reads")
	}
	if err := os.Remove(filler); err != nil {
		return err
	}
	r.wait(ctx, 2*time.Second)
	r.chaos.Set(faults.Line{})
	return r.alerted(ctx, "journal-write-failed")
}

// fill writes until the disk has no room, less what is spared.
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

func countyDiskFull(ctx context.Context, r *rig) error {
	filler := filepath.Join(r.countyDir(), "filler")
	if err := fill(filler, 0); err != nil {
		return err
	}
	if _, err := r.says(ctx, r.collector, "nothing is acknowledged until it does", 15*time.Second); err != nil {
		return err
	}
	r.wait(ctx, 4*time.Second)
	waiting := r.backlog(ctx)
	if waiting == 0 {
		return errors.New("the disk is full and nothing waits")
	}
	r.note("%d records waited", waiting)
	return os.Remove(filler)
}

// bitRot flips a byte among the last records of a journal that nobody has.
func bitRot(ctx context.Context, r *rig) error {
	r.chaos.Set(faults.Line{Cut: true})
	r.wait(ctx, 3*time.Second)
	r.agents[0].kill()
	segments, err := filepath.Glob(filepath.Join(r.journalDir(r.gates[0].ID), "*.seg"))
	if err != nil || len(segments) == 0 {
		return fmt.Errorf("no segment to damage: %w", err)
	}
	path := segments[len(segments)-1]
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	at := len(b) - 1000 - r.rnd.IntN(1500)
	b[at] ^= 1 << r.rnd.IntN(8)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return err
	}
	if err := r.agents[0].start(); err != nil {
		return err
	}
	r.wait(ctx, time.Second)
	r.chaos.Set(faults.Line{})
	return r.alerted(ctx, "journal-damaged")
}
