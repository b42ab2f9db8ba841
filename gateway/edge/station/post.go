package station

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
)

// overrideFor is how long after a verdict a guard may decide against it: later nobody
// knows whom it would be about.
const overrideFor = 10 * time.Minute

// handed is how long the loop may take what a guard does although the page has gone.
const handed = 5 * time.Second

// SignIn lets a guard sign in with a PIN. The error is a post.WaitError after too many wrong
// ones, post.ErrPIN or post.ErrGuard. It may be called from any goroutine while Run runs, and
// takes about 100 ms.
func (s *Station) SignIn(ctx context.Context, guard, pin string) error {
	if !slices.Contains(s.rules.Load().Guards.IDs(), guard) {
		return post.ErrGuard
	}
	err := s.hand(ctx, note{kept: make(chan error, 1), do: func(now clock.Moment) error {
		if !s.post.Attempts().Begin(now.Boot) {
			return post.WaitError{For: max(time.Second, s.post.Attempts().Wait(now.Boot))}
		}
		return nil
	}})
	if err != nil {
		return err
	}
	fits := s.rules.Load().Guards.Fits(guard, pin)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handed)
	defer cancel()
	return s.hand(ctx, note{kept: make(chan error, 1), do: func(now clock.Moment) error {
		s.post.Attempts().End()
		if !fits {
			return errors.Join(post.ErrPIN, s.did(now, wire.Audit{Actor: guard, Action: post.PINWrong}))
		}
		return s.did(now, wire.Audit{Actor: guard, Action: post.SignIn, By: "pin"})
	}})
}

// carded lets a guard sign in whose card was tapped, and reports whether it is one's.
// That is no passage, and no reading of somebody who wants to pass.
func (s *Station) carded(now clock.Moment, r *wire.Reading) bool {
	guard, is := s.opts.Rules.Guards.OfCard(r.Credential)
	if !is || r.Type != fact.ReadingCard && r.Type != fact.ReadingCode {
		return false
	}
	if err := s.did(now, wire.Audit{Actor: guard, Action: post.SignIn, By: "card"}); err != nil {
		s.log.Error("a guard could not sign in", "guard", guard, "err", err)
		return true
	}
	s.outputs.show(r.Lane, promptCue())
	return true
}

// did records what a guard did, and takes it over.
func (s *Station) did(now clock.Moment, a wire.Audit) error {
	a.Alarm = cmp.Or(a.Alarm, s.leavers.of(a.Passage))
	if _, err := s.opts.Journal.TryAppend(now, &a); err != nil {
		return fmt.Errorf("keep what the guard did: %w", err)
	}
	s.gate.Answered(s.recent.readings(a.Passage))
	s.post.Did(now, now, a)
	s.tell(now)
	return nil
}

// HandOver leaves notes to the next guard, and signs out who is on duty. It may be called
// from any goroutine while Run runs.
func (s *Station) HandOver(ctx context.Context, notes []string) error {
	if slices.ContainsFunc(notes, func(n string) bool { return !slices.Contains(post.Notes(), n) }) {
		return post.ErrNote
	}
	notes = slices.Compact(slices.Sorted(slices.Values(notes)))
	return s.hand(ctx, note{kept: make(chan error, 1), do: func(now clock.Moment) error {
		if s.post.View(now).On == "" {
			return post.ErrOffDuty
		}
		return s.did(now, wire.Audit{Actor: s.post.Actor(), Action: post.HandOver,
			Handover: &wire.Handover{Notes: notes, Open: s.open()}})
	}})
}

// openMost is how many alarms a hand-over names.
const openMost = 32

// open returns the ids of the calls that have not ended, and of the alarms that hold.
func (s *Station) open() []string {
	var ids []string
	for _, c := range s.opts.Board.Snapshot().Help.Calls {
		ids = append(ids, c.ID)
	}
	ids = append(ids, slices.Sorted(maps.Keys(s.opts.Board.Conditions()))...)
	return ids[:min(len(ids), openMost)]
}

// Override lets somebody pass, or stops them, against the verdict of a passage and for
// one of the policy's reasons. It returns an error of package gate when the policy does
// not allow it. It may be called from any goroutine while Run runs.
func (s *Station) Override(ctx context.Context, passage uint64, reason string) error {
	return s.hand(ctx, note{kept: make(chan error, 1), do: func(now clock.Moment) error {
		if !s.post.Manned() {
			return post.ErrOffDuty
		}
		p, at, ok := s.recent.passage(passage)
		if !ok || now.Boot-at > overrideFor {
			return post.ErrOver
		}
		e, err := s.gate.Override(now, p, s.post.Actor(), reason)
		if err != nil {
			return err
		}
		action := post.LetPass
		if e.Passage.Verdict != fact.VerdictPass {
			action = post.Stopped
		}
		s.apply(now, time.Time{}, []gate.Event{e})
		s.raiseOverride(now, e.Passage)
		return s.did(now, wire.Audit{Actor: s.post.Actor(), Action: action, Passage: passage, Reason: reason})
	}})
}

// raiseOverride tells the county of an override that the policy marks.
func (s *Station) raiseOverride(now clock.Moment, p wire.Passage) {
	seq := s.recent[len(s.recent)-1].seq
	why, _ := s.opts.Rules.Overrides.Reason(p.Override.Reason)
	out := p.Verdict == fact.VerdictPass && slices.Contains(p.Reasons, fact.ReasonSealed)
	al := &wire.Alarm{Type: fact.AlarmOverridden, State: fact.AlarmRaised, Passage: seq, Detail: fmt.Sprintf(
		"%s decided %s against %s, for the reason %s", p.Override.Guard, p.Verdict, p.Override.Against,
		p.Override.Reason)}
	switch {
	case out:
		al.Type = fact.AlarmSealedOut
	case !why.Alert && !why.Emergency:
		return
	}
	al.ID = al.Type.ID(strconv.FormatUint(seq, 10))
	if _, err := s.opts.Journal.TryAppend(now, al); err != nil {
		s.opts.Journal.Append(now, al) // once more; what fails again is a recorded loss
	}
}

// tell posts what the county and the screen must know of the post.
func (s *Station) tell(now clock.Moment) {
	holds := map[string]bool{}
	for _, a := range s.post.Alarms(now) {
		c := status.Condition{Type: a.Type, Passage: a.Passage, Detail: a.Detail}
		holds[c.ID()] = true
		s.opts.Board.Set(c)
	}
	for id, c := range s.opts.Board.Conditions() {
		if post.Raises(c.Type) && !holds[id] {
			c.Detail = ""
			s.opts.Board.Set(c)
		}
	}
	s.opts.Board.SetPost(status.Post{View: s.post.View(now), Overrides: s.opts.Rules.Overrides})
}

// sees reports whether a device works that notices people.
func (s *Station) sees() bool {
	return slices.ContainsFunc(s.inputs, func(in *input) bool { return in.state == fact.DeviceOK })
}
