package prove

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/testkit/influxd"
	"gatehouse/gateway/wire"
)

// wipes are faults in which InfluxDB does not keep what it was given.
func wipes() []Fault {
	return []Fault{{
		Row:  53,
		Name: "influx-retention",
		What: "InfluxDB keeps records for a week; an agent brings records of a clock at 1970, and of a line that " +
			"was cut for ten days",
		Expect: "these become holes, beyond-retention; the other gate's records, and this one's new ones, are stored",
		influx: true,
		holes:  true,
		inject: bringOldRecords,
		after:  checkBeyond,
	}, {
		Row:          57,
		Name:         "influx-wiped",
		What:         "somebody drops InfluxDB's database and makes it again; machines report before and afterwards",
		Expect:       "agents send again what they keep, the collector puts the reports back, each once",
		influx:       true,
		storeForgets: true,
		inject:       wipeInflux,
	}}
}

const oldRecords = 200 // of each kind

// bringOldRecords shortens the retention, as an operator does, restarts the
// collector, and starts an agent with old records.
func bringOldRecords(ctx context.Context, r *rig) error {
	if err := influxd.Statement(ctx, r.database.URL, "ALTER RETENTION POLICY autogen ON "+influxd.Database+
		" DURATION 7d SHARD DURATION 1d"); err != nil {
		return err
	}
	if err := r.restart(ctx, 0, r.collector); err != nil {
		return err
	}
	if _, ok := r.poll(ctx, 10*time.Second, func() bool { return printed("keeps=168h0m0s")(r) == nil }); !ok {
		return printed("keeps=168h0m0s")(r)
	}
	a, dir := r.agents[0], r.journalDir(r.gates[0].ID)
	a.kill()
	health := func(int) wire.Body { return &wire.Health{Device: "scanner", Model: "qr-scanner", State: "ok"} }
	for _, ago := range []time.Duration{time.Since(time.Unix(30, 0)), 10 * 24 * time.Hour} {
		if err := fillJournal(dir, ago, oldRecords, health); err != nil {
			return err
		}
	}
	other, before := r.positionOf(ctx, 1)
	if err := a.start(); err != nil {
		return err
	}
	took, ok := r.poll(ctx, 20*time.Second, func() bool { _, n := r.positionOf(ctx, 1); return n > before+20 })
	if !ok {
		return fmt.Errorf("journal %s waits beside the old records: %s", other, r.collector.tail())
	}
	r.note("20 more records of the other gate after %.1f s", took.Seconds())
	return nil
}

// positionOf returns the id of a gate's journal and up to which seq the store has it.
func (r *rig) positionOf(ctx context.Context, gate int) (jid string, through uint64) {
	v, err := journal.Look(r.journalDir(r.gates[gate].ID))
	if err != nil {
		return "", 0
	}
	defer v.Close()
	through, _ = r.stored(ctx, v.JID)
	return v.JID, through
}

// checkBeyond checks that the old records are holes of the right agent, and that
// the log names agent and time.
func checkBeyond(ctx context.Context, r *rig) error {
	b, err := books.OpenReadOnly(storeFile(r.countyDir()))
	if err != nil {
		return err
	}
	defer b.Close()
	holes, err := b.Holes(ctx)
	if err != nil {
		return err
	}
	n := uint64(0)
	for _, h := range holes {
		if h.Reason != store.ReasonBeyond || h.Agent != r.gates[0].ID {
			return fmt.Errorf("a hole of %s: %+v", h.Agent, h.Hole)
		}
		n += h.Count
	}
	if n != 2*oldRecords {
		return fmt.Errorf("%d records are in holes, %d are older than the retention", n, 2*oldRecords)
	}
	for _, text := range []string{"agent=" + r.gates[0].ID, "1970-01-01T00:00:30"} {
		if err := printed(text)(r); err != nil {
			return err
		}
	}
	if strings.Contains(r.collector.printed(), "the store is at fault") {
		return errors.New("the collector takes old records for a fault of the store")
	}
	r.note("%d records became holes", n)
	return nil
}

// wipeInflux drops the database while machines report, and makes it again.
func wipeInflux(ctx context.Context, r *rig) error {
	began := time.Now().Add(-time.Minute)
	if err := r.report(ctx, began, 3); err != nil {
		return err
	}
	if err := influxd.DropDatabase(ctx, r.database.URL); err != nil {
		return err
	}
	r.wait(ctx, 2*time.Second)
	if err := influxd.CreateDatabase(ctx, r.database.URL); err != nil {
		return err
	}
	r.wait(ctx, 2*time.Second)
	return r.report(ctx, began, 7) // of which three are sent again
}
