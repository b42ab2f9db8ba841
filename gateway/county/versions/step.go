package versions

import (
	"time"

	"gatehouse/gateway/county/command"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Seen is what is known of a gate at one moment.
type Seen struct {
	Online  bool
	Heard   time.Time // its last heartbeat; zero: none since the collector began to listen
	Program string    // version of the program, as it says; empty: not known
	Upgrade *wire.Upgrade
}

// Sent is what became of a command.
type Sent struct {
	State  command.State // empty: it is not known any more
	Why    fact.CommandWhy
	Detail string
}

// World is what a rollout sees of the county at one moment.
type World struct {
	Now    time.Time
	Since  time.Time // since when gates can be heard without a break
	Gate   func(agent string) Seen
	Sent   func(id string) Sent
	Paused bool // nothing is asked for: another collector may have taken over
}

// has reports whether a gate runs a version and nothing is on the way there.
func (s Seen) has(version string) bool {
	u := s.Upgrade
	return s.Online && u != nil && u.Package == version && (u.State == "" || u.State.Ended())
}

// of returns what the gate says of the upgrade that a command asked for.
func (s Seen) of(id string) (fact.UpgradeState, string) {
	if u := s.Upgrade; u != nil && id != "" && u.ID == id {
		return u.State, u.Why
	}
	return "", ""
}

// quiet returns for how long nothing was heard of a gate that came to its state at since, as
// far as it could be heard.
func (w World) quiet(s Seen, since time.Time) time.Duration {
	last := since
	for _, t := range []time.Time{s.Heard, w.Since} {
		if t.After(last) {
			last = t
		}
	}
	return w.Now.Sub(last)
}

// Step returns what becomes of a rollout by what is seen now, and which gates are to be asked.
// They are in the state Asked in what is returned only when Commanded has said so.
func Step(r Rollout, w World) (Rollout, []string) {
	i := r.current()
	if !r.State.Open() || i < 0 {
		return r, nil
	}
	r = r.clone()
	wave := &r.Waves[i]
	for j, g := range wave.Gates {
		wave.Gates[j] = g.step(r.Version, w)
	}
	if r.State != Running {
		return r, nil
	}
	if wave.Began.IsZero() {
		wave.Began = w.Now
	}
	for _, g := range wave.Gates {
		if g.State == Failed || g.State == Unheard {
			return r.to(Stopped, w.Now, g.Why, g.Agent), nil
		}
	}
	if asks := wave.asks(w); len(asks) > 0 {
		wave.Well = time.Time{}
		return r, asks
	}
	return r.turn(i, w), nil
}

// turn looks whether the wave is done and well, and the next may begin.
func (r Rollout) turn(i int, w World) Rollout {
	wave := &r.Waves[i]
	done, here := 0, true
	for _, g := range wave.Gates {
		if g.open() {
			wave.Well = time.Time{}
			return r
		}
		if g.State == Done {
			done++
			here = here && w.Gate(g.Agent).Online
		}
	}
	switch {
	case done == 0 && !wave.Passed && !wave.left():
		return r.to(Stopped, w.Now, WhyNone, "")
	case wave.Well.IsZero():
		wave.Well = w.Now
	}
	if done > 0 && (!here || w.Now.Sub(wave.Well) < Soak) {
		return r
	}
	wave.Over = true
	if r.current() < 0 {
		return r.to(Finished, w.Now, "", "")
	}
	return r
}

// left reports whether every gate of the wave was left out.
func (w *Wave) left() bool {
	for _, g := range w.Gates {
		if g.State != Left {
			return false
		}
	}
	return true
}

// asks returns the gates that are to be asked now.
func (w *Wave) asks(now World) (out []string) {
	free := AtOnce
	for _, g := range w.Gates {
		if g.busy() {
			free--
		}
	}
	for _, g := range w.Gates {
		s := now.Gate(g.Agent)
		if g.State == Waits && len(out) < free && !now.Paused && s.Online && s.Upgrade != nil &&
			(s.Upgrade.State == "" || s.Upgrade.State.Ended()) && now.Now.Sub(g.Since) >= wait(g) {
			out = append(out, g.Agent)
		}
	}
	return out
}

// wait returns how long a gate that was not reached is left in peace.
func wait(g Gate) time.Duration { return time.Duration(g.Tries) * 30 * time.Second }

// Commanded notes that gates were commanded: the id of each one's command.
func (r Rollout) Commanded(now time.Time, ids map[string]string) Rollout {
	r = r.clone()
	if i := r.current(); i >= 0 {
		for j, g := range r.Waves[i].Gates {
			if id := ids[g.Agent]; id != "" && g.State == Waits {
				g.Command = id
				r.Waves[i].Gates[j] = g.to(Asked, now, "", "")
			}
		}
	}
	return r
}

// step returns what becomes of one gate of the wave that is on.
func (g Gate) step(version string, w World) Gate {
	s := w.Gate(g.Agent)
	switch g.State {
	case Waits:
		return g.waits(version, s, w)
	case Asked:
		return g.asked(version, s, w)
	case Upgrading, Unheard:
		return g.upgrading(version, s, w)
	case Done:
		return g.done(version, s, w)
	}
	return g
}

func (g Gate) waits(version string, s Seen, w World) Gate {
	u := s.Upgrade
	switch {
	case !s.Online:
		return g
	case u == nil && s.Program == "":
		return g // not known yet
	case u == nil:
		return g.to(Refused, w.Now, WhyOld, s.Program)
	case s.has(version):
		return g.to(Done, w.Now, "", "")
	case !u.State.Ended() && u.State != "" && u.To == version:
		g.Command = u.ID // an earlier start of the collector has asked for it
		return g.to(Upgrading, w.Now, "", "")
	case u.Lacks != "":
		return g.to(Refused, w.Now, string(u.Lacks), "")
	case g.Tries >= mostTries:
		return g.to(Refused, w.Now, WhyUnreached, "")
	}
	return g
}

func (g Gate) asked(version string, s Seen, w World) Gate {
	if state, _ := s.of(g.Command); state != "" || s.has(version) {
		return g.upgrading(version, s, w)
	}
	again := func() Gate {
		g.Tries++
		return g.to(Waits, w.Now, "", "")
	}
	sent := w.Sent(g.Command)
	switch sent.State {
	case command.Done:
		return g.to(Upgrading, w.Now, "", "")
	case command.Undelivered:
		return again()
	case command.Refused:
		switch sent.Why {
		case fact.CommandUpgrading, fact.CommandLate, fact.CommandNonce: // later it may
			return again()
		}
		return g.to(Refused, w.Now, string(sent.Why), sent.Detail)
	case command.Asked, command.Sent:
		return g
	}
	if w.quiet(s, g.Since) >= Silent {
		return g.to(Unheard, w.Now, WhySilent, "")
	}
	if s.Online && w.Now.Sub(later(g.Since, w.Since)) >= patience {
		return again() // the gate takes one once, and refuses another while it is upgraded
	}
	return g
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (g Gate) upgrading(version string, s Seen, w World) Gate {
	state, why := s.of(g.Command)
	switch {
	case s.Online && state.Failed():
		return g.to(Failed, w.Now, failed(state), why)
	case s.Online && state == fact.UpgradeUnchanged:
		return g.to(Refused, w.Now, WhyUnchanged, why)
	case s.has(version):
		return g.to(Done, w.Now, "", why)
	case g.State == Unheard:
		return g // until its outcome comes
	case w.quiet(s, g.Since) >= Silent:
		return g.to(Unheard, w.Now, WhySilent, "")
	case w.Now.Sub(later(g.Since, w.Since)) >= Longest:
		return g.to(Unheard, w.Now, WhyLate, "")
	}
	return g.to(Upgrading, w.Now, "", string(state))
}

// done watches a gate that is done, while its wave is on.
func (g Gate) done(version string, s Seen, w World) Gate {
	state, why := s.of(g.Command)
	switch {
	case s.Online && state.Failed():
		return g.to(Failed, w.Now, failed(state), why)
	case s.Online && s.Upgrade != nil && s.Upgrade.Package != version && s.Upgrade.Package != "" &&
		(s.Upgrade.State == "" || s.Upgrade.State.Ended()):
		return g.to(Failed, w.Now, WhyBack, s.Upgrade.Package)
	case w.quiet(s, g.Since) >= Silent:
		return g.to(Unheard, w.Now, WhySilent, "")
	}
	return g
}
