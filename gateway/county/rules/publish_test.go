package rules

import (
	"bytes"
	"crypto/ed25519"
	"maps"
	"strings"
	"testing"

	"gatehouse/gateway/wire"
)

func TestEachGateGetsItsOwnSet(t *testing.T) {
	s := newStage(t)
	var l look
	if err := s.round(&l); err != nil || len(s.broker.retained) != 0 {
		t.Fatalf("nothing is in force: %v, %v", err, s.broker.retained)
	}
	s.force(Policy, Default, goodPolicy)
	s.force(Roster, Default, header+",gate\n6200000101,resident,active,h1,,,gate-001\n"+
		"code:X1,resident,active,,,,gate-003\n")
	s.force(Contacts, "k1", "contacts: [{role: doctor, phone: \"13800001234\"}]")
	s.force(Guards, Default, "guard,card,pin\neast-1,6200000901,\n")
	if err := s.round(&l); err != nil {
		t.Fatal(err)
	}
	m, files := s.opened("gate-001")
	g := files["guards.csv"]
	if !strings.HasPrefix(g, "guard,card,pin\neast-1,k-") || strings.Contains(g, "6200000901") {
		t.Errorf("guards: %q", g)
	}
	want := header + "\nk-faa|k-old,resident,active,k-232a|k-old,,\n"
	if files["roster.csv"] != want || files["policy.yaml"] != goodPolicy || files["site.keys"] != "k" ||
		!strings.Contains(files["contacts.yaml"], "138") || m.Version != "1 (1.1)" {
		t.Errorf("%q, %q", files, m.Version)
	}
	if _, files := s.opened("gate-003"); strings.Count(files["roster.csv"], "\n") != 2 || files["contacts.yaml"] != "" {
		t.Errorf("%q", files)
	}
	if len(s.broker.retained) != 4 {
		t.Errorf("%d messages, one gate is not enrolled", len(s.broker.retained))
	}
	for _, st := range s.Standings() {
		if want := map[bool]string{true: Away, false: ByHand}[s.secrets[st.Gate] != ""]; st.State != want {
			t.Errorf("%+v", st)
		}
	}
}

// What the guard sees of a person is in the encrypted set, and not in the files of an enrolment,
// in the desk's file, in what is published or in what a version is said to be.
func TestWhatTheGuardSeesComesEncryptedOnly(t *testing.T) {
	const seen = "3栋2单元 王**"
	s := newStage(t)
	var l look
	s.force(Policy, Default, goodPolicy)
	id := s.force(Roster, Default, header+",shown\n6200000101,resident,active,h1,,,"+seen+"\n")
	if err := s.round(&l); err != nil {
		t.Fatal(err)
	}
	if _, files := s.opened("gate-001"); !strings.Contains(files["roster.csv"], ",shown\n") ||
		!strings.Contains(files["roster.csv"], ","+seen+"\n") {
		t.Errorf("the set has %q", files["roster.csv"])
	}
	for topic, b := range s.broker.retained {
		if strings.Contains(string(b), "王") {
			t.Errorf("%s holds it", topic)
		}
	}
	files, err := s.For(t.Context(), "gate-001", twoKeys("k"))
	if r := string(files["roster.csv"]); err != nil || strings.Contains(r, "王") || !strings.Contains(r, ",shown\n") {
		t.Errorf("at an enrolment it gets %q, %v", r, err)
	}
	if report := s.report(id); strings.Contains(strings.Join(report.Lines(), "\n"), "王") {
		t.Errorf("the report says %q", report.Lines())
	}
	for _, name := range []string{"desk.db", "desk.db-wal"} {
		if strings.Contains(s.file(name), "王") {
			t.Errorf("%s holds it", name)
		}
	}
	bad := s.add(Roster, Default, header+",shown\n6200000101,resident,active,h1,,,王 13800001234\n")
	report := s.report(bad)
	if said := strings.Join(report.Lines(), "\n"); len(report.Faults) == 0 || strings.Contains(said, "1380") ||
		!strings.Contains(said, "shown looks like") {
		t.Errorf("a telephone number: %q", said)
	}
}

func TestSetsKeepTheirNumbersUntilTheyChange(t *testing.T) {
	s := newStage(t)
	var l look
	s.force(Policy, Default, goodPolicy)
	s.force(Roster, Default, goodRoster)
	s.force(Roster, "k2", goodRoster)
	if err := s.round(&l); err != nil {
		t.Fatal(err)
	}
	before := maps.Clone(s.broker.retained)
	s.restart()
	s.broker.retained = map[string][]byte{} // it has lost all
	l = look{}
	if err := s.round(&l); err != nil || !maps.EqualFunc(before, s.broker.retained, bytes.Equal) {
		t.Fatalf("a start changes what gates have: %v", err)
	}
	one, _ := s.opened("gate-001")
	three, _ := s.opened("gate-003")
	s.force(Roster, "k2", goodRoster+"6200000103,resident,active,,,\n")
	if err := s.round(&l); err != nil {
		t.Fatal(err)
	}
	if m, _ := s.opened("gate-001"); m.No != one.No {
		t.Error("a gate that is not concerned gets another set")
	}
	if m, files := s.opened("gate-003"); m.No <= three.No || strings.Count(files["roster.csv"], "\n") != 4 {
		t.Errorf("set %d after %d: %q", m.No, three.No, files)
	}
	if len(s.broker.retained) != 4 {
		t.Errorf("the parts of the former set are not cleared: %d messages", len(s.broker.retained))
	}
	s.keys = "n"
	if err := s.round(&l); err != nil {
		t.Fatal(err)
	}
	if m, files := s.opened("gate-001"); m.No <= one.No || !strings.Contains(files["roster.csv"], "n-faa") {
		t.Errorf("the key ring has changed: %q", files)
	}
}

func TestNumbersNeverFall(t *testing.T) {
	s := newStage(t)
	var l look
	s.force(Policy, Default, goodPolicy)
	s.force(Roster, Default, goodRoster)
	s.Report(s.now, map[string]Said{"gate-001": {Online: true, InForce: &wire.RulesInForce{No: 1 << 40}}})
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", 32)))
	forged := wire.SignManifest(wire.Manifest{V: 1, No: 1 << 41, Version: "x", At: wire.At(t0), Size: 1,
		Parts: []string{strings.Repeat("0", 64)}}, "qinghe", "gate-003", other)
	payload, err := wire.Encode(forged)
	if err != nil {
		t.Fatal(err)
	}
	s.Heard("gate-003", payload)
	if err := s.round(&l); err != nil {
		t.Fatal(err)
	}
	if m, _ := s.opened("gate-001"); m.No != 1<<40+1 {
		t.Errorf("set %d", m.No)
	}
	three, _ := s.opened("gate-003")
	if three.No != uint64(three.At.Unix()) {
		t.Errorf("set %d of %s", three.No, three.At)
	}
	own := wire.SignManifest(wire.Manifest{V: 1, No: 1 << 42, Version: "x", At: wire.At(t0), Size: 1,
		Parts: []string{strings.Repeat("0", 64)}}, "qinghe", "gate-003", s.key)
	if payload, err = wire.Encode(own); err != nil {
		t.Fatal(err)
	}
	s.Heard("gate-003", payload)
	if err := s.round(&l); err != nil {
		t.Fatal(err)
	}
	if m, _ := s.opened("gate-003"); m.No != 1<<42+1 {
		t.Errorf("set %d", m.No)
	}
}

// However many messages the broker had when the collector was killed, all gates have the
// whole new set after its next start.
func TestPublishingGoesOnAfterACrash(t *testing.T) {
	for most := 1; most < 8; most++ {
		s := newStage(t)
		var l look
		s.force(Policy, Default, goodPolicy)
		s.force(Roster, Default, goodRoster)
		if err := s.round(&l); err != nil {
			t.Fatal(err)
		}
		s.force(Roster, Default, goodRoster+"6200000103,resident,active,,,\n")
		s.broker.most = s.broker.sent + most
		if err := s.round(&l); err == nil && most < 6 {
			t.Fatalf("all was sent with %d messages", most)
		}
		s.broker.most = 0
		s.restart()
		l = look{}
		if err := s.round(&l); err != nil {
			t.Fatal(err)
		}
		for gate := range s.secrets {
			if _, files := s.opened(gate); strings.Count(files["roster.csv"], "\n") != 4 {
				t.Errorf("killed after %d: %s has %q", most, gate, files)
			}
		}
		if len(s.broker.retained) != 4 {
			t.Errorf("killed after %d: %d messages are kept", most, len(s.broker.retained))
		}
	}
}

func TestWhoIsBehind(t *testing.T) {
	s := newStage(t)
	var l look
	s.force(Policy, Default, goodPolicy)
	s.force(Roster, Default, goodRoster)
	if err := s.round(&l); err != nil {
		t.Fatal(err)
	}
	m, _ := s.opened("gate-001")
	has := func(no uint64) *wire.RulesInForce { return &wire.RulesInForce{No: no, Version: "x"} }
	for _, c := range []struct {
		said  Said
		state string
		late  bool
	}{
		{Said{}, Away, false},
		{Said{Online: true}, Coming, true},
		{Said{Online: true, InForce: has(m.No - 1)}, Coming, true},
		{Said{Online: true, InForce: has(m.No - 1), Refused: "unknown class"}, Refused, true},
		{Said{Online: true, InForce: has(m.No)}, Same, false},
		{Said{InForce: has(m.No)}, Same, false},
		{Said{InForce: has(m.No - 1)}, Away, false},
	} {
		s.Report(s.now, map[string]Said{"gate-001": {}}) // since now
		s.Report(s.now, map[string]Said{"gate-001": c.said, "gate-999": c.said})
		if st := s.Standings()[0]; st.State != c.state || (st.Behind != nil) != c.late {
			t.Errorf("%+v: %+v", c.said, st)
		}
		if behind, _ := s.Late(s.now.Add(longBehind - 1)); len(behind) > 0 {
			t.Errorf("%+v: late at once", c.said)
		}
		if behind, _ := s.Late(s.now.Add(longBehind)); (len(behind) == 1) != c.late {
			t.Errorf("%+v: late %v", c.said, behind)
		}
	}
}
