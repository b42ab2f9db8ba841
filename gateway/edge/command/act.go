package command

import (
	"context"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// act carries out a command: it keeps on disk that it was taken, acts, and journals what
// became of it. What ends the agent has its outcome when the agent has begun again.
func (c *Commands) act(ctx context.Context, t Taken, x wire.Command) error {
	refuse := func(why fact.CommandWhy, detail string) {
		c.outcome(c.opts.Clock.Now(), t, wire.Commanded{Outcome: fact.CommandRefused, Why: why, Detail: detail})
	}
	if why, detail := c.cannot(x); why != "" {
		refuse(why, detail)
		return nil
	}
	c.mu.Lock()
	taken := slices.Clone(c.book.taken)
	c.mu.Unlock()
	if err := write(c.opts.File, taken); err != nil {
		c.opts.Log.Error("a command can't be kept, and is refused", "file", c.opts.File, "err", err)
		refuse(fact.CommandDisk, err.Error())
		return nil
	}
	shown := status.CountyAct{
		Action:   x.Action,
		Operator: x.Operator,
		Reason:   x.Reason,
		Lane:     x.Lane,
		Zh:       x.Zh,
		En:       x.En,
	}
	c.acts.show(c.opts.Board, c.opts.Clock.Now(), shown)
	switch x.Action {
	case fact.CommandReload:
		return ErrReload
	case fact.CommandRestart:
		return ErrRestart
	case fact.CommandOpen:
		c.open(ctx, t, refuse)
	case fact.CommandUpgrade:
		if why, detail := c.upgrade(t.ID, x.Version); why != "" {
			c.acts.take(c.opts.Board, c.opts.Clock.Now())
			refuse(why, detail)
			return nil
		}
		c.outcome(c.opts.Clock.Now(), t, wire.Commanded{Outcome: fact.CommandDone})
	default:
		c.outcome(c.opts.Clock.Now(), t, wire.Commanded{Outcome: fact.CommandDone})
	}
	return nil
}

// cannot returns why a command can't be carried out at this gate; empty: it can.
func (c *Commands) cannot(x wire.Command) (why fact.CommandWhy, detail string) {
	switch x.Action {
	case fact.CommandOpen:
		if c.opts.Barrier == nil {
			return fact.CommandNoBarrier, ""
		}
	case fact.CommandNotice:
		if !c.opts.Screen {
			return fact.CommandNoScreen, ""
		}
	case fact.CommandReload:
		if err := c.opts.Files(c.opts.Clock.Now().Wall); err != nil {
			return fact.CommandFiles, wire.OneLine(err.Error())
		}
	}
	return "", ""
}

// upgrade asks for a version. Done means that it was asked for: how it goes the heartbeats say.
func (c *Commands) upgrade(id, version string) (why fact.CommandWhy, detail string) {
	if c.opts.Upgrade == nil {
		return fact.CommandNoPackage, ""
	}
	why, detail = c.opts.Upgrade(id, version)
	return why, wire.OneLine(detail)
}

// open opens the barrier.
func (c *Commands) open(ctx context.Context, t Taken, refuse func(fact.CommandWhy, string)) {
	ctx, cancel := context.WithTimeout(ctx, actWithin)
	defer cancel()
	why, err := c.opts.Barrier(ctx, t.Lane)
	detail := ""
	if err != nil {
		detail = wire.OneLine(err.Error())
	}
	switch {
	case why != "":
		c.acts.take(c.opts.Board, c.opts.Clock.Now())
		refuse(why, detail)
	case err != nil:
		c.outcome(c.opts.Clock.Now(), t, wire.Commanded{Outcome: fact.CommandUnknown, Detail: detail})
	default:
		c.outcome(c.opts.Clock.Now(), t, wire.Commanded{Outcome: fact.CommandDone})
	}
}

// acts are what the county did here, as the guard's screen shows it. They belong to the
// goroutine of Run, and before that to the one that calls Begin.
type acts []status.CountyAct

const (
	actsShown   = 4
	actShown    = 2 * time.Minute
	noticeShown = 10 * time.Minute
)

// show posts one more, from now on.
func (a *acts) show(board *status.Board, now clock.Moment, x status.CountyAct) {
	x.At, x.Until = now, now.Boot+actShown
	if x.Action == fact.CommandNotice {
		x.Until = now.Boot + noticeShown
	}
	*a = append(*a, x)
	*a = slices.Clone((*a)[max(0, len(*a)-actsShown):])
	board.SetCounty(*a)
}

// take takes back the newest: it was not done.
func (a *acts) take(board *status.Board, now clock.Moment) {
	*a = slices.Clone((*a)[:max(0, len(*a)-1)])
	a.turn(board, now)
	board.SetCounty(*a)
}

// turn removes what is over.
func (a *acts) turn(board *status.Board, now clock.Moment) {
	over := func(x status.CountyAct) bool { return x.Until <= now.Boot }
	if slices.ContainsFunc(*a, over) {
		*a = slices.DeleteFunc(slices.Clone(*a), over)
		board.SetCounty(*a)
	}
}
