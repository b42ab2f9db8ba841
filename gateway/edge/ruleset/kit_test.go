package ruleset

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/wire"
)

var at = rulebook.Gate{County: "qinghe", Agent: "gate-017"}

func key() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte("k"), ed25519.SeedSize))
}

// retaining is a broker with one client: what is retained comes to who subscribes.
type retaining struct {
	t        *testing.T
	r        *Receiver
	offline  bool
	retained map[string][]byte
	open     map[string]bool
	most     int // subscriptions at a time
}

func (b *retaining) Subscribe(filter string) error {
	if b.offline {
		return errors.New("offline")
	}
	b.open[filter] = true
	b.most = max(b.most, len(b.open))
	if p, ok := b.retained[filter]; ok {
		b.r.Hear(filter, p)
	}
	return nil
}

func (b *retaining) Unsubscribe(filter string) error {
	delete(b.open, filter)
	return nil
}

// publish retains a set as the county does.
func (b *retaining) publish(s rulebook.Sealed) {
	b.t.Helper()
	for n, p := range s.Parts {
		b.retained[wire.PartTopic(at.County, at.Agent, s.Manifest.No, n)] = p
	}
	b.manifest(s.Manifest)
}

func (b *retaining) manifest(m wire.Manifest) {
	b.t.Helper()
	payload, err := wire.Encode(m)
	if err != nil {
		b.t.Fatal(err)
	}
	b.retained[wire.Topic(at.County, at.Agent, wire.LeafPolicy)] = payload
	b.r.Hear(wire.Topic(at.County, at.Agent, wire.LeafPolicy), payload)
}

// bench is a receiver with its broker, and what it has put into force.
type bench struct {
	*retaining

	file, secret, to string
	now              time.Duration
	wrong            error // what Prepare says
	applied          []uint64
}

// Now implements clock.Source.
func (b *bench) Now() clock.Moment {
	return clock.Moment{Wall: time.Unix(1_600_000_000, 0).Add(b.now), Boot: b.now}
}
func (b *bench) Synchronised() bool { return true }

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{retaining: &retaining{t: t, retained: map[string][]byte{}, open: map[string]bool{}},
		file: filepath.Join(t.TempDir(), "rules.set"), now: time.Hour}
	var err error
	if b.secret, b.to, err = sealed.NewKey(); err != nil {
		t.Fatal(err)
	}
	b.start(Set{})
	return b
}

// start makes the receiver anew, as at a start of the agent.
func (b *bench) start(force Set) {
	b.r = New(Options{Gate: at, Collector: ed25519.PublicKey(key()[ed25519.SeedSize:]),
		Secret: func() (string, error) { return b.secret, nil }, File: b.file, Line: b.retaining,
		Prepare: func(s Set) (func(context.Context) error, error) {
			return func(context.Context) error { b.applied = append(b.applied, s.No); return nil }, b.wrong
		}, Board: status.NewBoard(), Clock: b, Log: slog.New(slog.DiscardHandler)}, force)
	b.open = map[string]bool{}
}

// turn lets the receiver take all that has come, as Run does.
func (b *bench) turn(steps int) {
	for range steps {
		select {
		case payload := <-b.r.manifests:
			b.r.manifest(b.Now(), payload)
		case p := <-b.r.parts:
			b.r.part(p)
		default:
		}
		b.r.ask(b.Now())
		b.r.finish(b.t.Context(), b.Now())
	}
}

func (b *bench) says() string { return b.r.opts.Board.Detail(fact.AlarmRulesRefused) }

// set makes a set of several parts.
func (b *bench) set(no uint64, parts int) rulebook.Sealed {
	b.t.Helper()
	noise := make([]byte, parts*wire.MaxPartBytes-wire.MaxPartBytes/2)
	_, _ = rand.NewChaCha8([32]byte{byte(no)}).Read(noise) // it never fails
	s, err := at.Seal(rulebook.Set{No: no, Version: "v", At: time.Unix(1, 0),
		Files: []rulebook.File{{Name: rulebook.PolicyFile, Bytes: noise}}}, b.to, key())
	if err != nil || len(s.Parts) != parts {
		b.t.Fatalf("%d parts, %v", len(s.Parts), err)
	}
	return s
}

func (b *bench) wants(what string, applied int, says string) {
	b.t.Helper()
	if len(b.applied) != applied || (says == "") != (b.says() == "") || !strings.Contains(b.says(), says) {
		b.t.Errorf("%s: %v applied, want %d; it says %q, want %q", what, b.applied, applied, b.says(), says)
	}
}
