package county

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/world"
)

// starts is how often a gate is started to see how soon it records a reading.
const starts = 5

// BenchmarkStart starts the real program, built as it is released, at a gate where
// somebody stands before the thermometer, and reports the program's size, how long it takes
// from the start of the process until the reading of that person is in the journal, the
// memory at rest, and that a person passes while the process may have no more than 64 MB,
// the pages of files that it reads among them.
func BenchmarkStart(b *testing.B) {
	program := released(b, b.TempDir())
	for name, people := range map[string]int{"compound": 0, "60000": 60_000} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				benchStart(b, program, crowded(people))
			}
		})
	}
}

// crowded returns a gate with a roster of so many people; 0: of its compound.
func crowded(people int) world.Gate {
	g := world.New(1).Gates[0]
	if people > 0 {
		g.Cards = nil
	}
	for i := range people {
		g.Cards = append(g.Cards, world.Card{Code: fmt.Sprintf("%010X", i), Class: "resident", Status: "active",
			Household: fmt.Sprintf("%d-%d", i/400, i/4)})
	}
	return g
}

// released builds gatehouse as it is released and returns its path.
func released(b *testing.B, dir string) string {
	b.Helper()
	program := filepath.Join(dir, "gatehouse")
	build := exec.Command("deploy/supply/program.sh", program, "bench", "./gateway")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return program
}

// gateOf is a gate whose program is started again and again.
type gateOf struct {
	hw      *bench.Hardware
	journal string
	argv    []string
	card    string
}

func benchStart(b *testing.B, program string, g world.Gate) {
	dir := b.TempDir()
	hw, err := bench.New(filepath.Join(dir, "ports"), bench.Spec{Thermometer: "gy-mcu90614", Readers: Readers(g),
		Offset: 320, Ambient: 2000})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { hw.Run(ctx) })
	defer func() { cancel(); wg.Wait() }()
	cfg := gateConfig(b, dir, g, hw)
	cfg.Kiosk.Listen = "127.0.0.1:0"
	text, err := config.Write(cfg)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(dir, "agent.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		b.Fatal(err)
	}
	x := gateOf{hw, cfg.Dir, []string{program, "agent", "--config", file, "--log-level", "error"},
		g.Cards[len(g.Cards)/2].Code}
	var took []float64
	for range starts {
		took = append(took, x.firstReading(b).Seconds())
	}
	slices.Sort(took)
	b.ReportMetric(took[starts/2], "s-to-reading")
	b.ReportMetric(took[starts-1], "s-to-reading-worst")
	x.rest(b)
	x.caged(b)
	info, err := os.Stat(program)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB-program")
	b.ReportMetric(0, "ns/op")
}

// start starts the gate; the returned function ends it.
func (x gateOf) start(b *testing.B, argv []string) (pid int, end func()) {
	b.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = io.Discard
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return cmd.Process.Pid, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
}

// firstReading returns how long it takes from the start until a person is measured who
// stands there already.
func (x gateOf) firstReading(b *testing.B) time.Duration {
	b.Helper()
	x.hw.Stand(bench.Surface(3650, 320), time.Minute)
	time.Sleep(time.Second) // they fill the thermometer's view
	from, begun := x.next(), time.Now()
	_, end := x.start(b, x.argv)
	defer x.hw.Leave()
	defer end()
	x.await(b, from, func(body wire.Body) bool {
		r, ok := body.(*wire.Reading)
		return ok && r.Type == fact.ReadingTemperature
	})
	return time.Since(begun)
}

// next returns the seq after the journal's last record.
func (x gateOf) next() uint64 {
	v, err := journal.Look(x.journal)
	if err != nil {
		return 1 // there is none yet
	}
	defer v.Close()
	return v.Last + 1
}

// await returns when the journal has a record from seq on that is wanted.
func (x gateOf) await(b *testing.B, from uint64, wanted func(wire.Body) bool) {
	b.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		v, err := journal.Look(x.journal)
		if err != nil {
			continue
		}
		chunk, err := v.Read(from, 1000, 1<<20)
		v.Close()
		if err != nil {
			continue
		}
		for _, e := range chunk.Entries {
			from = e.Record.Seq + 1
			if body, err := e.Body(); err == nil && wanted(body) {
				return
			}
		}
	}
	b.Fatal("it was not recorded within 30 s")
}

// rest reports the memory of a gate at rest, after it gave back what only its start needed.
func (x gateOf) rest(b *testing.B) {
	b.Helper()
	pid, end := x.start(b, x.argv)
	defer end()
	time.Sleep(20 * time.Second)
	for _, field := range []string{"Rss", "Pss", "Anonymous"} {
		kib, err := faults.RollupKiB(pid, field)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(kib)*1024/1e6, "MB-"+field)
	}
	peak, err := faults.PeakKiB(pid)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(peak)*1024/1e6, "MB-peak")
}

// caged has a person pass while the process is held to 64 MB.
func (x gateOf) caged(b *testing.B) {
	b.Helper()
	cage, err := faults.NewCage(fmt.Sprintf("gatehouse-bench-%d", os.Getpid()))
	if err != nil {
		b.Fatal(err)
	}
	defer cage.Remove()
	if err := cage.Limit(64 << 20); err != nil {
		b.Fatal(err)
	}
	from := x.next()
	_, end := x.start(b, cage.Command(x.argv))
	defer end()
	begun := time.Now()
	x.await(b, from, func(body wire.Body) bool { return body.Kind() == wire.KindHealth })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := x.hw.Present(ctx, bench.Person{Screening: 3650, Reader: "reader-in", Card: x.card}); err != nil {
		b.Fatal(err)
	}
	x.await(b, from, func(body wire.Body) bool {
		p, ok := body.(*wire.Passage)
		return ok && p.Verdict == fact.VerdictPass
	})
	b.ReportMetric(time.Since(begun).Seconds(), "s-to-passage-64MB")
}
