package prove

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
)

// onDisk mounts a disk of its own on a folder.
func (r *rig) onDisk(ctx context.Context, dir string) (err error) {
	r.disk, err = faults.NewDisk(ctx, filepath.Join(r.Dir, "disk.img"), dir, 32)
	if err == nil {
		r.undo = append(r.undo, func() { r.disk.Unmount() })
	}
	return err
}

// cutLoss are the records that a journal lost in a power cut.
type cutLoss struct {
	readings []Sum
	oldest   time.Duration // age of the oldest lost record
}

// image is a copy of a disk.
type image struct {
	path  string
	boot  time.Duration     // when it was made, since boot
	acked map[string]uint64 // what was acknowledged then, by journal
}

// copyDisk copies the disk while a process is stopped. The process continues
// afterwards if goOn is true.
func (r *rig) copyDisk(ctx context.Context, p *process, n int, goOn bool) (image, error) {
	i := image{path: filepath.Join(r.Dir, fmt.Sprintf("disk-%d.img", n)), acked: r.listener.acknowledged()}
	p.signal(syscall.SIGSTOP)
	i.boot = bootClock()
	err := r.disk.Copy(ctx, i.path)
	if goOn {
		p.signal(syscall.SIGCONT)
	}
	return i, err
}

// cutGatePower cuts the power six times, and continues with what the last cut
// left.
func cutGatePower(ctx context.Context, r *rig) error {
	a, dir := r.agents[0], r.journalDir(r.gates[0].ID)
	var images []image
	var oldest time.Duration
	const cuts = 6
	for n := range cuts {
		retry.Sleep(ctx, time.Duration(200+r.rnd.IntN(1200))*time.Millisecond)
		if n > 0 { // the worst moment: a reading is written and its fsync has not begun
			for before := r.parsed(); r.parsed() == before && retry.Sleep(ctx, time.Millisecond); {
			}
			retry.Sleep(ctx, time.Duration(2+r.rnd.IntN(8))*time.Millisecond)
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
			r.violated("power cut %d: %v", n, err)
		}
		if last {
			r.disk = d
			for _, s := range took.readings {
				r.knownLost[s] = true
			}
			r.note("%d cuts; %d readings lost in the last", cuts, len(took.readings))
		} else {
			d.Unmount()
		}
		oldest = max(oldest, took.oldest)
	}
	r.note("the oldest record lost in any was %d ms old", oldest.Milliseconds())
	return a.start()
}

// unsynced is the age up to which a power cut may lose a record: the fsync
// interval of 20 ms, and the fsync itself, which is slow on a loaded machine.
const unsynced = 20*time.Millisecond + 250*time.Millisecond

// missing compares what a cut left with all records that had been written.
func (i image) missing(dir string, whole []wire.Record) (cutLoss, error) {
	var c cutLoss
	left, err := entries(dir)
	if err != nil {
		return c, err
	}
	v, err := journal.Look(dir)
	if err != nil {
		return c, err
	}
	acked := i.acked[v.JID]
	v.Close()
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
		case age > unsynced:
			return c, fmt.Errorf("seq %d was %s old and is lost", rec.Seq, age)
		case rec.Seq <= acked:
			return c, fmt.Errorf("seq %d was acknowledged and is lost: it was sent before it was durable", rec.Seq)
		}
		c.oldest = max(c.oldest, age)
		if rec.Kind == wire.KindReading {
			c.readings = append(c.readings, sumOf(rec.Body))
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

// cutCountyPower cuts the collector's power four times, and continues with what
// the last cut left.
func cutCountyPower(ctx context.Context, r *rig) error {
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
		if err := checkStore(ctx, at, i.acked); err != nil {
			r.violated("power cut %d: %v", n, err)
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
