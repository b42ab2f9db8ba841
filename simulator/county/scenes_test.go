package county

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/guard"
	"gatehouse/simulator/world"
)

// expected is what a scene must lead to in the county's store, and on its desk.
type expected struct {
	passages []string // verdict and reasons, in order
	audits   []string // what the guard did
	alerts   []fact.AlarmType
}

// outcomes says what each scene must lead to.
var outcomes = map[string]expected{
	"cold-morning": {[]string{"invalid too-cold", "pass normal", "invalid ambient-low+sensor-drift",
		"pass normal+entered"}, nil, nil},
	"sealed-leaving": {[]string{"refuse sealed-household", "pass normal+sealed-entry"},
		[]string{"sent-back"}, []fact.AlarmType{fact.AlarmSealedLeaving}},
	"absent-guard": {[]string{"refuse sealed-household"}, []string{"sent-back"},
		[]fact.AlarmType{fact.AlarmGuardAbsent, fact.AlarmSealedLeaving, fact.AlarmRedUnanswered}},
	"fever-resident": {[]string{"fever fever", "retest contact-needed", "pass normal+entered"},
		[]string{"call-doctor", "help-reached"}, []fact.AlarmType{fact.AlarmFever, fact.AlarmHelpCalled}},
	"fever-visitor": {[]string{"fever fever", "fever fever"}, []string{"call-doctor", "isolate", "help-arrived"},
		[]fact.AlarmType{fact.AlarmFever, fact.AlarmHelpCalled, fact.AlarmFeverConfirmed}},
	"quota-used": {[]string{"pass normal", "refuse quota-used", "pass normal"}, nil, nil},
	"normal-for-everybody": {append(slices.Repeat([]string{"pass normal"}, alike-1), "invalid doubtful",
		"pass normal+entered"), []string{"noted"},
		[]fact.AlarmType{fact.AlarmDeviceDoubtful}},
}

// Each scene plays at a real gate, as in the demo, and leads to what it shows.
func TestScenesLeadToWhatTheyShow(t *testing.T) {
	r := newRig(t, true)
	programme := [][]string{{"cold-morning", "fever-resident"},
		{"sealed-leaving", "fever-visitor", "quota-used", "quota-used"}, {"absent-guard", "normal-for-everybody"}}
	played := map[string]bool{}
	for _, names := range programme {
		for _, name := range names {
			played[name] = true
		}
	}
	for _, name := range SceneNames() {
		if !played[name] {
			t.Errorf("nobody plays %s", name)
		}
	}
	t.Run("gates", func(t *testing.T) {
		for n, names := range programme {
			t.Run(r.id(n), func(t *testing.T) {
				t.Parallel()
				for _, name := range names {
					before := r.records(t, n)
					if err := r.county.Play(t.Context(), r.id(n), name); err != nil {
						t.Fatalf("%v: %+v", err, r.records(t, n))
					}
					r.expect(t, n, name, before)
				}
			})
		}
	})
}

// expect waits until the county has what the scene must lead to, after what it had before.
func (r *rig) expect(t *testing.T, gate int, name string, before expected) {
	t.Helper()
	want := outcomes[name]
	var got expected
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		got = r.records(t, gate)
		got.passages, got.audits = got.passages[len(before.passages):], got.audits[len(before.audits):]
		got.alerts = got.alerts[len(before.alerts):]
		if slices.Equal(got.passages, want.passages) && slices.Equal(got.audits, want.audits) &&
			slices.Equal(got.alerts, want.alerts) {
			return
		}
	}
	t.Errorf("%s leads to\n%d %+v\nwant\n%d %+v", name, len(got.passages), got, len(want.passages), want)
}

// records returns what the county has of a gate. An amendment with the same verdict
// replaces what it amends.
func (r *rig) records(t *testing.T, gate int) (has expected) {
	t.Helper()
	s, err := archive.OpenReadOnly(r.db)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for row, err := range s.Rows(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Agent != r.id(gate) {
			continue
		}
		record, err := wire.DecodeRecord(row.Raw)
		if err != nil {
			t.Fatal(err)
		}
		body, err := record.DecodeBody()
		if err != nil {
			t.Fatal(err)
		}
		switch b := body.(type) {
		case *wire.Passage:
			if n := len(has.passages); b.Amends && strings.HasPrefix(has.passages[n-1], string(b.Verdict)+" ") {
				has.passages = has.passages[:n-1]
			}
			// Whether the computer's clock is synchronised is no part of a scene.
			reasons := slices.DeleteFunc(b.Reasons, func(r fact.Reason) bool { return r == fact.ReasonClockUnknown })
			has.passages = append(has.passages, string(b.Verdict)+" "+fact.JoinReasons(reasons, "+"))
		case *wire.Audit:
			switch b.Action {
			case post.SignIn, post.StillHere, wire.ActionCountyHead: // at no certain time
			default:
				has.audits = append(has.audits, b.Action)
			}
		}
	}
	f, err := desk.OpenFile(r.desk)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := alerts.New(f, nil, nil).Last(t.Context(), r.id(gate), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range slices.Backward(list) {
		has.alerts = append(has.alerts, a.Type)
	}
	return has
}

func TestScenesPlayOnlyWhereSomebodySeesThem(t *testing.T) {
	c := &County{gates: map[string]*gate{"gate-001": {}}}
	for _, name := range []string{"cold-morning", "flood"} {
		if err := c.Play(t.Context(), "gate-001", name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.gates["gate-002"] = &gate{Gate: world.Gate{Stage: true}, guard: guard.New("127.0.0.1:8090")}
	err := c.Play(t.Context(), "gate-002", "absent-guard")
	if err == nil || !strings.Contains(err.Error(), "signs in") {
		t.Errorf("a guard who is somebody in front of the screen is absent: %v", err)
	}
	for _, name := range SceneNames() {
		if strings.Count(Describe(), "  "+name+" ") != 1 {
			t.Errorf("%s is not described", name)
		}
	}
}
