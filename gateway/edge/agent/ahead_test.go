package agent

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

func overtaking(seq uint64, fever bool) overtaker {
	return overtaker{wire.Entry{Record: wire.Record{Seq: seq}}, fever}
}

func seqs(list []overtaker) (out []uint64) {
	for _, o := range list {
		out = append(out, o.Record.Seq)
	}
	return out
}

func TestOfTooManyAlarmsTheOldestGoInTheirTurnAndFeversLast(t *testing.T) {
	o := newOvertakers()
	for seq := range uint64(maxAhead) {
		o.add(overtaking(seq+1, seq < 2)) // 1 and 2 are fevers
	}
	o.add(overtaking(300, true), overtaking(301, false))
	got := seqs(o.take())
	if len(got) != maxAhead || !slices.Equal(got[:3], []uint64{1, 2, 5}) || got[maxAhead-1] != 301 {
		t.Fatalf("%d wait: %v", len(got), got)
	}
	o.add(overtaking(400, false))
	o.back([]overtaker{overtaking(399, true)})
	if got := seqs(o.take()); !slices.Equal(got, []uint64{399, 400}) {
		t.Errorf("%v", got)
	}
	var fevers []overtaker
	for seq := range uint64(maxAhead + 3) {
		fevers = append(fevers, overtaking(seq+1, true))
	}
	if got := seqs(bounded(fevers)); len(got) != maxAhead || got[0] != 4 {
		t.Errorf("%d wait from %d on", len(got), got[0])
	}
}

// A restart used to send alarms that nobody had heard of to the end of the queue.
func TestAlarmsThatNobodyAcknowledgedOvertakeAgainAfterARestart(t *testing.T) {
	free := int64(1 << 29)
	r, h := onDisk(t, &free)
	for i := range 4 {
		r.append(h.now, &wire.Clock{Reason: "start", BootID: "b"})
		al := &wire.Alarm{ID: fmt.Sprint("x", i), Type: fact.AlarmDeviceGone, Device: "reader", State: fact.AlarmRaised}
		if i == 2 {
			al = &wire.Alarm{ID: "f", Type: fact.AlarmFever, State: fact.AlarmRaised, Passage: 5}
		}
		if !r.raise(h.now, al) {
			t.Fatal("the journal does not take it")
		}
	}
	before := r.Agent.alarms.take() // seqs 2, 4, 6, 8
	if err := r.journal.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.journal.Acknowledge(h.now, journal.State{Through: 4, Store: "s", Term: 1}); err != nil {
		t.Fatal(err)
	}
	fresh := &recorder{Agent: &Agent{opts: r.opts, log: slog.New(slog.DiscardHandler), journal: r.journal, board: newBoard(), alarms: newOvertakers()}}
	if _, err := fresh.restoreConditions(); err != nil {
		t.Fatal(err)
	}
	got := fresh.Agent.alarms.take()
	if !slices.Equal(seqs(got), []uint64{6, 8}) || !got[0].fever || got[1].fever {
		t.Fatalf("%+v", got)
	}
	for i, o := range got {
		if string(o.Raw) != string(before[2+i].Raw) {
			t.Errorf("seq %d goes ahead as %s", o.Record.Seq, o.Raw)
		}
	}
}
