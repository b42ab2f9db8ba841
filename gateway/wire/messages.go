package wire

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"gatehouse/gateway/fact"
)

// Hello says which records an agent holds. The agent sends it when it connects and
// when the collector's status changes. The answer is an Ack with the same nonce.
type Hello struct {
	V       int    `json:"v"`       // 1
	JID     string `json:"jid"`     // the journal
	First   uint64 `json:"first"`   // oldest seq still on disk; 0 in an empty journal
	Last    uint64 `json:"last"`    // newest seq that is safe on disk; 0 in an empty journal
	Term    uint64 `json:"term"`    // highest term it has seen; 0 before the first
	Nonce   string `json:"nonce"`   // random, 16 to 64 visible ASCII characters
	KeyID   string `json:"key_id"`  // which site key its pseudonyms are made with
	Version string `json:"version"` // of the software
	// Proof is the acknowledgement that gave the agent Term; nil before the
	// first, and from agents of versions without this field.
	Proof *Ack `json:"proof,omitempty"`
	// Sig is the agent's signature, made by SignHello; empty: it is not signed.
	Sig string `json:"sig,omitempty"`
}

// Ack says what the collector's store has committed. Through is the watermark:
// every seq up to it is a row, in quarantine, or a recorded hole.
type Ack struct {
	V       int    `json:"v"`               // 1
	JID     string `json:"jid"`             //
	Through uint64 `json:"through"`         // committed up to and with this seq
	Ahead   uint64 `json:"ahead,omitempty"` // this alarm, sent ahead, is committed too
	Store   string `json:"store"`           // id of the store, a UUID
	Term    uint64 `json:"term"`            // rises when the store was restored or reset
	Nonce   string `json:"nonce,omitempty"` // of the hello it answers
	// At is the county's clock, in the answer to a hello; it is not signed.
	At  *Time  `json:"at,omitempty"`
	Sig string `json:"sig"` // Ed25519, base64; see WIRE.md
}

// CollectorStatus is retained on …/collector/status.
type CollectorStatus struct {
	V       int            `json:"v"`               // 1
	State   fact.LinkState `json:"state"`           // online, offline
	At      Time           `json:"at"`              //
	Start   string         `json:"start"`           // random, new at each start of the collector
	Store   string         `json:"store"`           //
	Term    uint64         `json:"term"`            //
	Version string         `json:"version"`         //
	Fault   string         `json:"fault,omitempty"` // why nothing is being committed; for people
	// Troubles of the county's own side. They are not signed: only people read them.
	Troubles []Trouble `json:"troubles,omitempty"`
	// Audit is how far the county's audit goes. It has a signature of its own: agents of
	// versions without this field verify the rest. nil: not known.
	Audit *AuditHead `json:"audit,omitempty"`
	Sig   string     `json:"sig,omitempty"` // absent on the last will, which changes no watermark
}

// Status is retained on …/<agent>/status and set to offline by the last will.
type Status struct {
	V       int            `json:"v"`     // 1
	State   fact.LinkState `json:"state"` // online, offline
	At      Time           `json:"at"`    // of the connect; on the last will too
	JID     string         `json:"jid"`
	Version string         `json:"version"`
	// Rules are those in force at the connect, if the county has published them; nil: the
	// gate judges by its own files, or has no rules, or this is the last will.
	Rules *RulesInForce `json:"rules,omitempty"`
}

// Beat is sent every 10 s and is not journalled: its age shows whether
// the agent lives: a retained "online" may be out of date.
type Beat struct {
	V       int    `json:"v"`       // 1
	At      Time   `json:"at"`      //
	JID     string `json:"jid"`     //
	Last    uint64 `json:"last"`    // newest seq
	Through uint64 `json:"through"` // acknowledged up to
	// Origin is the jid that the journal was made with; it is empty in beats of
	// versions without this field. A new jid with the same origin is the same
	// journal: its records up to Last are sent again. Another origin is another
	// journal.
	Origin  string       `json:"origin,omitempty"`
	UptimeS int64        `json:"uptime_s"`
	Devices []BeatDevice `json:"devices"`
	// when the oldest unacknowledged record was taken; nil: none waits
	Oldest *Time `json:"oldest_at,omitempty"`
	// hours until the disk is full if nothing is acknowledged; nil: not known
	FullInH *int64 `json:"full_in_h,omitempty"`
	// Machines that the agent bridges.
	Machines []BeatMachine `json:"machines,omitempty"`
	// Troubles of the agent, as its own screen and probes say them.
	Troubles []Trouble `json:"troubles,omitempty"`
	// Rules are those in force, if the county has published them; nil: the gate judges by
	// its own files, or has no rules.
	Rules *RulesInForce `json:"rules,omitempty"`
	// Upgrade says whether the gate can be upgraded from the desk, and how its last upgrade
	// went; nil: the agent's version knows nothing of upgrades.
	Upgrade *Upgrade `json:"upgrade,omitempty"`
}

// Upgrade is how a gate's computer stands to upgrades of its packages.
type Upgrade struct {
	Package string            `json:"package,omitempty"` // version of the installed package; empty: none is
	Lacks   fact.CommandWhy   `json:"lacks,omitempty"`   // why the desk can't have it upgraded; empty: it can
	ID      string            `json:"id,omitempty"`      // of the command that asked for the last; empty: none did
	From    string            `json:"from,omitempty"`    // of the last
	To      string            `json:"to,omitempty"`      //
	State   fact.UpgradeState `json:"state,omitempty"`   // of the last; empty: there was none
	Why     string            `json:"why,omitempty"`     // it ended otherwise than asked, or with a remark, for people
	At      *Time             `json:"at,omitempty"`      // when it came to this state, by the gate's clock
}

// Bounded returns u with texts of one line, as one shows what somebody else has sent; nil
// stays nil.
func (u *Upgrade) Bounded() *Upgrade {
	if u == nil {
		return nil
	}
	x := *u
	for _, s := range []*string{&x.Package, &x.ID, &x.From, &x.To, &x.Why, (*string)(&x.Lacks), (*string)(&x.State)} {
		*s = OneLine(*s)
	}
	return &x
}

// BeatDevice is the state of one device, for a screen.
type BeatDevice struct {
	Name  string           `json:"name"`
	State fact.DeviceState `json:"state"` // ok, fault, gone
	IdleS int64            `json:"idle_s"`
}

// ErrSignature means that a message was not signed by the key it should be.
var ErrSignature = errors.New("signature does not fit the collector's key")

// Message is what is published, besides batches.
type Message interface {
	Hello | Ack | CollectorStatus | Status | Beat | Report | Desk | Command | Nonce | Manifest | Retire | Retired
}

// Encode returns the JSON of a message.
func Encode[M Message](m M) ([]byte, error) {
	return marshal(m)
}

// Decode reads a message and refuses versions other than 1.
func Decode[M Message](payload []byte) (M, error) {
	var m M
	var version struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(payload, &version); err != nil {
		return m, fmt.Errorf("decode %T: %w", m, err)
	}
	if version.V != 1 {
		return m, fmt.Errorf("decode %T: version %d: only version 1 is known", m, version.V)
	}
	if err := json.Unmarshal(payload, &m); err != nil {
		return m, fmt.Errorf("decode %T: %w", m, err)
	}
	return m, nil
}

// Check returns an error that says what is wrong with a hello.
func (h Hello) Check() error {
	switch {
	case !validJID(h.JID):
		return fmt.Errorf("hello: jid %.40q is not a UUID", h.JID)
	case !validNonce(h.Nonce):
		return errors.New("hello: nonce is not 16 to 64 visible ASCII characters")
	case h.First > h.Last || h.Last > MaxSeq:
		return fmt.Errorf("hello: first %d to last %d is no range", h.First, h.Last)
	}
	return nil
}

// ProvenTerm returns the highest term of the given store that the hello proves:
// that of an acknowledgement which key signed for this agent. 0 when it proves
// none.
func (h Hello) ProvenTerm(county, agent, store string, key ed25519.PublicKey) uint64 {
	if h.Proof == nil || h.Proof.Store != store || VerifyAck(*h.Proof, county, agent, key) != nil {
		return 0
	}
	return h.Proof.Term
}

// NextTerm returns the term after t; the highest has none, and
// is returned.
func NextTerm(t uint64) uint64 { return t + min(1, math.MaxUint64-t) }

// Check returns an error that says what is wrong with a heartbeat, so that a damaged
// one is ignored.
func (b Beat) Check() error {
	switch {
	case !validJID(b.JID):
		return fmt.Errorf("beat: jid %.40q is not a UUID", b.JID)
	case b.Origin != "" && !validJID(b.Origin):
		return fmt.Errorf("beat: origin %.40q is not a UUID", b.Origin)
	case b.Last > MaxSeq || b.Through > MaxSeq:
		return fmt.Errorf("beat: last %d or through %d is no seq", b.Last, b.Through)
	}
	return nil
}

// validNonce reports whether s can be a line of signed text and is long enough.
func validNonce(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(s) >= 16 && len(s) <= 64
}

// signed is the text under a signature: a domain line, then one field a line.
// Lines can't be forged, because no field may hold a line break.
func signed(domain string, fields ...string) []byte {
	return []byte(domain + "\n" + strings.Join(fields, "\n") + "\n")
}

func (a Ack) text(county, agent string) []byte {
	return signed("gatehouse/v1 ack", county, agent, a.JID, num(a.Through), num(a.Ahead), a.Store, num(a.Term), a.Nonce)
}

func (s CollectorStatus) text(county string) []byte {
	return signed("gatehouse/v1 collector status", county, string(s.State), s.At.String(), s.Start, s.Store,
		num(s.Term), s.Version, s.Fault)
}

func num(v uint64) string { return strconv.FormatUint(v, 10) }
