// Package speak says to each gate what the desk has to say to it. It numbers and signs one
// message for each, keeps it in the desk's file, and publishes it, retained, until the
// broker has it.
package speak

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Schema creates the table of what each gate was told last. Times are unix nanoseconds. It
// is a step of the desk's file.
const Schema = `
CREATE TABLE said (
	agent   TEXT PRIMARY KEY,
	no      INTEGER NOT NULL,
	at      INTEGER NOT NULL,
	content TEXT NOT NULL            -- calls and notices, as JSON
) WITHOUT ROWID;`

const (
	mostGates   = 4096            // that are told something
	repeatAfter = 5 * time.Second // what somebody has replaced at the broker is said again so soon
)

// Publisher sends messages: an MQTT client.
type Publisher interface {
	Publish(m mqtt.Message) error
}

// Options of a Speaker.
type Options struct {
	File   *db.File
	County string
	Key    ed25519.PrivateKey // nil: nothing is published
	Log    *slog.Logger
}

// Speaker tells gates what the desk has for them. Say and Publish are for one goroutine,
// the other methods for any.
type Speaker struct {
	opts Options

	mu        sync.Mutex // guards what follows
	publisher Publisher  // nil: not yet
	silent    bool       // another collector has taken over
	gates     map[string]*gate
}

// gate is what one gate is told.
type gate struct {
	no       uint64
	at       time.Time
	content  string
	payload  []byte    // signed; nil: not made yet
	floor    uint64    // the highest number that is out in the county's name
	due      bool      // it is to be published
	sent     time.Time // when it last was
	replaced bool      // the broker has another one
}

// Open takes over what gates were told before.
func Open(ctx context.Context, opts Options) (*Speaker, error) {
	s := &Speaker{opts: opts, gates: map[string]*gate{}}
	type row struct {
		agent string
		gate
	}
	list, err := db.All(ctx, opts.File.Reader(), func(r db.Row) (x row, err error) {
		var at int64
		err = r.Scan(&x.agent, &x.no, &at, &x.content)
		x.at = time.Unix(0, at)
		return x, err
	}, "SELECT agent, no, at, content FROM said")
	if err != nil {
		return nil, fmt.Errorf("read what gates were told: %w", err)
	}
	for _, x := range list {
		x.due = true
		s.gates[x.agent] = &x.gate
	}
	return s, nil
}

// By gives the speaker what publishes.
func (s *Speaker) By(p Publisher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.publisher = p
}

// Up says everything again: the connection was made, and a broker may have lost what it kept.
func (s *Speaker) Up() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.gates {
		g.due = true
	}
}

// Silence publishes nothing more: another collector has taken over.
func (s *Speaker) Silence() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = true
}

// Heard takes what is published on a gate's topic. What is not what the gate was told last
// is replaced. A message of this county with a higher number, of before the desk's file was
// lost, is followed by one above it.
func (s *Speaker) Heard(agent string, payload []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.gates[agent]
	if g != nil && string(payload) == string(g.payload) {
		g.replaced = false
		return
	}
	if len(payload) > wire.MaxDeskBytes || s.opts.Key == nil {
		return
	}
	d, err := wire.Decode[wire.Desk](payload)
	public, _ := s.opts.Key.Public().(ed25519.PublicKey)
	own := err == nil && d.No <= wire.MaxSeq && wire.VerifyDesk(d, s.opts.County, agent, public) == nil
	switch {
	case g == nil && !own:
		return // nothing is said to it, and it takes nothing
	case g == nil:
		if len(s.gates) >= mostGates {
			return
		}
		g = &gate{content: "{}"}
		s.gates[agent] = g
	}
	if own {
		g.floor = max(g.floor, d.No)
	}
	g.replaced = true
}

// content is what a message says, without its number.
type content struct {
	Calls   []wire.DeskCall   `json:"calls,omitempty"`
	Notices []wire.DeskNotice `json:"notices,omitempty"`
}

// Known returns the gates that were told something.
func (s *Speaker) Known() (agents []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for agent := range s.gates {
		agents = append(agents, agent)
	}
	return agents
}

// Say tells a gate calls and notices, if that is not what it was told last.
func (s *Speaker) Say(
	ctx context.Context, now time.Time, agent string, calls []wire.DeskCall, notices []wire.DeskNotice,
) error {
	calls, notices = calls[:min(len(calls), wire.MaxDeskCalls)], notices[:min(len(notices), wire.MaxDeskNotices)]
	text, err := json.Marshal(content{calls, notices})
	if err != nil {
		return fmt.Errorf("encode what gate %s is told: %w", agent, err)
	}
	s.mu.Lock()
	g := s.gates[agent]
	if g == nil {
		g = &gate{content: "{}"}
	}
	same := string(text) == g.content && g.floor <= g.no
	next := gate{
		no:      max(max(g.no, g.floor)+1, uint64(max(0, now.UnixMicro()))),
		at:      now,
		content: string(text),
		due:     true,
	}
	full := s.gates[agent] == nil && len(s.gates) >= mostGates
	s.mu.Unlock()
	if same || full || next.no > wire.MaxSeq {
		return nil
	}
	// It is kept before it is published: no number is used twice.
	err = s.opts.File.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO said (agent, no, at, content) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET no = excluded.no, at = excluded.at, content = excluded.content`,
			agent, int64(next.no), now.UnixNano(), next.content) //nolint:gosec // below MaxSeq
		return err
	})
	if err != nil {
		return fmt.Errorf("keep what gate %s is told: %w", agent, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gates[agent] = &next
	return nil
}

// Publish publishes what is due. What there is no connection for stays due.
func (s *Speaker) Publish(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.publisher == nil || s.silent || s.opts.Key == nil {
		return nil
	}
	for agent, g := range s.gates {
		again := g.replaced && now.Sub(g.sent).Abs() >= repeatAfter
		if g.no == 0 || !g.due && !again {
			continue
		}
		if err := s.sign(agent, g); err != nil {
			return err
		}
		err := s.publisher.Publish(mqtt.Message{Topic: wire.Topic(s.opts.County, agent, wire.LeafDesk),
			Payload: g.payload, QoS: 1, Retained: true})
		if errors.Is(err, mqtt.ErrOffline) {
			return nil // Up comes
		}
		if err != nil {
			s.opts.Log.Debug("what a gate is told was not sent", "agent", agent, "err", err)
			continue
		}
		if again {
			s.opts.Log.Warn("something else was published in place of what the desk says to a gate; "+
				"it is said again", "agent", agent)
		}
		g.due, g.replaced, g.sent = false, false, now
	}
	return nil
}

// sign makes the message of a gate.
func (s *Speaker) sign(agent string, g *gate) error {
	if g.payload != nil {
		return nil
	}
	var c content
	if err := json.Unmarshal([]byte(g.content), &c); err != nil {
		return fmt.Errorf("read what gate %s was told: %w", agent, err)
	}
	d := wire.Desk{V: 1, No: g.no, At: wire.At(g.at), Calls: c.Calls, Notices: c.Notices}
	if err := d.Check(); err != nil {
		return fmt.Errorf("what gate %s is told: %w", agent, err)
	}
	payload, err := wire.Encode(wire.SignDesk(d, s.opts.County, agent, s.opts.Key))
	if err != nil {
		return fmt.Errorf("encode what gate %s is told: %w", agent, err)
	}
	g.payload = payload
	return nil
}
