package prove

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/world"
)

// drainGates share the backlog.
const drainGates = 16

// BenchmarkDrain lets the real programs deliver a backlog into the store, and
// pulls cables all the while: it reports how fast it drains, what the store's
// own commit of the same records reaches with nothing between (how that
// compares with a plain bulk write is BenchmarkCommit of each store), how long
// the slowest alarm took from the agent's clock to the desk, and the most
// memory and the processor time of agents, broker and collector, which all share
// this computer. It is one run whatever b.N.
func BenchmarkDrain(b *testing.B) {
	program := filepath.Join(b.TempDir(), "gatehouse")
	if out, err := exec.Command("go", "build", "-o", program, "gatehouse/gateway").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for _, kind := range []string{"sqlite", "influx"} {
		for _, records := range []int{100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", kind, records), func(b *testing.B) { drain(b, program, kind, records) })
		}
	}
}

func drain(b *testing.B, program, kind string, records int) {
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
	defer cancel()
	p := &proof{
		Config: Config{
			Gatehouse: program,
			Gates:     drainGates,
			Seed:      1,
			Store:     kind,
			Broker:    "embedded",
			Dir:       filepath.Join(b.TempDir(), "proof"),
			Progress:  io.Discard,
		},
		rnd:     rand.New(rand.NewPCG(1, 4)),
		gates:   world.New(1).Gates[:drainGates],
		apart:   true,
		desk:    true,
		readers: []bench.Reader{{Name: "reader-in", Model: "rdm6300", Direction: "in"}},
	}
	defer p.stopAll()
	check := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	check(p.prepare(ctx))
	for _, g := range p.gates {
		check(backlog(p.journalDir(g.ID), records/drainGates))
	}
	var hardware sync.WaitGroup
	defer hardware.Wait()
	defer cancel()
	for _, g := range p.hw {
		hardware.Go(func() { g.Run(ctx) })
	}
	held, err := books.OpenReadOnly(storeFile(p.countyDir()))
	check(err)
	defer held.Close()
	jids := make([]string, len(p.gates))
	for i, g := range p.gates {
		v, err := journal.Look(p.journalDir(g.ID))
		check(err)
		jids[i] = v.JID
		v.Close()
	}
	through := func() (n int) {
		for _, jid := range jids {
			if pos, err := held.Position(ctx, jid); err == nil {
				n += int(min(pos.Through, uint64(records/drainGates)))
			}
		}
		return n
	}

	check(p.page.signUp(ctx))
	check(p.startAgents())
	for through() == 0 && pause(ctx, time.Millisecond) {
	}
	first, began := through(), time.Now()
	watching, done := context.WithCancel(ctx)
	defer done()
	var memory [3]int
	alarms := make(chan time.Duration, 1)
	var watchers sync.WaitGroup
	watchers.Go(func() { memory = most(watching, p.agents[0].pid(), p.broker.pid(), p.collector.pid()) })
	watchers.Go(func() { alarms <- slowestAlarm(watching, b, p) })
	for through() < records && pause(ctx, 20*time.Millisecond) {
	}
	took := time.Since(began)
	done()
	for name, all := range map[string][]*process{"agents": p.agents, "broker": {p.broker}, "collector": {p.collector}} {
		var used time.Duration
		for _, x := range all {
			t, err := faults.Processor(x.pid())
			check(err)
			used += t
		}
		b.ReportMetric(used.Seconds(), name+"-cpu-s")
	}
	b.ReportMetric(took.Seconds(), "s")
	watchers.Wait()
	check(ctx.Err())
	b.ReportMetric(float64(records-first)/took.Seconds(), "records/s")
	b.ReportMetric(float64((<-alarms).Milliseconds()), "ms-slowest-alarm")
	for i, name := range []string{"agent", "broker", "collector"} {
		b.ReportMetric(float64(memory[i])/1024, name+"-MB-most")
	}
	b.ReportMetric(0, "ns/op")

	// The same records into a store of the same kind, with nothing between.
	var all []store.Batch
	for i, g := range p.gates {
		p.agents[i].kill()
		all = append(all, batches(b, p.journalDir(g.ID), records/drainGates)...)
	}
	p.broker.kill()
	p.collector.kill()
	s, err := openArchive(kind, filepath.Join(b.TempDir(), "own.db"), p.influxURL, "own")
	check(err)
	defer s.Close()
	const group = 32 // batches a commit, as the collector takes them
	began = time.Now()
	for i := 0; i < len(all); i += group {
		_, err := s.Commit(ctx, all[i:min(i+group, len(all))])
		check(err)
	}
	b.ReportMetric(float64(records)/time.Since(began).Seconds(), "commit-records/s")
	b.ReportMetric(time.Since(began).Seconds()/took.Seconds()*float64(records-first)/float64(records),
		"drain-of-commit")
}

// raised returns when the first alarm of an unplugged device that the desk shows
// of an agent since a time was raised; the zero time: it shows none.
func raised(ctx context.Context, page *deskPage, agent string, since time.Time) (at time.Time, err error) {
	all, err := page.alerts(ctx)
	for _, a := range all { // the newest first
		if a.Agent == agent && a.Type == fact.AlarmDeviceGone && a.At.After(since) {
			at = a.At
		}
	}
	return at, err
}

// backlog fills the journal of a gate that was cut off for two days.
func backlog(dir string, records int) error {
	return fillJournal(dir, 48*time.Hour, records, func(n int) wire.Body {
		return &wire.Reading{Device: "reader-in", Model: "rdm6300", Type: fact.ReadingCard,
			Credential: "p1:0123456789abcdef0123456789abcdef", BootID: "b", BootNS: int64(n)}
	})
}

// batches reads a journal's first records as the collector would get them.
func batches(b *testing.B, dir string, records int) (out []store.Batch) {
	b.Helper()
	v, err := journal.Look(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	for next := max(v.First, 1); next <= uint64(records); {
		c, err := v.Read(next, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, store.Batch{
			Received: time.Now(),
			Place:    store.Place{Community: "c1", Grid: "g1", Compound: "k1"},
			Batch: wire.Batch{
				Agent:   filepath.Base(filepath.Dir(dir)),
				JID:     v.JID,
				From:    c.From,
				To:      c.To,
				Entries: c.Entries,
			},
		})
		next = c.To + 1
	}
	return out
}

// most samples the resident memory of processes and keeps the highest, in KiB.
func most(ctx context.Context, pids ...int) (kib [3]int) {
	for pause(ctx, 100*time.Millisecond) {
		for i, pid := range pids {
			if n, err := faults.ResidentKiB(pid); err == nil {
				kib[i] = max(kib[i], n)
			}
		}
	}
	return kib
}

// slowestAlarm pulls a reader's plug again and again, and times each alarm from
// the agent's clock until the desk has it.
func slowestAlarm(ctx context.Context, b *testing.B, p *proof) (worst time.Duration) {
	n := 0
	for i := 0; pause(ctx, 300*time.Millisecond); i++ {
		g := i % drainGates
		began := time.Now()
		if err := p.hw[g].Unplug("reader-in"); err != nil {
			b.Error(err)
			return worst
		}
		for pause(ctx, 5*time.Millisecond) {
			at, err := raised(ctx, p.page, p.gates[g].ID, began)
			if err != nil && ctx.Err() == nil {
				b.Error(err)
				return worst
			}
			if !at.IsZero() {
				worst = max(worst, time.Since(at))
				n++
				break
			}
			if time.Since(began) > 30*time.Second {
				b.Errorf("%s: no alarm is on the desk after 30 s", p.gates[g].ID)
				return worst
			}
		}
		if err := p.hw[g].Plug("reader-in"); err != nil {
			b.Error(err)
			return worst
		}
		pause(ctx, time.Second)
	}
	if n == 0 {
		b.Error("no alarm came during the drain")
	}
	return worst
}
