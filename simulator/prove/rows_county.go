package prove

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
)

// counties are mistakes of the county's operators, and attacks with its messages.
func counties() []Fault {
	return []Fault{
		{
			Row:  35,
			Name: "two-collectors",
			What: "a copy of the collector's folder is started beside it; later the copy ends and the first is " +
				"started again",
			Expect:       "the one started last acknowledges, the other stops doing so",
			storeForgets: true,
			inject:       runTwoCollectors,
		},
		{
			Row:          36,
			Name:         "store-restored",
			What:         "the store is replaced by a backup that is some seconds old",
			Expect:       "agents send again what it lacks, from their acknowledged records",
			storeForgets: true,
			inject:       restoreStore,
		},
		{
			Row:    37,
			Name:   "journal-deleted",
			What:   "an agent's journal is removed while records wait in it",
			Expect: "a new journal; the loss is counted on the desk",
			inject: deleteJournal,
		},
		{
			Row:    38,
			Name:   "agent-cloned",
			What:   "an agent's disk is copied to a second computer, and both run",
			Expect: "an alarm; the records of both journals are stored",
			gates:  3,
			inject: cloneAgent,
			after:  stopClone,
		},
		{
			Row:  42,
			Name: "acks-replayed",
			What: "every message of the collector is sent again a thousand times while the line is cut, " +
				"retained and forged ones, too",
			Expect: "watermark, store and term of each agent stay",
			inject: replayAcks,
		},
	}
}

// runTwoCollectors starts a copy of the collector beside it.
func runTwoCollectors(ctx context.Context, r *rig) error {
	other := filepath.Join(r.Dir, "county-2")
	r.collector.signal(syscall.SIGSTOP)
	err := copyCounty(other, r.countyDir())
	r.collector.signal(syscall.SIGCONT)
	if err != nil {
		return err
	}
	argv := append(append([]string{}, r.collector.Argv...), "--dir", other)
	if address, err := loopback.Free(ctx); err == nil {
		argv = append(argv, "--desk", address)
	}
	second := r.program("collector-2", argv...)
	if err := second.start(); err != nil {
		return err
	}
	defer second.kill()
	if _, err := r.awaitOutput(ctx, r.collector, "another collector has taken over", 15*time.Second); err != nil {
		return err
	}
	r.wait(ctx, 3*time.Second)
	second.kill()
	if err := r.restart(ctx, 0, r.collector); err != nil {
		return err
	}
	r.wait(ctx, 2*time.Second)
	return nil
}

// copyCounty copies a collector's folder. It makes the files readable by their
// owner only, which the program demands and os.CopyFS does not do.
func copyCounty(to, from string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	root, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return root.Chmod(path, 0o600)
	})
}

// restoreStore makes a backup, continues, and restores the backup.
func restoreStore(ctx context.Context, r *rig) error {
	backup := filepath.Join(r.Dir, "backup")
	r.collector.end(syscall.SIGTERM, 10*time.Second)
	if err := copyCounty(backup, r.countyDir()); err != nil {
		return err
	}
	if err := r.collector.start(); err != nil {
		return err
	}
	r.wait(ctx, 4*time.Second)
	r.collector.kill()
	if err := os.RemoveAll(r.countyDir()); err != nil {
		return err
	}
	if err := copyCounty(r.countyDir(), backup); err != nil {
		return err
	}
	return r.collector.start()
}

// deleteJournal removes a journal in which records wait, right after a heartbeat
// that says so.
func deleteJournal(ctx context.Context, r *rig) error {
	gate := r.gates[0].ID
	r.chaos.Set(faults.Line{Lose: func(p faults.Packet) bool {
		_, of, leaf, ok := wire.ParseTopic(p.Topic)
		return p.Up && ok && of == gate && leaf == wire.LeafRecords
	}})
	begin := time.Now()
	beaten := func() bool {
		b, at := r.listener.beat(gate)
		return at.After(begin.Add(3*time.Second)) && b.Last > b.Through
	}
	if _, ok := r.poll(ctx, 25*time.Second, beaten); !ok {
		return fmt.Errorf("%s does not say that records wait", gate)
	}
	r.agents[0].kill()
	lost, err := entries(r.journalDir(gate))
	if err != nil {
		return err
	}
	b, _ := r.listener.beat(gate)
	for _, rec := range lost {
		if rec.Seq > b.Through && rec.Kind == wire.KindReading {
			r.knownLost[sumOf(rec.Body)] = true // the desk must show how many records that are
		}
	}
	if err := os.RemoveAll(r.journalDir(gate)); err != nil {
		return err
	}
	r.chaos.Set(faults.Line{})
	if err := r.agents[0].start(); err != nil {
		return err
	}
	detail, err := r.awaitAlertDetail(ctx, "journal-lost")
	if err != nil {
		return err
	}
	if want := fmt.Sprintf("%d records", b.Last-b.Through); !strings.Contains(detail, want) {
		return fmt.Errorf("the desk says %q, the last heartbeat told of %s that waited", detail, want)
	}
	r.note("the desk: %s", detail)
	return nil
}

// cloneAgent starts the third gate's agent as a copy of the first one's disk, on a
// computer of another identity.
func cloneAgent(ctx context.Context, r *rig) error {
	a, b := r.agents[0], r.agents[2]
	if err := r.stopWhenDelivered(ctx, b, r.gates[2].ID); err != nil {
		return err
	}
	dir := filepath.Join(r.Dir, "clone")
	a.signal(syscall.SIGSTOP)
	err := os.CopyFS(dir, os.DirFS(r.journalDir(r.gates[0].ID)))
	a.signal(syscall.SIGCONT)
	if err != nil {
		return err
	}
	file := filepath.Join(r.Dir, r.gates[2].ID, "agent.yaml")
	cfg, err := config.Load[agent.Config](file)
	if err != nil {
		return err
	}
	cfg.Agent, cfg.Dir = r.gates[0].ID, dir
	if err := writeYAML(file, cfg); err != nil {
		return err
	}
	id := filepath.Join(r.Dir, "machine-id")
	if err := os.WriteFile(id, []byte("00000000000000000000000000000c10\n"), 0o600); err != nil {
		return err
	}
	b.Argv = append([]string{"unshare", "--mount", "/bin/sh", "-c", `mount --bind "$0" /etc/machine-id && exec "$@"`,
		id}, b.Argv...)
	r.cloneDir = dir
	if err := b.start(); err != nil {
		return err
	}
	r.wait(ctx, 6*time.Second)
	_, err = r.awaitAlertDetail(ctx, "agent-cloned")
	return err
}

// stopWhenDelivered ends an agent when it has delivered everything. As people
// keep coming it may end with a record that waits; then it is started again and
// ended later.
func (r *rig) stopWhenDelivered(ctx context.Context, a *process, gate string) error {
	for ctx.Err() == nil {
		a.end(syscall.SIGTERM, 10*time.Second)
		_, ok := r.poll(ctx, 2*time.Second, func() bool {
			v, err := journal.Look(r.journalDir(gate))
			if err != nil {
				return false
			}
			defer v.Close()
			through, ok := r.stored(ctx, v.JID)
			return ok && through >= v.Last
		})
		if ok {
			return nil
		}
		if err := a.start(); err != nil {
			return err
		}
		retry.Sleep(ctx, 2*time.Second)
	}
	return fmt.Errorf("end %s: %w", gate, ctx.Err())
}

// stopClone ends the copy, as an operator does after the alarm.
func stopClone(ctx context.Context, r *rig) error {
	v, err := journal.Look(r.cloneDir)
	if err != nil {
		return err
	}
	jid, last := v.JID, v.Last
	v.Close()
	w, err := journal.Look(r.journalDir(r.gates[0].ID))
	if err != nil {
		return err
	}
	defer w.Close()
	if w.JID == jid {
		return fmt.Errorf("the copy kept journal %s", jid)
	}
	took, ok := r.poll(ctx, time.Minute, func() bool {
		through, ok := r.stored(ctx, jid)
		return ok && through >= last
	})
	if !ok {
		return fmt.Errorf("the copy's journal did not get through")
	}
	r.note("both journals are stored, the copy's %.1f s later", took.Seconds())
	r.agents[2].end(syscall.SIGTERM, 10*time.Second)
	return nil
}
