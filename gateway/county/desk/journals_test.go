package desk

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// beat lets gate-001 say how its journal stands, and the desk look.
func beat(t *testing.T, d *Desk, now time.Time, jid string, last, through uint64) {
	t.Helper()
	beatOf(t, d, now, jid, "", last, through)
}

// beatOf is beat by an agent that tells its journal's origin.
func beatOf(t *testing.T, d *Desk, now time.Time, jid, origin string, last, through uint64) {
	t.Helper()
	payload, err := wire.Encode(wire.Beat{V: 1, At: wire.At(now), JID: jid, Origin: origin, Last: last, Through: through, Devices: []wire.BeatDevice{}})
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
		if (a.Type == fact.AlarmJournalLost || a.Type == fact.AlarmAgentCloned || a.Type == fact.AlarmJournalConflict) && a.Cleared == nil {
			out = append(out, string(a.Type)+": "+a.Detail)
		}
	}
	return out
}

const jidX, jidY = "0190b1c2-0000-7000-8000-0000000000aa", "0190b1c2-0000-7000-8000-0000000000bb"

func TestAJournalThatHasGoneWithRecordsIsCounted(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		before, origin string
		last, through  uint64 // of the new journal's first heartbeat
		want           string
	}{
		"removed":                      {jidX, jidY, 3, 0, "at least 40 records"},
		"removed, outgrown meanwhile":  {jidX, jidY, 500, 400, "at least 40 records"},
		"renewed, seqs go on":          {jidX, jidX, 105, 100, ""},
		"renewed, all was sent":        {jidX, jidX, 100, 100, ""},
		"renewed, the end was lost":    {jidX, jidX, 70, 0, "at least 30 records"},
		"renewed, rolled back":         {jidX, jidX, 20, 0, "at least 40 records"},
		"removed, of an older agent":   {"", "", 3, 0, "at least 40 records"},
		"renewed, of an older agent":   {"", "", 105, 100, ""},
		"renewed, and updated at once": {"", jidY, 105, 100, ""},
	} {
		t.Run(name, func(t *testing.T) {
			held := &records{rows: map[string][]store.Row{}}
			path := filepath.Join(t.TempDir(), "desk.db")
			d := open1(t, path, held)
			beatOf(t, d, now, jidX, c.before, 90, 60)
			beatOf(t, d, now.Add(time.Minute), jidX, c.before, 100, 60)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			d = open1(t, path, held) // a restart forgets nothing
			defer d.Close()
			d.progress[jidX] = 60
			beatOf(t, d, now.Add(2*time.Minute), jidY, c.origin, c.last, c.through)
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
	if len(got) != 1 || !strings.HasPrefix(got[0], string(fact.AlarmAgentCloned)) || !strings.Contains(got[0], jidX) || !strings.Contains(got[0], jidY) {
		t.Fatalf("%q", got)
	}
	for i := range 13 {
		beat(t, d, now.Add(time.Duration(i+1)*time.Minute), jidX, 110, 110)
	}
	if got := standing(t, d); len(got) != 0 {
		t.Errorf("one has gone, and %q stands", got)
	}
}

func TestAnAlertOfAClonedAgentEndsOverARestart(t *testing.T) {
	held := &records{rows: map[string][]store.Row{}}
	path := filepath.Join(t.TempDir(), "desk.db")
	d := open1(t, path, held)
	now := time.Now()
	beat(t, d, now, jidX, 100, 90)
	beat(t, d, now.Add(time.Second), jidY, 95, 50)
	beat(t, d, now.Add(time.Minute), jidX, 100, 90)
	if got := standing(t, d); len(got) != 1 || !strings.HasPrefix(got[0], string(fact.AlarmAgentCloned)) {
		t.Fatalf("%q", got)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open1(t, path, held)
	defer d.Close()
	beat(t, d, now.Add(2*time.Minute), jidX, 100, 100)
	if got := standing(t, d); len(got) != 1 {
		t.Fatalf("after a restart %q stand", got)
	}
	beat(t, d, now.Add(20*time.Minute), jidX, 100, 100)
	if got := standing(t, d); len(got) != 0 {
		t.Errorf("one has gone, and %q stands", got)
	}
}

// It used to be taken for one that never came, and its silence for over.
func TestAGateThatWasHeardOfIsSilentOverARestart(t *testing.T) {
	held := &records{rows: map[string][]store.Row{}}
	path := filepath.Join(t.TempDir(), "desk.db")
	d := open1(t, path, held)
	now := time.Now()
	beat(t, d, now, jidX, 1, 0) // it has delivered nothing yet
	state := func() (cleared []bool) {
		for end := now.Add(time.Minute); now.Before(end); now = now.Add(lookEvery) {
			if err := d.look(t.Context(), now); err != nil {
				t.Fatal(err)
			}
		}
		list, err := d.alerts(t.Context(), "type = ? AND agent = 'gate-001'", fact.AlarmGateSilent)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			cleared = append(cleared, a.Cleared != nil)
		}
		return cleared
	}
	if got := state(); !slices.Equal(got, []bool{false}) {
		t.Fatalf("silent for a minute: %v", got)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open1(t, path, held)
	defer d.Close()
	if got := state(); !slices.Equal(got, []bool{false}) {
		t.Errorf("after a restart: %v", got)
	}
}

func TestADamagedHeartbeatSaysNothingOfJournals(t *testing.T) {
	d, _ := newDesk(t)
	beatOf(t, d, time.Now(), jidX, jidX, 90, 60)
	for _, c := range [][2]string{{jidX[:20] + "x" + jidX[21:], jidX}, {"", ""}, {jidY, "\xef"}} {
		beatOf(t, d, time.Now(), c[0], c[1], 10, 0)
	}
	if got := standing(t, d); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

func TestALostJournalIsOffTheListWhenSomebodyHasSeenIt(t *testing.T) {
	d, _ := newDesk(t)
	beatOf(t, d, time.Now(), jidX, jidX, 90, 60)
	beatOf(t, d, time.Now(), jidY, jidY, 100, 60)
	list, err := d.alerts(t.Context(), open)
	if err != nil || len(list) != 1 || list[0].Type != fact.AlarmJournalLost || list[0].Level != "red" {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := d.Acknowledge(t.Context(), list[0].ID, "li", ""); err != nil {
		t.Fatal(err)
	}
	if list, err := d.alerts(t.Context(), open); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestConflictingRecordsAreAnAlertWhileTheyAreInQuarantine(t *testing.T) {
	held := &records{rows: map[string][]store.Row{}, conflicts: []store.Conflicts{{Agent: "gate-001", Count: 3, JID: jidX, Seq: 7}}}
	path := filepath.Join(t.TempDir(), "desk.db")
	for range 2 { // a restart raises none again
		d := open1(t, path, held)
		for range 2 {
			if err := d.count(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := standing(t, d); len(got) != 1 || !strings.HasPrefix(got[0], string(fact.AlarmJournalConflict)+": ") || !strings.Contains(got[0], "3 so far") || !strings.Contains(got[0], "seq 7") {
			t.Fatalf("%q", got)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	held.conflicts = nil
	d := open1(t, path, held)
	defer d.Close()
	if err := d.count(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := standing(t, d); len(got) != 0 {
		t.Errorf("they have gone from quarantine, and %q stands", got)
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
