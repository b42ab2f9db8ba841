package prove

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/world"
)

// The limits of what one bad agent may cost the county.
const (
	badGrowth = 96 << 10  // the collector's memory above that without the bad agent, KiB
	badDisk   = 160 << 20 // bytes of disk
	badSlower = 2         // times as long until a good agent's record is committed
	// The median and the 99th percentile of commits are not judged below these,
	// in ms: the programs share two cores and a disk with the bad agent.
	badHalf, badMost = 40, 100
)

// misbehavingAgents are faults of agents that do what they must not.
func misbehavingAgents() []Fault {
	return []Fault{
		{
			Row:  44,
			Name: "one-bad-agent",
			What: "one agent sends unsigned terms, ever new journals and junk, and connects under the collector's " +
				"name; for --for",
			Expect: "memory and disk stay bounded, the ten good agents' records take at most twice as long, " +
				"one alert names it",
			gates:      goodGates,
			quarantine: store.ShareRows,
			slow:       true,
			inject:     runBadAgent,
		},
		{
			Row:        56,
			Name:       "one-bad-agent-influx",
			What:       "the same beside three good agents, and what is stored goes to InfluxDB",
			Expect:     "the same; InfluxDB gets nothing of it that the county did not take",
			gates:      3,
			influx:     true,
			quarantine: store.ShareRows,
			slow:       true,
			inject:     runBadAgent,
		},
	}
}

const goodGates = 10

// runBadAgent measures first without the bad agent, for comparison, then with it.
func runBadAgent(ctx context.Context, r *rig) error {
	before, ok := r.positions(ctx)
	if !ok {
		return fmt.Errorf("the store can't be read")
	}
	calm := r.observe(ctx, min(r.lasts, 30*time.Second))
	bad := newBadAgent(r)
	attack, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { bad.run(attack) })
	under := r.observe(ctx, r.lasts)
	stop()
	wg.Wait()
	retry.Sleep(ctx, 2*time.Second)
	a, b := r.commits(calm), r.commits(under)
	r.note("%s: %s", r.lasts, bad.sent())
	r.note("commits without it %.0f ms (half) and %.0f ms (99 of 100), beside it %.0f and %.0f, of %d and %d",
		a.P50, a.P99, b.P50, b.P99, a.n, b.n)
	r.note("memory %d to %d KiB without it, %d to %d beside it; disk %d and %d KiB",
		calm.least, calm.most, under.least, under.most, calm.disk>>10, under.disk>>10)
	switch {
	case b.P50 > badSlower*max(a.P50, badHalf) || b.P99 > badSlower*max(a.P99, badMost):
		return fmt.Errorf("the good agents' records took more than %d times as long", badSlower)
	case under.most > calm.most+badGrowth:
		return fmt.Errorf("the collector's memory grew from %d to %d KiB", calm.most, under.most)
	case under.disk > calm.disk+badDisk:
		return fmt.Errorf("the county's disk grew by %d MiB", (under.disk-calm.disk)>>20)
	}
	if after, ok := r.positions(ctx); !ok || len(after) > len(before)+20 {
		return fmt.Errorf("the store has %d journals, before %d", len(after), len(before))
	}
	for _, g := range r.gates {
		v, err := journal.Look(r.journalDir(g.ID))
		if err != nil {
			return err
		}
		v.Close()
		if v.State.Term > 2 {
			return fmt.Errorf("%s believes term %d", g.ID, v.State.Term)
		}
	}
	if n := strings.Count(r.collector.printed(), "connection lost"); n > 0 {
		return fmt.Errorf("the collector lost its connection to the broker %d times", n)
	}
	return r.checkOneAlert(ctx, bad.id)
}

// observed are measurements of a time under load.
type observed struct {
	from, to    time.Time
	least, most int   // memory of the collector, KiB
	disk        int64 // of county and broker, bytes, at its most
}

// observe measures for d.
func (r *rig) observe(ctx context.Context, d time.Duration) (o observed) {
	o.from = time.Now()
	for time.Since(o.from) < d && retry.Sleep(ctx, 500*time.Millisecond) {
		if n, err := faults.ResidentKiB(r.collector.pid()); err == nil {
			if o.least == 0 {
				o.least = n
			}
			o.least, o.most = min(o.least, n), max(o.most, n)
		}
		o.disk = max(o.disk, sizeOf(r.countyDir())+sizeOf(filepath.Join(r.Dir, "broker")))
	}
	o.to = time.Now()
	return o
}

// sizeOf returns the size of a folder's files, without those that are removed
// meanwhile.
func sizeOf(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // it was removed
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}

// delays are the times of records from their append to their acknowledgement.
type delays struct {
	Quantiles
	n int
}

// commits returns the delays of what the good agents recorded during o.
func (r *rig) commits(o observed) delays {
	var ms []float64
	for _, g := range r.gates {
		v, err := journal.Look(r.journalDir(g.ID))
		if err != nil {
			continue
		}
		jid := v.JID
		v.Close()
		all, err := entries(r.journalDir(g.ID))
		if err != nil {
			continue
		}
		for _, rec := range all {
			at, ok := r.listener.committed(jid, rec.Seq)
			if rec.At.Before(o.from) || rec.At.After(o.to) {
				continue
			}
			if !ok {
				at = time.Now() // not acknowledged yet
			}
			ms = append(ms, float64(at.Sub(rec.At.Time).Microseconds())/1000)
		}
	}
	return delays{quantiles(ms), len(ms)}
}

// checkOneAlert checks that one alert names the bad agent, and that no alert
// about journals, presence or the collector names a good one.
func (r *rig) checkOneAlert(ctx context.Context, bad string) error {
	if err := r.awaitAlert(ctx, "agent-refused"); err != nil {
		return err
	}
	alerts, err := r.clerk.Alerts(ctx)
	if err != nil {
		return err
	}
	var all []string
	for _, a := range alerts {
		if a.Agent == bad || ofDelivery(a.Type) {
			all = append(all, fmt.Sprintf("%s %s: %s", a.Agent, a.Type, a.Detail))
		}
	}
	if len(all) != 1 || !strings.HasPrefix(all[0], bad+" agent-refused") {
		return fmt.Errorf("the desk shows %q", all)
	}
	r.note("the desk: %s", all[0])
	return nil
}

// ofDelivery reports whether alerts of a type are about an agent's journal, its
// presence or its collector, and not about its devices.
func ofDelivery(t fact.AlarmType) bool {
	for _, prefix := range []string{"journal-", "agent-", "collector-", "gate-silent", "store-changed"} {
		if strings.HasPrefix(string(t), prefix) {
			return true
		}
	}
	return false
}

// badAgent is a listed gate with manipulated programs.
type badAgent struct {
	r      *rig
	id     string
	start  atomic.Pointer[string] // of the collector, as every agent reads it
	counts [4]atomic.Int64        // hellos, batches, junk, thefts
}

func newBadAgent(r *rig) *badAgent {
	return &badAgent{r: r, id: world.New(r.Seed).Gates[len(r.gates)].ID}
}

func (b *badAgent) sent() string {
	return fmt.Sprintf("%d hellos, %d batches of new journals, %d messages of junk, "+
		"%d connections under the collector's name",
		b.counts[0].Load(), b.counts[1].Load(), b.counts[2].Load(), b.counts[3].Load())
}

func (b *badAgent) topic(leaf wire.Leaf) string { return wire.Topic(world.CountyID, b.id, leaf) }
