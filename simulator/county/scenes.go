package county

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
	"gatehouse/simulator/bench"
)

// scene is something that happens at a gate, from its beginning to its end.
type scene struct {
	name   string
	zh, en string
	play   func(ctx context.Context, a *act) error
}

// scenes are all scenes, in the order in which the demo plays them.
var scenes = []scene{
	{"cold-morning", "寒冷的早晨：户外进来额温偏低，先暖一暖再测；门口太冷测不准，保安用体温计量，手工输入",
		"A cold morning: a cold forehead is not judged, warms up and passes; where the air is too cold, the guard " +
			"enters what a contact thermometer shows", coldMorning},
	{"sealed-leaving", "封控户要出门：最响的报警；回家不拦", "Somebody of a sealed household leaves, which is the " +
		"loudest alarm; coming home is allowed", sealedLeaving},
	{"quota-used", "本户今天已有人出过门：第二个人不能再出", "A household has used its exit of the day: the second " +
		"one stays", quotaUsed},
	{"normal-for-everybody", "测温仪给谁都显示正常：系统查出来", "A thermometer shows a normal value for everybody, " +
		"and is found out", normalForEverybody},
}

// SceneNames returns the names of all scenes.
func SceneNames() (names []string) {
	for _, s := range scenes {
		names = append(names, s.name)
	}
	return names
}

// Describe returns the names of all scenes with what happens in them, a line each.
func Describe() (text string) {
	for _, s := range scenes {
		text += fmt.Sprintf("  %-21s %s\n  %-21s %s\n", s.name, s.zh, "", s.en)
	}
	return text
}

const exitName = "reader-out"

// How long people of scenes take.
const (
	seenWithin = 20 * time.Second // for the screen to show what must follow
	stands     = 10 * time.Second // in front of the thermometer at most, until there is a verdict
	thenTaps   = 100 * time.Millisecond
	thenGoes   = 250 * time.Millisecond
	settles    = 21 * time.Second        // a thermometer after its surroundings have changed
	shops      = 1500 * time.Millisecond // who taps again sooner is taken for somebody still at the barrier
)

// tell says what happens next, in both languages, and waits a moment.
func (a *act) tell(ctx context.Context, zh, en string) {
	a.c.say("  %s %s / %s\n", a.ID, zh, en)
	retry.Sleep(ctx, a.c.cfg.Stage.Pace)
}

// comes lets somebody stand at the thermometer and tap, and step away when the screen
// has a verdict.
func (a *act) comes(ctx context.Context, reader, card string, screening fact.Temp) error {
	a.last = a.guard.View().ID // what is shown of who came before is not of this person
	a.hw.Stand(bench.Surface(screening, a.Offset), stands)
	retry.Sleep(ctx, thenTaps)
	err := a.hw.Tap(ctx, reader, card)
	wait, cancel := context.WithTimeout(ctx, stands)
	defer cancel()
	// Without a verdict they step away after a while, and sees says what is shown instead.
	_, _ = a.guard.Await(wait, func(v kiosk.View) bool {
		return v.ID != a.last && (v.Screening != nil && len(v.Reasons) > 0 || v.Look == kiosk.LookFault)
	})
	a.hw.Leave()
	retry.Sleep(ctx, thenGoes)
	return err
}

// sees waits until the screen shows something new of a look and with these reasons. What
// was there before does not count.
func (a *act) sees(ctx context.Context, look kiosk.Look, reasons ...fact.Reason) (kiosk.View, error) {
	wait, cancel := context.WithTimeout(ctx, seenWithin)
	defer cancel()
	v, err := a.guard.Await(wait, func(v kiosk.View) bool {
		has := func(r fact.Reason) bool { return slices.Contains(v.Reasons, r) }
		return v.Look == look && v.ID != a.last && !slices.ContainsFunc(reasons, func(r fact.Reason) bool {
			return !has(r)
		})
	})
	if err != nil {
		return v, fmt.Errorf("the screen does not show %s %s within %s, but %s %s", look,
			fact.JoinReasons(reasons, "+"), seenWithin, v.Look, fact.JoinReasons(v.Reasons, "+"))
	}
	a.last = v.ID
	retry.Sleep(ctx, a.c.cfg.Stage.Pace)
	return v, nil
}

// then is one step of a scene: somebody comes, and the screen must show this.
type then struct {
	reader, card string
	screening    fact.Temp // 0: is not measured, taps only
	look         kiosk.Look
	reason       fact.Reason
}

// step plays a step and returns what the guard sees.
func (a *act) step(ctx context.Context, zh, en string, t then) (kiosk.View, error) {
	a.tell(ctx, zh, en)
	a.last = a.guard.View().ID
	come := func() error { return a.comes(ctx, t.reader, t.card, t.screening) }
	if t.screening == 0 {
		come = func() error { return a.hw.Tap(ctx, t.reader, t.card) }
	}
	if err := come(); err != nil {
		return kiosk.View{}, err
	}
	return a.sees(ctx, t.look, t.reason)
}

// household returns the two cards of a household that has not played before.
func (a *act) household() [2]string { return a.cast.Households[a.take%len(a.cast.Households)] }

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
