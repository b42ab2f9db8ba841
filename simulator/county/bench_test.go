package county

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"gatehouse/devices/port"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/world"
)

// keys creates the keys that agents need in dir and returns their files.
func keys(b *testing.B, dir string) (collector, siteKey string) {
	b.Helper()
	if _, _, err := identity.LoadOrCreateCollectorKey(dir); err != nil {
		b.Fatal(err)
	}
	siteKey = filepath.Join(dir, "site.key")
	if _, err := identity.CreateSiteKey(siteKey); err != nil {
		b.Fatal(err)
	}
	return filepath.Join(dir, "collector.pub"), siteKey
}

// gateConfig creates the files that a gate's agent needs in dir and returns its
// configuration. Its broker does not exist.
func gateConfig(b *testing.B, dir string, g world.Gate, hw *bench.Hardware) agent.Config {
	b.Helper()
	collector, siteKey := keys(b, dir)
	cfg := agent.Config{
		County:       "c",
		Agent:        "gate",
		Dir:          filepath.Join(dir, "journal"),
		Broker:       mqtt.Broker{URL: "tcp://127.0.0.1:1"},
		CollectorKey: collector,
		SiteKey:      siteKey,
		Policy:       filepath.Join(dir, "policy.yaml"),
		Roster:       filepath.Join(dir, "roster.csv"),
		Station:      station.Config{Devices: hw.Devices()},
	}
	for path, content := range map[string][]byte{cfg.Policy: world.Policy(), cfg.Roster: g.Roster()} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return cfg
}

// cpu returns the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCounty runs 184 agents and their hardware, 368 ptys, in this process
// for 20 s of a busy morning, and reports the cores that they use together.
func BenchmarkCounty(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		collector, siteKey := keys(b, dir)
		gates := world.New(1).Gates
		for i := range gates {
			gates[i].Thermometer, gates[i].Scanner = "gy-mcu90614", false // two ptys a gate
		}
		ctx, cancel := context.WithCancel(context.Background())
		c, err := New(ctx, Config{
			Gates:        gates,
			Dir:          dir,
			Broker:       "tcp://127.0.0.1:1",
			CollectorKey: collector,
			SiteKey:      siteKey,
			Speed:        20,
			From:         7 * time.Hour,
			Log:          slog.New(slog.DiscardHandler),
		})
		if err != nil {
			b.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		time.Sleep(5 * time.Second) // until all ports are open
		const span = 20 * time.Second
		before := cpu(b)
		time.Sleep(span)
		used := cpu(b) - before
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(used.Seconds()/span.Seconds(), "cores")
		b.ReportMetric(0, "ns/op")
	}
}

// BenchmarkVerdict reports the time from the last byte of a settled measurement
// to its verdict, for people who come one after the other.
func BenchmarkVerdict(b *testing.B) {
	dir := b.TempDir()
	g := world.New(1).Gates[0]
	hw, err := bench.New(filepath.Join(dir, "ports"), bench.Spec{
		Thermometer: "gy-mcu90614",
		Readers:     Readers(g),
		Outputs:     true,
		Offset:      320,
		Ambient:     2000,
	})
	if err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex
	var ms []float64
	a, err := agent.New(gateConfig(b, dir, g, hw), agent.Options{
		Ports:   hw.Ports(port.NewHost()),
		Clock:   clock.System{},
		HostID:  "h",
		BootID:  "b",
		Version: "bench",
		Log:     slog.New(slog.DiscardHandler),
		OnPassage: func(_ uint64, p wire.Passage) {
			mu.Lock()
			defer mu.Unlock()
			if p.Temperature != nil && p.Temperature.Settled && p.LatencyUS > 0 {
				ms = append(ms, float64(p.LatencyUS)/1000)
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { hw.Run(ctx) })
	wg.Go(func() { _ = a.Run(ctx) })
	time.Sleep(time.Second) // until the agent has started
	for b.Loop() {
		for i := range 40 {
			hw.Stand(bench.Surface(3650, 320), 700*time.Millisecond)
			if err := hw.Tap(ctx, "reader-in", g.Cards[i].Code); err != nil {
				b.Fatal(err)
			}
			time.Sleep(700 * time.Millisecond)
		}
	}
	cancel()
	wg.Wait()
	if len(ms) == 0 {
		b.Fatal("there was no verdict")
	}
	slices.Sort(ms)
	b.ReportMetric(ms[len(ms)/2], "p50-ms")
	b.ReportMetric(ms[len(ms)*99/100], "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkAgent runs the real program at a gate without people, with its compound's
// roster and with one of 60,000, and reports its resident memory, the most that it had
// since its start, and its share of a core.
func BenchmarkAgent(b *testing.B) {
	b.Run("compound", func(b *testing.B) { benchAgent(b, world.New(1).Gates[0]) })
	b.Run("60000", func(b *testing.B) { benchAgent(b, crowded(60_000)) })
}

func benchAgent(b *testing.B, g world.Gate) {
	b.Helper()
	dir := b.TempDir()
	program := buildProgram(b, dir)
	hw, err := bench.New(filepath.Join(dir, "ports"), bench.Spec{
		Thermometer: "gy-mcu90614",
		Readers:     Readers(g),
		Offset:      320,
		Ambient:     2000,
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { hw.Run(ctx) })
	defer func() { cancel(); wg.Wait() }()
	cfg := gateConfig(b, dir, g, hw)
	text, err := config.Write(cfg)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "agent.yaml"), text, 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		measureAgent(b, program, dir)
		b.ReportMetric(float64(len(g.Cards)), "cards")
		b.ReportMetric(0, "ns/op")
	}
	v, err := journal.Look(cfg.Dir)
	if err != nil || v.Last == 0 {
		b.Fatalf("the agent recorded nothing: %v", err)
	}
	v.Close()
}

// buildProgram builds gatehouse and returns its path.
func buildProgram(b *testing.B, dir string) string {
	b.Helper()
	program := filepath.Join(dir, "gatehouse")
	if out, err := exec.Command("go", "build", "-o", program, "gatehouse/gateway").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return program
}

// measureAgent runs the program with dir/agent.yaml for 23 s and reports its
// resident memory and its share of a core in the last 20 of them.
func measureAgent(b *testing.B, program, dir string) {
	b.Helper()
	cmd := exec.Command(program, "agent", "--config", filepath.Join(dir, "agent.yaml"), "--log-level", "error")
	cmd.Stderr = io.Discard
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	time.Sleep(3 * time.Second) // until it has started
	const span = 20 * time.Second
	before := processTime(b, cmd.Process.Pid)
	time.Sleep(span)
	used := processTime(b, cmd.Process.Pid) - before
	resident := residentMB(b, cmd.Process.Pid)
	peak, err := faults.PeakKiB(cmd.Process.Pid)
	if err != nil {
		b.Fatal(err)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	b.ReportMetric(100*used.Seconds()/span.Seconds(), "%core")
	b.ReportMetric(resident, "MB-resident")
	b.ReportMetric(float64(peak)/1024, "MB-peak")
}

// processTime returns the processor time of another process.
func processTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	t, err := faults.Processor(pid)
	if err != nil {
		b.Fatal(err)
	}
	return t
}

func residentMB(b *testing.B, pid int) float64 {
	b.Helper()
	kib, err := faults.ResidentKiB(pid)
	if err != nil {
		b.Fatal(err)
	}
	return float64(kib) / 1024
}
