package ruleset

import (
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// later notes why a set can't be put into force now; it is tried again.
func (r *Receiver) later(now clock.Moment, err error) {
	r.failed = max(now.Boot, 1)
	r.refuse(err)
}

// refuse says why what was published does not come into force.
func (r *Receiver) refuse(err error) {
	r.opts.Log.Error("the county's rules are refused: those of before stay in force", "err", err)
	r.say(err.Error())
}

func (r *Receiver) say(why string) {
	r.opts.Board.Set(status.Condition{Type: fact.AlarmRulesRefused, Detail: wire.OneLine(why)})
}

// accept ends the alarm: the newest set is in force.
func (r *Receiver) accept() {
	r.refused = ""
	r.opts.Board.Clear(fact.AlarmRulesRefused, "")
}
