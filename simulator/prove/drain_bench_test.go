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
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/clerk"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/world"
)

// drainGates is how many gates share the backlog.
const drainGates = 16

// BenchmarkDrain lets the real programs deliver a backlog into the store while
// devices are unplugged and plugged in. It reports how fast the backlog drains,
// how fast the same records are committed to the store directly (BenchmarkCommit
// of each store compares that with a plain bulk write), the time of the slowest
// alarm from the agent's clock to the desk, and the peak memory and the
// processor time of agents, broker and collector. It runs once whatever b.N.
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

// drainBench is one run of BenchmarkDrain.
type drainBench struct {
	*testing.B
	*proof
	records int
	began   time.Time
	first   int // records that were stored when the measurement began
}

func drain(b *testing.B, program, kind string, records int) {
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Minute)
	defer cancel()
	d := &drainBench{B: b, records: records, proof: &proof{
		Config: Config{
			Gatehouse: program,
			Gates:     drainGates,
			Seed:      1,
			Store:     kind,
			Broker:    "embedded",
			Dir:       filepath.Join(b.TempDir(), "proof"),
			Progress:  io.Discard,
		},
		variant: variant{
			separateBroker: true,
			desk:           true,
			readers:        []bench.Reader{{Name: "reader-in", Model: "rdm6300", Direction: "in"}},
		},
		rnd:   rand.New(rand.NewPCG(1, 4)),
		gates: world.New(1).Gates[:drainGates],
	}}
	defer d.stopAll()
	d.must(d.prepare(ctx))
	for _, g := range d.gates {
		d.must(appendBacklog(d.journalDir(g.ID), records/drainGates))
	}
	var hardware sync.WaitGroup
	defer hardware.Wait()
	defer cancel()
	for _, g := range d.hw {
		hardware.Go(func() { g.Run(ctx) })
	}
	took := d.deliver(ctx)
	rate := d.commitDirectly(ctx)
	b.ReportMetric(rate, "commit-records/s")
	b.ReportMetric(float64(records-d.first)/took.Seconds()/rate, "drain-of-commit")
	b.ReportMetric(0, "ns/op")
}

func (d *drainBench) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// stored returns a function that returns how many records of the backlog the
// store has, and one that closes its file.
func (d *drainBench) stored(ctx context.Context) (count func() int, done func()) {
	b, err := books.OpenReadOnly(storeFile(d.countyDir()))
	d.must(err)
	jids := make([]string, len(d.gates))
	for i, g := range d.gates {
		v, err := journal.Look(d.journalDir(g.ID))
		d.must(err)
		jids[i] = v.JID
		v.Close()
	}
	return func() (n int) {
		for _, jid := range jids {
			if pos, err := b.Position(ctx, jid); err == nil {
				n += int(min(pos.Through, uint64(d.records/drainGates)))
			}
		}
		return n
	}, func() { b.Close() }
}

// deliver starts the agents, waits until the backlog is stored, and reports how
// long that took and what it needed.
func (d *drainBench) deliver(ctx context.Context) time.Duration {
	stored, done := d.stored(ctx)
	defer done()
	d.must(d.clerk.SignUp(ctx))
	d.must(d.startAgents(ctx))
	for stored() == 0 && retry.Sleep(ctx, time.Millisecond) {
	}
	d.first, d.began = stored(), time.Now()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	var memory [3]int
	var alarm time.Duration
	var watchers sync.WaitGroup
	watchers.Go(func() { memory = peakMemory(watching, d.agents[0].pid(), d.broker.pid(), d.collector.pid()) })
	watchers.Go(func() { alarm = slowestAlarm(watching, d.B, d.proof) })
	for stored() < d.records && retry.Sleep(ctx, 20*time.Millisecond) {
	}
	took := time.Since(d.began)
	stop()
	d.reportProcessorTime()
	watchers.Wait()
	d.must(ctx.Err())
	d.ReportMetric(took.Seconds(), "s")
	d.ReportMetric(float64(d.records-d.first)/took.Seconds(), "records/s")
	d.ReportMetric(float64(alarm.Milliseconds()), "ms-slowest-alarm")
	for i, name := range []string{"agent", "broker", "collector"} {
		d.ReportMetric(float64(memory[i])/1024, name+"-MB-most")
	}
	return took
}

func (d *drainBench) reportProcessorTime() {
	for name, all := range map[string][]*process{
		"agents":    d.agents,
		"broker":    {d.broker},
		"collector": {d.collector},
	} {
		var used time.Duration
		for _, x := range all {
			t, err := faults.Processor(x.pid())
			d.must(err)
			used += t
		}
		d.ReportMetric(used.Seconds(), name+"-cpu-s")
	}
}

// commitDirectly commits the same records to another store of the same kind,
// and returns the rate, records a second.
func (d *drainBench) commitDirectly(ctx context.Context) float64 {
	var all []store.Batch
	for i, g := range d.gates {
		d.agents[i].kill()
		all = append(all, batches(d.B, d.journalDir(g.ID), d.records/drainGates)...)
	}
	d.broker.kill()
	d.collector.kill()
	s, err := openArchive(filepath.Join(d.TempDir(), "own.db"), d.database, "own")
	d.must(err)
	defer s.Close()
	const group = 32 // batches a commit, as the collector takes them
	began := time.Now()
	for i := 0; i < len(all); i += group {
		_, err := s.Commit(ctx, all[i:min(i+group, len(all))])
		d.must(err)
	}
	return float64(d.records) / time.Since(began).Seconds()
}

// alarmRaised returns when the first alarm of an unplugged device that the desk
// shows of an agent since a time was raised; the zero time: it shows none.
func alarmRaised(ctx context.Context, desk *clerk.Clerk, agent string, since time.Time) (at time.Time, err error) {
	all, err := desk.Alerts(ctx)
	for _, a := range all { // the newest first
		if a.Agent == agent && a.Type == fact.AlarmDeviceGone && a.At.After(since) {
			at = a.At
		}
	}
	return at, err
}

// appendBacklog fills the journal of a gate that was cut off for two days.
func appendBacklog(dir string, records int) error {
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

// peakMemory samples the resident memory of processes until ctx is done and
// returns the highest, in KiB.
func peakMemory(ctx context.Context, pids ...int) (kib [3]int) {
	for retry.Sleep(ctx, 100*time.Millisecond) {
		for i, pid := range pids {
			if n, err := faults.ResidentKiB(pid); err == nil {
				kib[i] = max(kib[i], n)
			}
		}
	}
	return kib
}

// slowestAlarm unplugs readers until ctx is done, and returns the longest time
// from an alarm's clock to the desk.
func slowestAlarm(ctx context.Context, b *testing.B, p *proof) (worst time.Duration) {
	n := 0
	for i := 0; retry.Sleep(ctx, 300*time.Millisecond); i++ {
		g := i % drainGates
		began := time.Now()
		if err := p.hw[g].Unplug("reader-in"); err != nil {
			b.Error(err)
			return worst
		}
		for retry.Sleep(ctx, 20*time.Millisecond) { // each look costs the collector a little
			at, err := alarmRaised(ctx, p.clerk, p.gates[g].ID, began)
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
		retry.Sleep(ctx, time.Second)
	}
	if n == 0 {
		b.Error("no alarm came during the drain")
	}
	return worst
}
