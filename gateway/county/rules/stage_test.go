package rules

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/wire"
	"log/slog"
	"sync"
	"testing"
	"time"
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
