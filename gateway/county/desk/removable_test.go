package desk

import (
	"testing"

	"gatehouse/gateway/wire"
)

func TestTheStoreKeepsWhatTheDeskNeeds(t *testing.T) {
	d, _ := newDesk(t)
	for _, statement := range []string{
		"INSERT INTO progress (jid, agent, through, newest) VALUES ('followed', 'gate-001', 90, 0)",
		`INSERT INTO alerts (agent, jid, alarm, type, device, detail, passage, seq, at, cleared, acked)
			VALUES ('gate-001', 'followed', 'a', 'device-fault', '', '', 0, 20, 1, 2, 3),
			('gate-001', 'followed', 'b', 'device-fault', '', '', 0, 40, 1, NULL, NULL),
			('gate-001', 'followed', 'c', 'fever', '', '', 0, 60, 1, NULL, NULL)`,
		`INSERT INTO runs (machine, run, jid, seq, state, start, finish, body)
			VALUES ('m', 'r1', 'followed', 30, 'closed', 1, 2, '{}'), ('m', 'r2', 'followed', 70, 'open', 1, 2, '{}')`,
	} {
		if _, err := d.file.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		jid  string
		kind wire.Kind
		want uint64
	}{
		{"unknown", wire.KindReading, 0}, {"followed", wire.KindReading, 90}, {"followed", wire.KindPassage, 90},
		{"followed", wire.KindAlarm, 39}, {"followed", wire.KindAudit, 39}, {"followed", wire.KindRun, 69},
		{"unknown", wire.KindAlarm, 0},
	} {
		if got, err := d.Removable(t.Context(), c.jid, c.kind); got != c.want || err != nil {
			t.Errorf("%s of %s: %d, %v, want %d", c.kind, c.jid, got, err, c.want)
		}
	}
}
