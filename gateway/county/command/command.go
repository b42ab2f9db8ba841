// Package command has gates do what somebody at the desk commands. It asks the gate for a
// nonce, signs the command with it, and learns from the gate's records what became of it.
package command

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// Errors that a person at the desk can act on.
var (
	ErrText   = errors.New("the reason or the notice is missing, or is no single line (a reason: 100 characters)")
	ErrAction = errors.New("there is no such command")
	ErrGate   = errors.New("the site file has no such gate")
	ErrBusy   = errors.New("the gate has been commanded already, and has not answered yet: wait 10 seconds")
	ErrNoKey  = errors.New("the collector has no connection to the broker: nothing was sent")
)

const (
	// Patience is how long an answer of the gate is waited for: first its nonce, then the
	// record of the outcome.
	Patience = wire.MaxCommandAge
	most     = 64 // commands that wait for a nonce
	waiting  = 64 // messages of gates that wait to be taken
)

// Publisher sends messages: an MQTT client.
type Publisher interface {
	Publish(m mqtt.Message) error
}

// Sites knows the county's gates.
type Sites interface {
	// Place returns where a gate is.
	Place(gate string) (community, grid, compound string, ok bool)
}

// Options of Commands.
type Options struct {
	File   *db.File
	Sites  Sites
	County string
	Key    ed25519.PrivateKey // the collector's; nil: nothing can be commanded
	Now    func() time.Time
	Log    *slog.Logger
}

// Commands are those of a desk. Run is for one goroutine, the other methods for any.
type Commands struct {
	opts  Options
	heard chan answer

	mu        sync.Mutex
	publisher Publisher // nil: not yet
	silent    bool      // another collector has taken over
	pending   map[string]pending
}

// pending is a command for which the gate was asked for a nonce.
type pending struct {
	agent string
	until time.Time // by the monotonic clock
	c     wire.Command
}

// answer is a nonce of a gate.
type answer struct {
	agent string
	n     wire.Nonce
}

// Request is what somebody commands.
type Request struct {
	Agent  string             `json:"agent"`
	Action fact.CommandAction `json:"action"`
	Lane   string             `json:"lane"`
	Zh     string             `json:"zh"`
	En     string             `json:"en"`
	Reason string             `json:"reason"`
	// Version is of an upgrade. It is not kept apart: the rollout has it.
	Version string `json:"version,omitempty"`
}

// New returns the commands of a desk's file.
func New(opts Options) *Commands {
	return &Commands{opts: opts, heard: make(chan answer, waiting), pending: map[string]pending{}}
}

// By gives what publishes.
func (c *Commands) By(p Publisher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.publisher = p
}

// Silence sends nothing more: another collector has taken over.
func (c *Commands) Silence() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent = true
}

// Ask asks a gate for a nonce for what by commands. It returns the id of the command; Last
// says what becomes of it.
func (c *Commands) Ask(ctx context.Context, by audit.By, r Request) (id string, err error) {
	now := c.opts.Now()
	x := wire.Command{V: 1, ID: rand.Text(), Action: r.Action, Lane: r.Lane, Zh: oneLine(r.Zh), En: oneLine(r.En),
		Version: r.Version, Operator: by.Actor, Reason: oneLine(r.Reason)}
	_, _, _, ok := c.opts.Sites.Place(r.Agent)
	switch {
	case !r.Action.Valid():
		return "", ErrAction
	case !ok:
		return "", ErrGate
	case x.Check() != nil:
		return "", ErrText
	}
	if err := c.begin(r.Agent, x); err != nil {
		return "", err
	}
	if err := c.keep(ctx, now, by, r.Agent, x); err != nil {
		c.forget(x.ID)
		return "", fmt.Errorf("command a gate: %w", err)
	}
	c.opts.Log.Info("a gate is commanded", "agent", r.Agent, "action", r.Action, "by", by.Actor, "reason", x.Reason)
	if err := c.publish(r.Agent, x); err != nil {
		c.forget(x.ID)
		return "", fmt.Errorf("%w (%w)", ErrNoKey, err)
	}
	return x.ID, nil
}

// oneLine trims a text and replaces blanks of other widths and line breaks by plain ones.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// begin notes that a gate is asked for a nonce; the same is not asked twice at one time.
func (c *Commands) begin(agent string, x wire.Command) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.publisher == nil || c.silent || c.opts.Key == nil {
		return ErrNoKey
	}
	now := time.Now()
	for id, p := range c.pending {
		if now.After(p.until) {
			delete(c.pending, id)
		}
	}
	for _, p := range c.pending {
		if p.agent == agent && p.c.Action == x.Action {
			return ErrBusy
		}
	}
	if len(c.pending) >= most {
		return ErrBusy
	}
	c.pending[x.ID] = pending{agent: agent, until: now.Add(Patience), c: x}
	return nil
}

func (c *Commands) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

// keep writes a command and that somebody commands it.
func (c *Commands) keep(ctx context.Context, now time.Time, by audit.By, agent string, x wire.Command) error {
	act := audit.Act{Action: audit.CommandGate, Object: "gate " + agent, Detail: string(x.Action) + ", id " + x.ID}
	if x.Action == fact.CommandOpen {
		act.Action = audit.OpenGate
	}
	if x.Lane != "" {
		act.Detail += ", lane " + x.Lane
	}
	if x.Version != "" {
		act.Detail += ", version " + x.Version
	}
	return c.opts.File.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO commands (id, agent, action, lane, zh, en, reason, by_user, asked,
			sent, ended, outcome, why, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '', '', '')`,
			x.ID, agent, x.Action, x.Lane, x.Zh, x.En, x.Reason, x.Operator, now.UnixNano())
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM commands WHERE asked <
				(SELECT asked FROM commands ORDER BY asked DESC LIMIT 1 OFFSET ?)`, kept)
		}
		return errors.Join(err, audit.Append(ctx, tx, now, by, act))
	})
}

// publish signs a command and publishes it.
func (c *Commands) publish(agent string, x wire.Command) error {
	payload, err := wire.Encode(wire.SignCommand(x, c.opts.County, agent, c.opts.Key))
	if err != nil {
		return err
	}
	c.mu.Lock()
	p, silent := c.publisher, c.silent
	c.mu.Unlock()
	if p == nil || silent {
		return mqtt.ErrOffline
	}
	return p.Publish(mqtt.Message{Topic: wire.Topic(c.opts.County, agent, wire.LeafCommand), Payload: payload, QoS: 1})
}

// Heard takes what was published as a nonce of a gate. It does not wait.
func (c *Commands) Heard(agent string, payload []byte) {
	n, err := wire.Decode[wire.Nonce](payload)
	if err != nil || n.Check() != nil {
		return // whoever it is from, the command that waits for it is said not to have arrived
	}
	select {
	case c.heard <- answer{agent, n}:
	default:
	}
}

// Run signs and sends the commands whose gates have answered, until ctx ends.
func (c *Commands) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-c.heard:
			if err := c.answered(ctx, a); err != nil {
				c.opts.Log.Error("a command was not sent", "agent", a.agent, "id", a.n.ID, "err", err)
			}
		}
	}
}

// answered sends a command with the nonce that the gate has issued for it. That it is sent
// stands in the file before.
func (c *Commands) answered(ctx context.Context, a answer) error {
	c.mu.Lock()
	p, ok := c.pending[a.n.ID]
	ok = ok && p.agent == a.agent && !time.Now().After(p.until)
	if ok {
		delete(c.pending, a.n.ID)
	}
	c.mu.Unlock()
	if !ok {
		return nil // asked by nobody, or too late: nobody waits for it any more
	}
	if _, err := c.opts.File.Exec(ctx, "UPDATE commands SET sent = ? WHERE id = ?", c.opts.Now().UnixNano(),
		a.n.ID); err != nil {
		return err
	}
	p.c.Nonce, p.c.ExpiresMS = a.n.Nonce, wire.MaxCommandAge.Milliseconds()
	return c.publish(a.agent, p.c)
}
