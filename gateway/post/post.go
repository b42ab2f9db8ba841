// Package post looks after the post of a gate: which guard is on duty and what they
// were told by the one before, whether anybody answers, and what the county must be
// told of it. It is pure: what happened and time go in, alarms and what the screen
// shows come out. After a restart the same comes out when what the journal holds goes
// in again. A Post is for one goroutine, and bounded in memory.
package post

import (
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// Anybody is the actor where no guards are listed, or none is signed in.
const Anybody = "guard"

// What guards do at a post, as in audit records, besides their answers.
const (
	SignIn    = "sign-in"
	SignOut   = "sign-out"
	PINWrong  = "pin-wrong" // the actor is the guard whose PIN it is not
	HandOver  = "hand-over"
	TookOver  = "took-over"
	LetPass   = "let-pass"
	Stopped   = "stopped"
	StillHere = "still-here"
)

// Config is the configuration of a post.
type Config struct {
	Rules  policy.Post
	Zone   *time.Location // the county's, for the hours in which people come
	Guards []string       // ids; none: nobody signs in
	Asks   bool           // there is a screen: it asks, and the guard answers there
	Cards  bool           // a guard can sign in by card, without a screen
}

// Alarm is something that the county must be told as long as it holds.
type Alarm struct {
	Type    fact.AlarmType
	Passage uint64 // that it is about; 0: none
	Detail  string // for people
}

// Post is the state of a post. Its methods take moments that do not run backwards.
type Post struct {
	cfg      Config
	attempts Attempts
	shift    shift
	reds     reds
	fast     fast
	duty     duty
	quiet    quiet
}

// New returns the post of a gate at which nobody has done anything yet.
func New(cfg Config, now clock.Moment) *Post {
	p := &Post{cfg: cfg, duty: duty{pressed: now.Boot, left: now.Boot}}
	p.quiet.ticked = now.Boot
	return p
}

// Passage takes a verdict that is shown to the guard; seq is its record.
func (p *Post) Passage(at clock.Moment, seq uint64, x wire.Passage) { p.reds.show(at.Boot, seq, x) }

// Earlier takes a verdict of before a restart. at.Wall is zero when its age is not known.
func (p *Post) Earlier(now, at clock.Moment, seq uint64, x wire.Passage, answered bool) {
	if at.Wall.IsZero() {
		at = now
	}
	if now.Boot-at.Boot <= redsFor {
		p.reds.earlier(at.Boot, seq, x, answered)
	}
}

// Came notes that a device of the gate has seen somebody.
func (p *Post) Came() { p.quiet.lasts = 0 }

// CameEarlier notes when somebody came last before a restart.
func (p *Post) CameEarlier(now, at clock.Moment) { p.quiet.restore(p.cfg, now, at) }

// Did takes what a guard has done, as its record says. It is called with those of
// before a restart, too, in their order; at.Wall is zero when their age is not known:
// then waiting begins anew.
func (p *Post) Did(now, at clock.Moment, a wire.Audit) {
	if at.Wall.IsZero() {
		at = now
	}
	switch a.Action {
	case PINWrong:
		p.attempts.wrong(at.Boot, a.Actor)
		return // that somebody tries is no sign of a guard
	case SignIn:
		if !slices.Contains(p.cfg.Guards, a.Actor) {
			a.Action = SignOut // they are not on the list any more
			break
		}
		if p.shift.on != a.Actor {
			p.fast = fast{}
		}
		p.attempts.forgive(a.Actor)
	}
	p.shift.did(at, a)
	p.duty.did(at.Boot, p.shift.on)
	if a.Passage != 0 {
		p.reds.answered(a.Passage)
		p.fast.add(a)
	}
}

// Pressed notes that somebody did something at the screen that is no audit record,
// such as a value that was entered.
func (p *Post) Pressed(at clock.Moment) { p.duty.did(at.Boot, p.shift.on) }

// Tick lets time pass; the agent calls it once a second. sees is true while a device
// works that notices people, sure while the wall clock is known to be right.
func (p *Post) Tick(now clock.Moment, sees, sure bool) { p.quiet.tick(p.cfg, now, sees, sure) }

// Actor returns who answers at the screen.
func (p *Post) Actor() string {
	if p.shift.on == "" {
		return Anybody
	}
	return p.shift.on
}

// Manned reports whether somebody is known to be on duty, or nobody need sign in.
func (p *Post) Manned() bool { return len(p.cfg.Guards) == 0 || p.shift.on != "" }

// Attempts are the attempts to sign in with a PIN.
func (p *Post) Attempts() *Attempts { return &p.attempts }

// Alarms returns what the county must be told at now, sorted by type, then by passage.
func (p *Post) Alarms(now clock.Moment) (out []Alarm) {
	if n, d := p.fast.count(), fastFor; n >= fastOf {
		out = append(out, Alarm{Type: fact.AlarmAnswersTooFast, Detail: fmt.Sprintf(
			"%s answered %d of the last %d red verdicts within %s, sooner than they can be read: "+
				"speak with them, and look what became of these people", p.Actor(), n, len(p.fast.last), d)})
	}
	if p.quiet.long(p.cfg) {
		out = append(out, Alarm{Type: fact.AlarmGateQuiet, Detail: fmt.Sprintf(
			"the devices work and nobody came for %s, at hours when people come: "+
				"does the reader read a card, and do people use another way?", p.cfg.Rules.Duty.Quiet)})
	}
	if why := p.duty.absent(p.cfg, now.Boot, p.shift.on); why != "" {
		out = append(out, Alarm{Type: fact.AlarmGuardAbsent, Detail: why})
	}
	if n := p.attempts.Count(now.Boot); n >= guessing {
		out = append(out, Alarm{Type: fact.AlarmPINGuessed, Detail: fmt.Sprintf(
			"%d wrong PINs or more within a day: look who stands at the gate's screen; a guard's card still signs in",
			guessing)})
	}
	if !p.cfg.Asks {
		return out // nobody can answer: the fever's own alarm, and that of who wants to leave, are told at once
	}
	for _, r := range p.reds.late(now.Boot, p.cfg.Rules.Escalate.Limit()) {
		out = append(out, Alarm{Type: fact.AlarmRedUnanswered, Passage: r.first, Detail: fmt.Sprintf(
			"%s: the guard has not answered for %s: call the gate", r.kind, p.cfg.Rules.Escalate.Limit())})
	}
	return out
}

// View is what the screen shows of a post.
type View struct {
	Guards []string     // who may sign in; none: nobody need
	On     string       // who is signed in; empty: nobody
	Since  clock.Moment // when they signed in
	Asked  time.Duration
	Until  time.Duration // boot clock: when the county is told that nobody answers; 0: nothing is asked
	Wait   time.Duration // boot clock until when no PIN is taken
	Note   *Note         // to be confirmed by who is on duty; nil: nothing
	Leave  bool          // who is on duty may hand over
}

// View returns what the screen shows at now.
func (p *Post) View(now clock.Moment) View {
	v := View{Guards: p.cfg.Guards, On: p.shift.on, Since: p.shift.since, Note: p.shift.pending(),
		Leave: p.shift.on != ""}
	v.Asked, v.Until = p.duty.asks(p.cfg, now.Boot, p.shift.on)
	if wait := p.attempts.Wait(now.Boot); wait > 0 {
		v.Wait = now.Boot + wait
	}
	return v
}

// Raises reports whether a post raises alarms of a type, which end when Alarms does not
// return them any more.
func Raises(t fact.AlarmType) bool {
	switch t {
	case fact.AlarmAnswersTooFast, fact.AlarmGateQuiet, fact.AlarmGuardAbsent, fact.AlarmPINGuessed,
		fact.AlarmRedUnanswered:
		return true
	}
	return false
}

// Notes returns the codes of the notes that one guard can leave to the next.
func Notes() []string {
	return []string{"all-quiet", "somebody-waits", "called-no-answer", "device-trouble", "hand-held-used",
		"supplies-low", "sealed-household", "delivery-expected"}
}

// SetRules puts other rules into force, with their guards. Who is on duty and is none of them
// any more, is signed out.
func (p *Post) SetRules(r policy.Post, guards []string, cards bool) {
	p.cfg.Rules, p.cfg.Guards, p.cfg.Cards = r, guards, cards
	if !slices.Contains(guards, p.shift.on) {
		p.shift.on = ""
	}
}
