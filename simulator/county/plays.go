package county

import (
	"context"
	"fmt"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/world"
)

func coldMorning(ctx context.Context, a *act) error {
	card := a.household()[0]
	a.hw.SetAmbient(2000)
	if _, err := a.step(ctx, "岗亭里有暖气。居民从零下六度的外面进来，额温 33.4", "The booth is heated. A resident comes "+
		"in from −6 °C with a forehead of 33.4", then{readerName, card, 3340, kiosk.LookInvalid, fact.ReasonTooCold},
	); err != nil {
		return err
	}
	if _, err := a.step(ctx, "屏幕让他在室内暖一暖再来：现在 36.5", "The screen lets them warm up inside and come "+
		"again: 36.5 now", then{readerName, card, 3650, kiosk.LookPass, fact.ReasonNormal}); err != nil {
		return err
	}
	defer a.warmUp(ctx)
	a.hw.SetAmbient(-600)
	v, err := a.step(ctx, "暖气停了，门口零下六度：红外测温不可信", "The heating fails, −6 °C at the gate: infrared can't "+
		"be trusted", then{readerName, a.household()[1], 3560, kiosk.LookInvalid, fact.ReasonAmbientLow})
	if err != nil {
		return err
	}
	a.tell(ctx, "保安按“输入体温”，用体温计量得 36.6", "The guard presses “enter value”: 36.6 by a contact thermometer")
	if err := a.guard.Enter(ctx, v, 3660, fact.HandHeldContact); err != nil {
		return err
	}
	_, err = a.sees(ctx, kiosk.LookPass, fact.ReasonEntered)
	return err
}

// warmUp heats the booth again, and waits until the thermometer has settled.
func (a *act) warmUp(ctx context.Context) {
	a.hw.SetAmbient(2000)
	a.tell(ctx, "暖气修好了，测温仪要稳定二十秒", "The heating works again; the thermometer settles for twenty seconds")
	retry.Sleep(ctx, settles)
}

func sealedLeaving(ctx context.Context, a *act) error {
	v, err := a.step(ctx, "封控户刷卡出门", "Somebody of a sealed household taps to leave",
		then{exitName, a.cast.Sealed, 0, kiosk.LookSealed, fact.ReasonSealed})
	if err != nil {
		return err
	}
	a.tell(ctx, "保安劝回，按“已劝回”", "The guard sends them back, and presses so")
	if err := a.guard.Press(ctx, v, kiosk.ActionSentBack); err != nil {
		return err
	}
	_, err = a.step(ctx, "同一户的人从外面回家：放行并记录", "They come home from outside: it is allowed, and recorded",
		then{readerName, a.cast.Sealed, 3640, kiosk.LookPass, fact.ReasonSealedEntry})
	return err
}

// asksWithin is how long it takes at most until the screen of a manned gate asks whether
// the guard is still there.
const asksWithin = 40 * time.Second

func absentGuard(ctx context.Context, a *act) error {
	a.away.Store(true)
	defer a.away.Store(false)
	a.tell(ctx, "值守员 "+world.GuardID+" 已签到，走开了", "The guard "+world.GuardID+", who is signed in, walks away")
	wait, cancel := context.WithTimeout(ctx, asksWithin)
	defer cancel()
	if _, err := a.guard.AwaitPost(wait, func(p kiosk.Post) bool { return p.Asked != nil }); err != nil {
		return fmt.Errorf("the screen does not ask whether the guard is there within %s", asksWithin)
	}
	a.tell(ctx, "屏幕问“还在岗吗”，没人按", "The screen asks whether anybody is there, and nobody presses")
	if _, err := a.onDesk(ctx, "an absent guard", isType(fact.AlarmGuardAbsent)); err != nil {
		return err
	}
	v, err := a.step(ctx, "县里收到“门岗无人值守”。这时封控户刷卡出门", "The desk shows an absent guard. Now somebody of a sealed "+
		"household taps to leave", then{exitName, a.cast.Sealed, 0, kiosk.LookSealed, fact.ReasonSealed})
	if err != nil {
		return err
	}
	if _, err := a.onDesk(ctx, "a red verdict without an answer", isType(fact.AlarmRedUnanswered)); err != nil {
		return err
	}
	a.tell(ctx, "十秒没人应答：县里又收到“红色告警无人应答”", "Nobody answers for ten seconds: the desk shows a red verdict that is "+
		"not answered, too")
	a.tell(ctx, "保安回来，按“已劝回”，两个报警都解除", "The guard is back and presses “sent back”, which ends both")
	return a.guard.Press(ctx, v, kiosk.ActionSentBack)
}

func quotaUsed(ctx context.Context, a *act) error {
	home := a.household()
	if _, err := a.step(ctx, "一户出去一个人买菜", "One of a household goes out for food",
		then{exitName, home[0], 3650, kiosk.LookPass, fact.ReasonNormal}); err != nil {
		return err
	}
	if _, err := a.step(ctx, "同一户第二个人也要出去：今天次数已用完", "Another of the household wants to go: the day's "+
		"exit is used up", then{exitName, home[1], 3650, kiosk.LookRefuse, fact.ReasonQuota}); err != nil {
		return err
	}
	retry.Sleep(ctx, shops)
	_, err := a.step(ctx, "第一个人买完菜回家", "The first one comes home", then{readerName, home[0], 3640,
		kiosk.LookPass, fact.ReasonNormal})
	return err
}

// alike is how many people pass before a thermometer that reads alike for all of them is
// found out.
const alike = 40

func normalForEverybody(ctx context.Context, a *act) error {
	a.hw.SetFault(bench.FaultNormal)
	defer a.hw.SetFault(bench.FaultNone)
	a.tell(ctx, "四十个人走过，体温各不相同，测温仪都显示 36.5", "Forty people come, no two alike, and the "+
		"thermometer shows 36.5 for each")
	doubtful := func(v kiosk.View) bool { return v.Look == kiosk.LookFault && v.Kind == "doubtful" }
	for i := range alike {
		card := a.cast.Households[(a.take+i)%len(a.cast.Households)][0]
		if err := a.comes(ctx, readerName, card, fact.Temp(3600+20*(i%6))); err != nil || ctx.Err() != nil {
			return err
		}
	}
	wait, cancel := context.WithTimeout(ctx, seenWithin)
	defer cancel()
	v, err := a.guard.Await(wait, doubtful)
	if err != nil {
		return fmt.Errorf("the screen does not show a doubtful thermometer within %s, but %s", seenWithin, v.Look)
	}
	a.tell(ctx, "屏幕：测温仪读数可疑，不再凭它放行。保安按“知道了”，用体温计量", "The screen: the thermometer is doubtful, and "+
		"lets nobody pass any more. The guard presses “noted”, and measures by hand")
	if err := a.guard.Press(ctx, v, kiosk.ActionNoted); err != nil {
		return err
	}
	if v, err = a.sees(ctx, kiosk.LookInvalid, fact.ReasonDoubtful); err != nil {
		return err
	}
	if err := a.guard.Enter(ctx, v, 3660, fact.HandHeldContact); err != nil {
		return err
	}
	_, err = a.sees(ctx, kiosk.LookPass, fact.ReasonEntered)
	return err
}

// waits is how long the policy of the stage lets somebody with a fever wait before the
// second measurement, with a moment to spare.
const waits = 11 * time.Second

// firstFever plays the first measurement of a fever, at which the guard calls a doctor,
// whom the desk sends, and the wait after it.
func (a *act) firstFever(ctx context.Context, zh, en, card string) error {
	v, err := a.step(ctx, zh, en, then{readerName, card, 3840, kiosk.LookFever, fact.ReasonFever})
	if err != nil {
		return err
	}
	ready := time.Now().Add(waits)
	a.tell(ctx, "保安按“请医生”，请他到等候处等一等", "The guard calls the doctor, and lets the person wait")
	if err := a.guard.Press(ctx, v, kiosk.ActionCallDoctor); err != nil {
		return err
	}
	if err := a.doctor(ctx); err != nil {
		return err
	}
	a.tell(ctx, "岗亭屏幕显示：医生在路上，10 分钟", "The gate's screen shows: the doctor is on the way, 10 minutes")
	retry.Sleep(ctx, time.Until(ready))
	return nil
}

func feverResident(ctx context.Context, a *act) error {
	card := a.household()[0]
	if err := a.firstFever(ctx, "居民额温 38.4：一次测量还不能下结论", "A resident reads 38.4: one reading settles nothing",
		card); err != nil {
		return err
	}
	v, err := a.step(ctx, "等过之后同一台测温仪量得 36.5：还要换一种方法确认", "After the wait the same thermometer reads 36.5: "+
		"another one must say so, too", then{readerName, card, 3650, kiosk.LookRetest, fact.ReasonContactNeeded})
	if err != nil {
		return err
	}
	a.tell(ctx, "保安用体温计量得 36.6，输入", "The guard measures 36.6 with a contact thermometer, and enters it")
	if err := a.guard.Enter(ctx, v, 3660, fact.HandHeldContact); err != nil {
		return err
	}
	if _, err = a.sees(ctx, kiosk.LookPass, fact.ReasonEntered); err != nil {
		return err
	}
	_, err = a.onDeskOver(ctx, "that the fever is cleared", func(x alerts.Alert) bool {
		return x.Type == fact.AlarmFever && x.Settled != nil && x.Settled.Step == fact.EpisodeCleared
	})
	if err != nil {
		return err
	}
	a.tell(ctx, "县里的发热告警写明“已排除发热”", "The desk says of the fever that the second measurement has cleared it")
	return a.endCall(ctx, "保安打电话告诉医生不用来了，按“已电话联系”", "The guard telephones the doctor, who need not come, and "+
		"presses “reached”", kiosk.ActionReached)
}

func feverVisitor(ctx context.Context, a *act) error {
	card := a.cast.Visitors[a.take%len(a.cast.Visitors)]
	if err := a.firstFever(ctx, "访客额温 38.4", "A visitor reads 38.4", card); err != nil {
		return err
	}
	v, err := a.step(ctx, "等过之后 38.2：确认发热，不能进", "After the wait it is 38.2: the fever is confirmed, no entry",
		then{readerName, card, 3820, kiosk.LookConfirmed, fact.ReasonFever})
	if err != nil {
		return err
	}
	a.tell(ctx, "保安按“隔离等待”", "The guard presses “isolate”")
	if err := a.guard.Press(ctx, v, kiosk.ActionIsolate); err != nil {
		return err
	}
	return a.endCall(ctx, "医生到了，保安按“医生已到”", "The doctor comes, and the guard presses “the doctor is here”",
		kiosk.ActionArrived)
}
