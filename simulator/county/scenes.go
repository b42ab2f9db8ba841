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
	manned bool // it plays only where a guard signs in
}

// scenes are all scenes, in the order in which the demo plays them.
var scenes = []scene{
	{"cold-morning", "寒冷的早晨：户外进来额温偏低，先暖一暖再测；门口太冷测不准，保安用体温计量，手工输入",
		"A cold morning: a cold forehead is not judged, warms up and passes; where the air is too cold, the guard " +
			"enters what a contact thermometer shows", coldMorning, false},
	{"fever-resident", "居民发热：请医生，县里答复，先等一等再测；复测正常还要体温计确认，然后放行", "A resident's fever: the guard " +
		"calls a doctor, whom the desk sends; the person waits and is measured again; a contact thermometer clears it",
		feverResident, false},
	{"fever-visitor", "访客发热：请医生，县里答复，等过之后再测仍发热，确认并劝返，医生到场", "A visitor's fever: the guard calls a " +
		"doctor, whom the desk sends; after the wait it is a fever again, the visitor is turned away, the doctor comes",
		feverVisitor, false},
	{"sealed-leaving", "封控户要出门：最响的报警；回家不拦", "Somebody of a sealed household leaves, which is the " +
		"loudest alarm; coming home is allowed", sealedLeaving, false},
	{"absent-guard", "值守员签到后走开，屏幕问“还在吗”没人按，封控户出门没人应答：县里都收到报警，回来后解除",
		"The guard who is signed in walks away, does not answer “still here?”, nor somebody of a sealed household " +
			"who leaves: the county is told of both, until the guard is back", absentGuard, true},
	{"quota-used", "本户今天已有人出过门：第二个人不能再出", "A household has used its exit of the day: the second " +
		"one stays", quotaUsed, false},
	{"normal-for-everybody", "测温仪给谁都显示正常：系统查出来", "A thermometer shows a normal value for everybody, " +
		"and is found out", normalForEverybody, false},
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
