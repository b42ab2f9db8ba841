package county

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/calls"
	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
)

const (
	looksEvery = 250 * time.Millisecond // at the desk, while waiting for an alert
	deskWithin = 40 * time.Second       // for the desk to show what must follow
)

// minutes is when the doctor of scenes says to arrive.
const minutes = 10

var errNoDesk = errors.New("nobody works at the county's desk")

func isType(t fact.AlarmType) func(alerts.Alert) bool {
	return func(x alerts.Alert) bool { return x.Type == t }
}

// onDesk waits until the desk shows an alert of the gate that has not ended, and returns it.
func (a *act) onDesk(ctx context.Context, what string, is func(alerts.Alert) bool) (alerts.Alert, error) {
	return a.onDeskOver(ctx, what, func(x alerts.Alert) bool { return x.Cleared == nil && is(x) })
}

// onDeskOver is onDesk, also of one that has ended while the scene plays.
func (a *act) onDeskOver(ctx context.Context, what string, is func(alerts.Alert) bool) (alerts.Alert, error) {
	if a.c.cfg.Stage.Desk == nil {
		return alerts.Alert{}, errNoDesk
	}
	wait, cancel := context.WithTimeout(ctx, deskWithin)
	defer cancel()
	for {
		list, err := a.c.cfg.Stage.Desk.Alerts(wait)
		i := slices.IndexFunc(list, func(x alerts.Alert) bool {
			return x.Agent == a.ID && (x.Cleared == nil || x.Cleared.After(a.began)) && is(x)
		})
		if i >= 0 {
			return list[i], nil
		}
		if !retry.Sleep(wait, looksEvery) {
			return alerts.Alert{}, errors.Join(fmt.Errorf("the desk does not show %s within %s", what, deskWithin), err)
		}
	}
}

// doctor plays that the guard has called the doctor, whom somebody at the desk sends, and
// waits until the gate's screen shows the answer.
func (a *act) doctor(ctx context.Context) error {
	call, err := a.onDesk(ctx, "the call for a doctor", func(x alerts.Alert) bool {
		return x.Call != nil && x.Call.Role == fact.RoleDoctor && x.Call.State != fact.CallAnswered
	})
	if err != nil {
		return err
	}
	a.tell(ctx, "县中心的告警页出现“门岗求助”，值班员答复：医生在路上，10 分钟", "The desk shows that the gate asks for a "+
		"doctor; somebody there answers: on the way, 10 minutes")
	answer := calls.Answer{Answer: fact.AnswerOnTheWay, Minutes: minutes}
	if err := a.c.cfg.Stage.Desk.Answer(ctx, call.ID, answer); err != nil {
		return err
	}
	_, err = a.call(ctx)
	return err
}

// call waits until the gate's screen shows the answer to the call for a doctor.
func (a *act) call(ctx context.Context) (kiosk.View, error) {
	wait, cancel := context.WithTimeout(ctx, seenWithin)
	defer cancel()
	v, err := a.guard.Await(wait, func(v kiosk.View) bool {
		c := v.Call
		return v.Look == kiosk.LookCalled && c != nil && c.Role == string(fact.RoleDoctor) &&
			c.Answer == string(fact.AnswerOnTheWay) && c.Minutes == minutes
	})
	if err != nil {
		return v, fmt.Errorf("the screen does not show the desk's answer within %s, but %s", seenWithin, v.Look)
	}
	return v, nil
}

// endCall plays that the guard ends the call for a doctor, when its screen shows it.
func (a *act) endCall(ctx context.Context, zh, en, action string) error {
	v, err := a.call(ctx)
	if err != nil {
		return err
	}
	a.tell(ctx, zh, en)
	return a.guard.Press(ctx, v, action)
}
