package prove

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
)

// slowDisks are faults of disks that do not answer for long, and of one that turns
// read-only.
func slowDisks() []Fault {
	return []Fault{{
		Row:    50,
		Name:   "slow-disk",
		What:   fmt.Sprintf("each write and fsync of an agent's journal takes %s", diskHangs),
		Expect: "the gate goes on deciding, nobody waits a second; afterwards everything is written, in order",
		slow:   true,
		inject: hangDisk,
	}, {
		Row:  51,
		Name: "county-disk-read-only",
		What: "the file system of the collector finds an error and turns read-only; the collector is stopped, " +
			"the disk checked and mounted again",
		Expect:  "nothing is acknowledged meanwhile, and the collector says why",
		prepare: func(ctx context.Context, r *rig) error { return r.onDisk(ctx, r.countyDir()) },
		inject:  turnReadOnly,
	}}
}

// diskHangs is how long a call takes, such as on an SD card that cleans up.
const diskHangs = 30 * time.Second

// hangDisk lets the calls of the first agent hang that write to its journal.
func hangDisk(ctx context.Context, r *rig) error {
	a, from := r.agents[0], time.Now()
	inject := fmt.Sprintf("pwrite64,fsync:delay_enter=%d", diskHangs.Microseconds())
	before := r.parsed()
	if err := faults.Inject(ctx, a.pid(), "pwrite64,fsync", inject, diskHangs+2*time.Second); err != nil {
		return err
	}
	to, read := time.Now(), r.parsed()-before
	if err := printedBy(a, "disk does not answer"); err != nil {
		return err
	}
	r.wait(ctx, 5*time.Second) // until the journal has taken what waited
	all, err := entries(r.journalDir(r.gates[0].ID))
	if err != nil {
		return err
	}
	passages, slowest := 0, time.Duration(0)
	for _, rec := range all {
		body, err := rec.DecodeBody()
		p, ok := body.(*wire.Passage)
		if err == nil && ok && rec.At.After(from) && rec.At.Before(to) {
			passages, slowest = passages+1, max(slowest, time.Duration(p.LatencyUS)*time.Microsecond)
		}
	}
	r.note("%d readings and %d verdicts while the disk hung, the slowest after %.2f s", read, passages,
		slowest.Seconds())
	switch {
	case read < 30 || passages < 3:
		return fmt.Errorf("the gate took %d readings and decided %d times while its disk hung", read, passages)
	case slowest > time.Second:
		return fmt.Errorf("a verdict came after %s", slowest)
	}
	return r.awaitAlert(ctx, fact.AlarmJournalWrite)
}

// turnReadOnly makes the file system of the county's disk find an error.
func turnReadOnly(ctx context.Context, r *rig) error {
	if err := r.disk.Fail(ctx); err != nil {
		return err
	}
	if _, err := r.awaitOutput(ctx, r.collector, "nothing is acknowledged until it does", 20*time.Second); err != nil {
		return err
	}
	before, _ := r.claims()
	r.wait(ctx, 3*time.Second)
	after, _ := r.claims()
	for jid, through := range after {
		if through > before[jid] {
			return fmt.Errorf("journal %s was acknowledged up to %d, then %d, on a read-only disk", jid,
				before[jid], through)
		}
	}
	waited := r.backlog(ctx)
	r.collector.end(syscall.SIGTERM, 10*time.Second)
	if err := r.disk.Repair(ctx); err != nil {
		return err
	}
	if waited == 0 {
		return errors.New("no record waited")
	}
	r.note("%d records waited", waited)
	return r.collector.start()
}
