package rules

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/wire"
)

// fakeBroker keeps what is retained.
type fakeBroker struct {
	mu       sync.Mutex
	retained map[string][]byte
	sent     int
	most     int // so many messages are taken; 0: all
}

func (b *fakeBroker) PublishThen(m mqtt.Message, taken func()) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.most > 0 && b.sent >= b.most {
		return mqtt.ErrOffline
	}
	b.sent++
	if len(m.Payload) == 0 {
		delete(b.retained, m.Topic)
	} else {
		b.retained[m.Topic] = m.Payload
	}
	go taken()
	return nil
}

// twoKeys names things by two keys.
type twoKeys string

func (k twoKeys) Pseudonym(kind, code string) string {
	return fmt.Sprintf("%s-%x", k, len(kind)*1000+len(code))
}
func (k twoKeys) Others(string, string) []string { return []string{string(k) + "-old"} }

// stage is a county with gates that are enrolled.
type stage struct {
	*bench
	*Publisher

	broker  *fakeBroker
	key     ed25519.PrivateKey
	secrets map[string]string
	keys    string // of gates
	changed chan struct{}
}

func (s *stage) Recipient(gate string) (string, bool) {
	to, err := sealed.Recipient(s.secrets[gate])
	return to, err == nil
}
func (s *stage) Changed() <-chan struct{} { return s.changed }

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{bench: newBench(t, false), key: ed25519.NewKeyFromSeed(make([]byte, 32)),
		broker: &fakeBroker{retained: map[string][]byte{}}, secrets: map[string]string{}, keys: "k",
		changed: make(chan struct{})}
	for _, gate := range []string{"gate-001", "gate-003"} {
		secret, _, err := sealed.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		s.secrets[gate] = secret
	}
	s.restart()
	return s
}

// restart starts the publisher of the county again.
func (s *stage) restart() {
	s.Publisher = NewPublisher(PublisherOptions{County: "qinghe", Key: s.key, Rules: s.Rules, Enrolled: s,
		Keys: func(string, time.Time) (Names, []byte, error) { return twoKeys(s.keys), []byte(s.keys), nil },
		Now:  s.tick, Log: slog.New(slog.DiscardHandler)})
	s.By(s.broker)
}

// round does what Run does once.
func (s *stage) round(l *look) error {
	l.stale = true
	return errors.Join(s.look(context.Background(), l), s.send(context.Background()))
}

// opened returns the set that a gate finds at the broker.
func (s *stage) opened(gate string) (wire.Manifest, map[string]string) {
	s.t.Helper()
	payload := s.broker.retained[wire.Topic("qinghe", gate, wire.LeafPolicy)]
	public, _ := s.key.Public().(ed25519.PublicKey)
	m, err := rulebook.Gate{County: "qinghe", Agent: gate}.Read(payload, public, 0)
	if err != nil {
		s.t.Fatalf("%s: %v", gate, err)
	}
	var parts [][]byte
	for n := range m.Parts {
		parts = append(parts, s.broker.retained[wire.PartTopic("qinghe", gate, m.No, n)])
	}
	files, err := rulebook.Open(m, parts, s.secrets[gate])
	if err != nil {
		s.t.Fatalf("%s: %v", gate, err)
	}
	out := map[string]string{}
	for _, f := range files {
		out[f.Name] = string(f.Bytes)
	}
	return m, out
}

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
	if err := s.round(&l); err != nil {
		t.Fatal(err)
	}
	m, files := s.opened("gate-001")
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
	forged := wire.SignManifest(wire.Manifest{V: 1, No: 1 << 41, Version: "x", At: wire.At(t0), Size: 1,
		Parts: []string{strings.Repeat("0", 64)}}, "qinghe", "gate-003", ed25519.NewKeyFromSeed([]byte(strings.Repeat("x", 32))))
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
