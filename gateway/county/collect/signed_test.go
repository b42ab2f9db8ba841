package collect_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/wire"
)

// keyring is what a registry says of agents.
type keyring struct {
	mu      sync.Mutex
	signers map[string]collect.Signer
	unknown map[string]int // messages
}

func (k *keyring) Signer(agent string) collect.Signer {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.signers[agent]
	if s.Enrolled && !s.Must {
		s.Signed = func(context.Context) error {
			k.mu.Lock()
			defer k.mu.Unlock()
			s.Must = true
			k.signers[agent] = s
			return nil
		}
	}
	return s
}

func (k *keyring) Unknown(agent string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unknown[agent]++
	return k.unknown[agent] == 1
}

func (k *keyring) set(agent string, s collect.Signer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.signers[agent] = s
}

func newKeyring() *keyring {
	return &keyring{signers: map[string]collect.Signer{}, unknown: map[string]int{}}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signed returns the message of a batch with a signature by this key; nil: without one.
func signed(t *testing.T, key *ecdsa.PrivateKey, agent, jid string, seq uint64, ahead bool) []byte {
	t.Helper()
	payload := batch(t, agent, jid, seq, seq, ahead)
	if key == nil {
		return payload
	}
	b, err := wire.DecodeBatch(payload)
	if err == nil {
		b, err = wire.SignBatch(b, "c", key)
	}
	if err == nil {
		payload, err = wire.EncodeBatch(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// signedHello publishes a hello with a signature by this key; nil: without one.
func (b *bench) signedHello(key *ecdsa.PrivateKey, agent, jid string) {
	b.t.Helper()
	h := wire.Hello{V: 1, JID: jid, First: 1, Last: 7, Term: 1, Nonce: "0123456789abcdef", KeyID: "k1"}
	if key != nil {
		var err error
		if h, err = wire.SignHello(h, "c", agent, key); err != nil {
			b.t.Fatal(err)
		}
	}
	payload, err := wire.Encode(h)
	if err != nil {
		b.t.Fatal(err)
	}
	b.publish(agent, wire.LeafHello, payload)
}

func TestWhatIsTakenOfWhom(t *testing.T) {
	own, other := newKey(t), newKey(t)
	enrolled := collect.Signer{Enrolled: true, Key: &own.PublicKey}
	signs, revoked := enrolled, enrolled
	signs.Must, revoked.Revoked = true, true
	for name, c := range map[string]struct {
		signer   collect.Signer
		required bool
		key      *ecdsa.PrivateKey
		refused  string // part of the reason; empty: it is taken
	}{
		"never enrolled":                     {collect.Signer{}, false, nil, ""},
		"never enrolled, signs":              {collect.Signer{}, false, other, ""},
		"never enrolled, required":           {collect.Signer{}, true, nil, "not enrolled"},
		"never enrolled, signs, required":    {collect.Signer{}, true, other, "not enrolled"},
		"enrolled, older software":           {enrolled, false, nil, ""},
		"enrolled, older software, required": {enrolled, true, nil, "not signed"},
		"enrolled, signs":                    {enrolled, false, own, ""},
		"enrolled, another signs":            {enrolled, false, other, "not signed by its key"},
		"enrolled, signs, required":          {enrolled, true, own, ""},
		"has signed, signs":                  {signs, false, own, ""},
		"has signed, downgraded":             {signs, false, nil, "not signed"},
		"has signed, another signs":          {signs, false, other, "not signed by its key"},
		"revoked, signs":                     {revoked, false, own, "revoked"},
		"revoked, does not sign":             {revoked, false, nil, "revoked"},
		"its key can't be read":              {collect.Signer{Enrolled: true}, false, own, "not signed by its key"},
	} {
		t.Run(name, func(t *testing.T) {
			keys := newKeyring()
			keys.set("gate-a", c.signer)
			keys.set("gate-b", enrolled)
			b := startSigned(t, keys, c.required)
			b.publish("gate-a", wire.LeafRecords, signed(t, c.key, "gate-a", jidA, 1, false))
			b.publish("gate-a", wire.LeafRecords, signed(t, c.key, "gate-a", jidA, 9, true))
			b.signedHello(c.key, "gate-a", jidA)
			if c.refused == "" {
				for range 3 {
					if a := await(t, "acknowledgement or answer", b.acks); a.JID != jidA {
						t.Fatalf("got %+v", a)
					}
				}
				return
			}
			if why := await(t, "report of the refusal", b.refused); !strings.Contains(why, c.refused) {
				t.Errorf("%q does not say %q", why, c.refused)
			}
			b.publish("gate-b", wire.LeafRecords, signed(t, own, "gate-b", jidB, 1, false))
			if a := await(t, "acknowledgement of another agent", b.acks); a.JID != jidB {
				t.Errorf("acknowledged: %+v", a)
			}
			if q := b.store.quarantined(); len(q) != 0 || b.store.committed() != 1 {
				t.Errorf("%d commits, in quarantine %+v", b.store.committed(), q)
			}
		})
	}
}

func TestAnAgentThatHasSignedOnceMustSign(t *testing.T) {
	own, keys := newKey(t), newKeyring()
	keys.set("gate-a", collect.Signer{Enrolled: true, Key: &own.PublicKey})
	b := startSigned(t, keys, false)
	for seq, key := range []*ecdsa.PrivateKey{nil, own} {
		b.publish("gate-a", wire.LeafRecords, signed(t, key, "gate-a", jidA, uint64(seq)+1, false))
		await(t, "acknowledgement", b.acks)
	}
	b.publish("gate-a", wire.LeafRecords, signed(t, nil, "gate-a", jidA, 3, false))
	if why := await(t, "report of the refusal", b.refused); !strings.Contains(why, "not signed") {
		t.Error(why)
	}
}

// The gate needs some seconds until it signs by the key that was just approved.
func TestAFormerKeyIsRefusedWithoutAnAlarmForAWhile(t *testing.T) {
	own, former, keys := newKey(t), newKey(t), newKeyring()
	s := collect.Signer{Enrolled: true, Must: true, Key: &own.PublicKey, Approved: time.Now()}
	keys.set("gate-a", s)
	b := startSigned(t, keys, false)
	for seq := range uint64(5) {
		b.publish("gate-a", wire.LeafRecords, signed(t, former, "gate-a", jidA, seq+1, false))
	}
	b.publish("gate-a", wire.LeafRecords, signed(t, own, "gate-a", jidA, 1, false))
	if a := await(t, "acknowledgement", b.acks); a.Through != 1 || len(b.refused) != 0 {
		t.Errorf("got %+v; %d reports", a, len(b.refused))
	}
	b.passed.Store(int64(3 * time.Minute))
	b.publish("gate-a", wire.LeafRecords, signed(t, former, "gate-a", jidA, 2, false))
	if why := await(t, "report of the refusal", b.refused); !strings.Contains(why, "not signed by its key") {
		t.Error(why)
	}
}

// Somebody at a broker without users sends in a gate's name, whatever comes to mind and as
// fast as it can: nothing is stored or kept, and the gate itself is not held up.
func TestForgedMessagesNeitherStayNorHoldUpTheirAgent(t *testing.T) {
	own, other, keys := newKey(t), newKey(t), newKeyring()
	keys.set("gate-a", collect.Signer{Enrolled: true, Must: true, Key: &own.PublicKey})
	b := startSigned(t, keys, false)
	forged := [][]byte{signed(t, nil, "gate-a", jidA, 1, false), signed(t, other, "gate-a", jidA, 1, false),
		signed(t, own, "gate-b", jidA, 1, false), signed(t, nil, "gate-a", jidA, 1, true), []byte("junk"), {},
		[]byte(`{"v":2}`), append(signed(t, own, "gate-a", jidA, 1, false), ' ', 'x')}
	const rounds = 10
	for seq := range uint64(rounds) {
		for _, payload := range forged {
			b.publish("gate-a", wire.LeafRecords, payload)
		}
		b.publish("gate-a", wire.LeafHello, []byte(`{"v":1,"jid":3}`))
		b.signedHello(other, "gate-a", jidA)
		b.publish("gate-a", wire.LeafRecords, signed(t, own, "gate-a", jidA, seq+1, false))
		if a := await(t, "acknowledgement", b.acks); a.Through != seq+1 || a.Nonce != "" {
			t.Fatalf("got %+v", a)
		}
	}
	if q := b.store.quarantined(); len(q) != 0 || b.store.committed() != rounds {
		t.Errorf("%d commits, in quarantine %+v", b.store.committed(), q)
	}
	if len(b.refused) == 0 {
		t.Error("nobody is told")
	}
}

// What an agent has signed and that can't be read is its own fault: it is kept.
func TestWhatIsSignedAndCannotBeReadIsQuarantined(t *testing.T) {
	own, keys := newKey(t), newKeyring()
	keys.set("gate-a", collect.Signer{Enrolled: true, Must: true, Key: &own.PublicKey})
	b := startSigned(t, keys, false)
	gap, err := wire.SignBatch(wire.Batch{Agent: "gate-a", JID: jidA, From: 1, To: 2}, "c", own)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := wire.EncodeBatch(gap) // neither records nor holes
	if err != nil {
		t.Fatal(err)
	}
	b.publish("gate-a", wire.LeafRecords, payload)
	b.awaitQuarantine(1)
}

func TestUnknownAgentsWaitWithoutAnAlarm(t *testing.T) {
	own, keys := newKey(t), newKeyring()
	keys.set("gate-a", collect.Signer{Enrolled: true, Key: &own.PublicKey})
	b := startSigned(t, keys, true)
	for i := range 5 {
		b.publish("ghost-77", wire.LeafRecords, signed(t, nil, "ghost-77", jidB, uint64(i+1), false))
		b.publish("ghost-77", wire.LeafRecords, []byte("junk"))
	}
	b.signedHello(nil, "ghost-77", jidB)
	b.publish("gate-a", wire.LeafRecords, signed(t, own, "gate-a", jidA, 1, false))
	if a := await(t, "acknowledgement", b.acks); a.JID != jidA {
		t.Errorf("got %+v", a)
	}
	if q := b.store.quarantined(); len(q) != 0 || b.store.committed() != 1 || len(b.refused) != 0 {
		t.Errorf("%d commits, %d reports, in quarantine %+v", b.store.committed(), len(b.refused), q)
	}
	if keys.mu.Lock(); keys.unknown["ghost-77"] == 0 {
		t.Error("it is not on the list")
	}
	keys.mu.Unlock()
	// It is enrolled, and nothing is lost.
	keys.set("ghost-77", collect.Signer{Enrolled: true, Key: &own.PublicKey})
	b.publish("ghost-77", wire.LeafRecords, signed(t, own, "ghost-77", jidB, 1, false))
	if a := await(t, "acknowledgement", b.acks); a.JID != jidB || a.Through != 1 {
		t.Errorf("got %+v", a)
	}
}
