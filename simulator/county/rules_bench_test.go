package county

import (
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/testkit/mosquitto"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/world"
)

const (
	manyPeople = 60_000
	swaps      = 5
	restBefore = 10 * time.Second
)

// swapRig is a gate whose people come without a pause, on the real program, and its county,
// which publishes rules for it.
type swapRig struct {
	b       *testing.B
	dir     string
	cfg     agent.Config
	hw      *bench.Hardware
	g       world.Gate
	key     identity.CollectorKey
	to      string
	client  *mqtt.Client
	text    []byte // of the roster
	waiting []time.Time
}

// BenchmarkRulesReceived reports how long verdicts take while a gate receives, verifies, parses
// and swaps rules with 60,000 people, beside how long they take before; and how much memory
// the program had at most.
func BenchmarkRulesReceived(b *testing.B) {
	r := newSwapRig(b)
	program := buildProgram(b, r.dir)
	cmd := exec.Command(program, "agent", "--config", filepath.Join(r.dir, "agent.yaml"), "--log-level", "error")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.hw.Run(ctx) })
	wg.Go(func() { r.people(ctx) })
	for b.Loop() {
		r.measure(cmd.Process.Pid)
	}
	cancel()
	wg.Wait()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	r.report()
}

// measure publishes sets, one when the one before is in force.
func (r *swapRig) measure(pid int) {
	time.Sleep(3*time.Second + restBefore) // until it has started, and some people have come
	started, err := faults.PeakKiB(pid)
	if err != nil {
		r.b.Fatal(err)
	}
	var took []float64
	for no := range uint64(swaps) {
		began := time.Now()
		r.waiting = append(r.waiting, began)
		r.publish(no + 1)
		for r.applied() <= int(no) {
			if time.Since(began) > time.Minute {
				r.b.Fatalf("set %d does not come into force", no+1)
			}
			time.Sleep(100 * time.Millisecond)
		}
		took = append(took, time.Since(began).Seconds())
		time.Sleep(2 * time.Second)
	}
	peak, err := faults.PeakKiB(pid)
	if err != nil {
		r.b.Fatal(err)
	}
	r.b.ReportMetric(float64(started)/1024, "MB-peak-before")
	r.b.ReportMetric(float64(peak)/1024, "MB-peak")
	r.b.ReportMetric(residentMB(r.b, pid), "MB-after")
	r.b.ReportMetric(slices.Max(took), "s-to-force")
	r.b.ReportMetric(0, "ns/op")
}

func newSwapRig(b *testing.B) *swapRig {
	b.Helper()
	r := &swapRig{b: b, dir: b.TempDir(), g: world.New(1).Gates[0]}
	r.g.Cards = nil
	for i := range manyPeople {
		r.g.Cards = append(r.g.Cards, world.Card{Code: fmt.Sprintf("%010X", i+1), Class: "resident", Status: "active",
			Household: fmt.Sprintf("%d-%d", i/400, i/4)})
	}
	var err error
	r.hw, err = bench.New(filepath.Join(r.dir, "ports"), bench.Spec{Thermometer: "gy-mcu90614", Offset: 320,
		Ambient: 2000, Readers: Readers(r.g)[:1]})
	if err != nil {
		b.Fatal(err)
	}
	r.cfg = gateConfig(b, r.dir, r.g, r.hw)
	r.cfg.Broker.URL = mosquitto.Start(b).URL
	r.cfg.Station.Lanes = []station.Lane{{Name: "gate", Measures: new(false)}}
	r.cfg.Station.Devices = slices.DeleteFunc(r.cfg.Station.Devices, func(d station.Device) bool {
		return d.Name != readerName
	})
	r.enrol()
	text, err := config.Write(r.cfg)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "agent.yaml"), text, 0o600); err != nil {
		b.Fatal(err)
	}
	r.roster()
	r.connect()
	return r
}

// enrol gives the gate its keys.
func (r *swapRig) enrol() {
	r.b.Helper()
	var err error
	if r.key, err = identity.LoadCollectorKey(r.dir); err != nil {
		r.b.Fatal(err)
	}
	secret, to, err := sealed.NewKey()
	if err != nil {
		r.b.Fatal(err)
	}
	r.to = to
	own := filepath.Join(r.dir, "agent.key")
	if err := os.WriteFile(filepath.Join(r.dir, "agent.age"), []byte(secret+"\n"), 0o600); err != nil {
		r.b.Fatal(err)
	}
	if _, _, err := identity.LoadOrCreateKey(own); err != nil {
		r.b.Fatal(err)
	}
	r.cfg.Identity = enrol.Identity{Key: own, Cert: own, CA: own, Desk: []string{"http://127.0.0.1:1"}}
}

// roster writes the roster with the gate's pseudonyms, as the county sends it.
func (r *swapRig) roster() {
	r.b.Helper()
	key, err := identity.LoadSiteKey(r.cfg.SiteKey)
	if err != nil {
		r.b.Fatal(err)
	}
	var text strings.Builder
	w := csv.NewWriter(&text)
	_ = w.Write([]string{"card", "class", "status", "household", "from", "until", "shown"})
	for i, c := range r.g.Cards {
		_ = w.Write([]string{key.Pseudonym("card", c.Code), c.Class, c.Status, key.Pseudonym("household", c.Household),
			"", "", fmt.Sprintf("%d栋%d单元 王**", i/60+1, i%4+1)})
	}
	w.Flush()
	r.text = []byte(text.String())
}

func (r *swapRig) connect() {
	r.b.Helper()
	up := make(chan struct{}, 1)
	r.client = mqtt.New(mqtt.Config{URL: r.cfg.Broker.URL, ClientID: "county", OnUp: func() { up <- struct{}{} },
		Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { _ = r.client.Run(ctx); close(ended) }()
	r.b.Cleanup(func() { cancel(); <-ended })
	<-up
}

// publish publishes a set.
func (r *swapRig) publish(no uint64) {
	r.b.Helper()
	files := []rulebook.File{{Name: rulebook.PolicyFile, Bytes: world.Policy()},
		{Name: rulebook.RosterFile, Bytes: r.text}}
	s, err := rulebook.Gate{County: r.cfg.County, Agent: r.cfg.Agent}.Seal(rulebook.Set{No: no,
		Version: fmt.Sprint("set ", no), At: time.Now(), Files: files}, r.to, r.key.Private)
	if err != nil {
		r.b.Fatal(err)
	}
	for n, part := range s.Parts {
		r.retain(wire.PartTopic(r.cfg.County, r.cfg.Agent, no, n), part)
	}
	payload, err := wire.Encode(s.Manifest)
	if err != nil {
		r.b.Fatal(err)
	}
	r.retain(wire.Topic(r.cfg.County, r.cfg.Agent, wire.LeafPolicy), payload)
}

func (r *swapRig) retain(topic string, payload []byte) {
	r.b.Helper()
	if err := r.client.Publish(mqtt.Message{Topic: topic, Payload: payload, QoS: 1, Retained: true}); err != nil {
		r.b.Fatal(err)
	}
}

// people lets one person after the other hold a card to the reader.
func (r *swapRig) people(ctx context.Context) {
	for i := 0; ctx.Err() == nil; i++ {
		_ = r.hw.Tap(ctx, readerName, r.g.Cards[i%len(r.g.Cards)].Code) // it ends with ctx
		time.Sleep(50 * time.Millisecond)
	}
}
