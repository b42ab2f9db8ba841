package prove

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// reportFiles are faults of the file that the collector keeps of machines' reports.
func reportFiles() []Fault {
	return []Fault{{
		Row:    47,
		Name:   "reports-book-lost",
		What:   "the collector's file of machines' reports is lost, and a machine sends all of its reports again",
		Expect: "the file is made again from the store: each report is stored once, and new ones go on behind them",
		inject: loseReports,
	}}
}

const (
	reporting = "fogger-77"
	reports   = 20
)

// loseReports removes the file while the collector is stopped.
func loseReports(ctx context.Context, r *rig) error {
	began := time.Now().Add(-time.Minute)
	if err := r.report(ctx, began, reports); err != nil {
		return err
	}
	r.collector.end(syscall.SIGTERM, 10*time.Second)
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(filepath.Join(r.countyDir(), centre.ReportsFile+end)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	if err := r.collector.start(); err != nil {
		return err
	}
	return r.report(ctx, began, reports+1) // one of them is new
}

// report publishes reports of a machine, a second apart, and waits until the store
// has n of them and no more.
func (r *rig) report(ctx context.Context, from time.Time, n int) error {
	for i := range n {
		payload := fmt.Appendf(nil, `{"v":1,"at":%q,"tank_pct":%d}`, from.Add(time.Duration(i)*time.Second).
			UTC().Format(time.RFC3339), 99-i)
		topic := wire.Topic(world.CountyID, reporting, wire.LeafReport)
		if err := r.publish(ctx, mqtt.Message{Topic: topic, Payload: payload, QoS: 1}); err != nil {
			return err
		}
	}
	stored := 0
	_, ok := r.poll(ctx, 15*time.Second, func() bool { stored = r.reportsStored(ctx); return stored >= n })
	if r.wait(ctx, time.Second); !ok || r.reportsStored(ctx) != n {
		return fmt.Errorf("the store has %d reports of %d", stored, n)
	}
	r.note("%d reports are stored once", n)
	return nil
}

// reportsStored returns how many reports of the machine the store has.
func (r *rig) reportsStored(ctx context.Context) int {
	open := func() (*archive.Archive, error) { return archive.OpenReadOnly(storeFile(r.countyDir())) }
	if in := r.database; in.URL != "" {
		in.County = world.CountyID
		open = func() (*archive.Archive, error) { return archive.OpenInfluxReadOnly(storeFile(r.countyDir()), in) }
	}
	a, err := open()
	if err != nil {
		return 0
	}
	defer a.Close()
	n := 0
	for x, err := range a.Rows(ctx, store.Query{Kind: wire.KindTrack}) {
		if err != nil {
			return 0
		}
		if x.Agent == reporting {
			n++
		}
	}
	return n
}
