package desk

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

// beat lets gate-001 say how its journal stands, and the desk look.
func beat(t *testing.T, d *Desk, now time.Time, jid string, last, through uint64) {
	t.Helper()
	payload, err := wire.Encode(wire.Beat{V: 1, At: wire.At(now), JID: jid, Last: last, Through: through, Devices: []wire.BeatDevice{}})
	if err != nil {
		t.Fatal(err)
	}
	d.Hear(wire.Topic("qinghe", "gate-001", wire.LeafBeat), payload)
	if err := d.look(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}

// standing gives the alerts that hold, of the types that journals cause.
func standing(t *testing.T, d *Desk) (out []string) {
	t.Helper()
	all, err := d.Alerts(t.Context(), "gate-001", 50)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if (a.Type == typeLost || a.Type == typeCloned) && a.Cleared == nil {
			out = append(out, a.Type+": "+a.Detail)
		}
	}
	return out
}

const jidX, jidY = "0190b1c2-0000-7000-8000-0000000000aa", "0190b1c2-0000-7000-8000-0000000000bb"

func TestAJournalThatHasGoneWithRecordsIsCounted(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		last, through uint64 // of the new journal's first heartbeat
		want          string
	}{
		"removed":               {3, 0, "at least 40 records"},
		"renewed, seqs go on":   {105, 100, ""},
		"renewed, all was sent": {100, 100, ""},
	} {
		t.Run(name, func(t *testing.T) {
			held := &records{rows: map[string][]store.Row{}}
			path := filepath.Join(t.TempDir(), "desk.db")
			d := open1(t, path, held)
			beat(t, d, now, jidX, 90, 60)
			beat(t, d, now.Add(time.Minute), jidX, 100, 60)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			d = open1(t, path, held) // a restart forgets nothing
			defer d.Close()
			d.progress[jidX] = 60
			beat(t, d, now.Add(2*time.Minute), jidY, c.last, c.through)
			got := standing(t, d)
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestTwoComputersThatRunAsOneAgentAreTold(t *testing.T) {
	d, _ := newDesk(t)
	now := time.Now()
	for i := range uint64(3) {
		beat(t, d, now.Add(time.Duration(2*i)*time.Second), jidX, 100+i, 90)
		beat(t, d, now.Add(time.Duration(2*i+1)*time.Second), jidY, 95+i, 50)
	}
	got := standing(t, d)
	if len(got) != 1 || !strings.HasPrefix(got[0], typeCloned) || !strings.Contains(got[0], jidX) || !strings.Contains(got[0], jidY) {
		t.Fatalf("%q", got)
	}
	for i := range 13 {
		beat(t, d, now.Add(time.Duration(i+1)*time.Minute), jidX, 110, 110)
	}
	if got := standing(t, d); len(got) != 0 {
		t.Errorf("one has gone, and %q stands", got)
	}
}

func TestADeskWhoseCollectorStoodDownSaysSo(t *testing.T) {
	d, _ := newDesk(t)
	d.Fenced("another collector has taken over")
	if err := d.look(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if r := d.Ready(); len(r.Problems) != 1 || !strings.Contains(fmt.Sprint(r.Problems), "taken over") {
		t.Errorf("%+v", r)
	}
}
