// Package command takes commands of the county's desk at one gate: it issues nonces, refuses
// what is forged, late or was taken already, keeps on disk which command it takes before it
// acts, and journals what became of each.
package command

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Why an agent ends that was told to.
var (
	ErrReload  = errors.New("the county has the agent read its files again")
	ErrRestart = errors.New("the county has the agent restart")
)

// part is the name on the board.
const part = "commands"

const (
	turnEvery   = time.Second
	waiting     = 16               // messages that wait while one is carried out
	refusedFor  = 10 * time.Minute // after which refused messages are said no more
	actWithin   = 5 * time.Second  // that an output may take
	refusals    = 5                // refusals of unknown nonces that are journalled at once,
	refuseAgain = time.Minute      // and one more after each of these
)

// Journal keeps records.
type Journal interface {
	// TryAppend records a body, or returns an error.
	TryAppend(now clock.Moment, body wire.Body) (seq uint64, err error)
}

// Barrier opens the barrier of a lane once; an empty lane is that of a gate with one.
// Where it returns a reason nothing was opened; where it returns only an error it is not
// known whether.
type Barrier func(ctx context.Context, lane string) (fact.CommandWhy, error)

// Upgrade asks the computer for a version of the packages, for the command with an id. Where
// it returns a reason nothing was asked for, with a detail for people.
type Upgrade func(id, version string) (why fact.CommandWhy, detail string)

// Does is what a gate does that is commanded.
type Does struct {
	Barrier Barrier                   // nil: the agent has no gate
	Files   func(now time.Time) error // what is wrong with the configuration and its files
	Upgrade Upgrade                   // nil: nothing is known of packages here
}

// Options of Commands.
type Options struct {
	Does
	County, Agent string

	Collector ed25519.PublicKey // signs commands
	File      string            // where the commands that were taken are kept
	Journal   Journal
	Board     *status.Board
	Clock     clock.Source
	Screen    bool                                 // the gate has a guard's screen
	Send      func(leaf wire.Leaf, payload []byte) // publishes; it must not wait
	Log       *slog.Logger
}

// Commands are those of one gate. Hear may be called from any goroutine, Remember and Begin
// before Run; what is below mu belongs to whoever holds it, the rest to Run.
type Commands struct {
	opts  Options
	heard chan wire.Command
	acts  acts

	mu     sync.Mutex
	book   book
	odd    oddities
	bucket bucket
}

// New returns the commands of a gate, and reads which were taken before.
func New(opts Options) *Commands {
	c := &Commands{opts: opts, heard: make(chan wire.Command, waiting), bucket: bucket{left: refusals}}
	taken, err := read(opts.File)
	if err != nil {
		// Nonces are held in memory: none of what was taken before can be done again.
		opts.Log.Warn("which commands were taken before is not known; none of them can be done again", "err", err)
	}
	c.book.taken = taken
	return c
}

// Remember takes over an audit record of an earlier run of the agent.
func (c *Commands) Remember(a *wire.Audit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.Command != nil {
		c.book.end(a.Command.ID)
	}
}

// Begin journals what became of commands that an earlier run has taken and not ended. It is
// called when the journal was taken over.
func (c *Commands) Begin(now clock.Moment) {
	c.mu.Lock()
	open := c.book.open()
	c.mu.Unlock()
	for _, t := range open {
		out := wire.Commanded{Outcome: fact.CommandUnknown, Detail: "the agent ended while it began"}
		if t.Action == fact.CommandReload || t.Action == fact.CommandRestart {
			out = wire.Commanded{Outcome: fact.CommandDone}
			c.acts.show(c.opts.Board, now, status.CountyAct{Action: t.Action, Operator: t.Operator, Reason: t.Reason})
		}
		c.outcome(now, t, out)
	}
}

// Hear takes what was published as a command. It does not wait.
func (c *Commands) Hear(payload []byte, retained bool) {
	x, err := c.read(payload)
	if err == nil && retained {
		err = errors.New("it is retained: it may be of any time")
	}
	if err == nil {
		select {
		case c.heard <- x:
		default:
			err = errors.New("too many at once")
		}
	}
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.odd.add(c.opts, err.Error())
	}
}

// read returns a command that is signed for this gate.
func (c *Commands) read(payload []byte) (x wire.Command, err error) {
	if len(payload) > wire.MaxCommandBytes {
		return x, fmt.Errorf("it has %d bytes, and may have %d", len(payload), wire.MaxCommandBytes)
	}
	if x, err = wire.Decode[wire.Command](payload); err != nil {
		return x, err
	}
	if err := wire.VerifyCommand(x, c.opts.County, c.opts.Agent, c.opts.Collector); err != nil {
		return x, err
	}
	return x, x.Check()
}

// Run carries commands out until ctx ends, or until one ends the agent: then the error is
// ErrReload or ErrRestart.
func (c *Commands) Run(ctx context.Context) error {
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-turn.C:
			c.Turn(c.opts.Clock.Now())
		case x := <-c.heard:
			if err := c.take(ctx, c.opts.Clock.Now(), x); err != nil {
				return err
			}
		}
	}
}

// Turn does what is due every second. Run calls it.
func (c *Commands) Turn(now clock.Moment) {
	c.mu.Lock()
	c.odd.post(c.opts, now)
	c.mu.Unlock()
	c.acts.turn(c.opts.Board, now)
	c.opts.Board.SetTurned(part, now)
}

// take issues a nonce for a command, or judges it and carries it out.
func (c *Commands) take(ctx context.Context, now clock.Moment, x wire.Command) error {
	if x.Nonce == "" {
		c.issue(now, x)
		return nil
	}
	c.mu.Lock()
	v := c.book.judge(now.Boot, x)
	silent := v.refuse == fact.CommandNonce && !c.bucket.take(now)
	switch {
	case !v.do && v.refuse == "":
		c.odd.add(c.opts, "it was taken already, or is older than the nonce that is out for it")
	case silent:
		c.odd.add(c.opts, "its nonce was not issued by this run of the agent")
	}
	c.mu.Unlock()
	t := Taken{ID: x.ID, Action: x.Action, Lane: x.Lane, Operator: x.Operator, Reason: x.Reason}
	switch {
	case v.do:
		return c.act(ctx, t, x)
	case v.refuse != "" && !silent:
		c.outcome(now, t, wire.Commanded{Outcome: fact.CommandRefused, Why: v.refuse})
	}
	return nil
}

// issue answers a command that asks for a nonce.
func (c *Commands) issue(now clock.Moment, x wire.Command) {
	nonce := rand.Text()
	c.mu.Lock()
	ok := c.book.issue(now.Boot, x.ID, nonce)
	c.mu.Unlock()
	if !ok {
		return // it was taken: its outcome is in the journal
	}
	payload, err := wire.Encode(wire.Nonce{V: 1, ID: x.ID, Nonce: nonce})
	if err != nil {
		c.opts.Log.Error("encode a nonce", "err", err)
		return
	}
	c.opts.Send(wire.LeafNonce, payload)
}

// outcome journals what became of a command.
func (c *Commands) outcome(now clock.Moment, t Taken, out wire.Commanded) {
	out.ID, out.Operator = t.ID, t.Operator
	a := &wire.Audit{Actor: "county", Action: wire.ActionOfCommand(t.Action), Reason: t.Reason, Lane: t.Lane,
		Command: &out}
	c.opts.Log.Info("a command of the county", "action", t.Action, "operator", t.Operator, "reason", t.Reason,
		"outcome", out.Outcome, "why", out.Why, "detail", out.Detail)
	if _, err := c.opts.Journal.TryAppend(now, a); err != nil {
		c.opts.Log.Error("what became of a command can't be kept; the county does not learn it", "err", err)
		return // a restart says that it is not known
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.book.end(t.ID)
}
