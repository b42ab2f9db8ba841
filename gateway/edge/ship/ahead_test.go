package ship

import (
	"slices"
	"testing"

	"gatehouse/gateway/wire"
)

func alarmOf(seq uint64, fever bool) overtaker {
	return overtaker{wire.Entry{Record: wire.Record{Seq: seq}}, fever}
}

func seqs(list []overtaker) (out []uint64) {
	for _, o := range list {
		out = append(out, o.Record.Seq)
	}
	return out
}

func TestOfTooManyAlarmsTheOldestAreDroppedFeversLast(t *testing.T) {
	m := newMailbox()
	for seq := range uint64(maxAhead) {
		m.add(alarmOf(seq+1, seq < 2)) // 1 and 2 are fevers
	}
	m.add(alarmOf(300, true))
	m.add(alarmOf(301, false))
	got := seqs(m.take())
	if len(got) != maxAhead || !slices.Equal(got[:3], []uint64{1, 2, 5}) || got[maxAhead-1] != 301 {
		t.Fatalf("%d wait: %v", len(got), got)
	}
	m.add(alarmOf(400, false))
	m.putBack([]overtaker{alarmOf(399, true)})
	if got := seqs(m.take()); !slices.Equal(got, []uint64{399, 400}) {
		t.Errorf("%v", got)
	}
	var fevers []overtaker
	for seq := range uint64(maxAhead + 3) {
		fevers = append(fevers, alarmOf(seq+1, true))
	}
	if got := seqs(bounded(fevers)); len(got) != maxAhead || got[0] != 4 {
		t.Errorf("%d wait from %d on", len(got), got[0])
	}
}
