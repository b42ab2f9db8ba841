package prove

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/guard"
)

// posts are faults while a guard and somebody at the gate are in the middle of something.
func posts() []Fault {
	return []Fault{{
		Row:  59,
		Name: "killed-in-an-episode",
		What: "kill -9 of an agent with a fever on its screen, and again while the person waits to be measured " +
			"again; it is dead for some minutes then",
		Expect: "the fever is shown until it is answered, and not again; the second measurement settles " +
			"the same episode",
		prepare: func(ctx context.Context, r *rig) error {
			return errors.Join(allowClockShift(ctx, r), attend(nil)(ctx, r))
		},
		inject: killInEpisode,
	}, {
		Row:  60,
		Name: "killed-in-a-check",
		What: "kill -9 of an agent in a field check, when somebody is measured and their contact value not " +
			"entered yet",
		Expect:  "the pairs are kept, nobody else's value takes the place of the lost one, and the check is finished",
		prepare: attend(nil),
		inject:  killInCheck,
	}, {
		Row:  61,
		Name: "called-without-county",
		What: "two calls of a guard while the broker is down; agent, then collector killed before the desk answers, " +
			"and the collector again at once after it has",
		Expect:  "the screen says that nobody knows yet; each call comes once, and both answers reach the gate",
		prepare: attend(nil),
		inject:  callWithoutCounty,
	}, {
		Row:     62,
		Name:    "killed-on-duty",
		What:    "kill -9 of an agent with a guard on duty, after a hand-over, before it is read, and after wrong PINs",
		Expect:  "who was on duty is; the next guard reads the note once; the wait for a PIN goes on",
		prepare: attend(map[string]string{"east-1": "8053", "east-2": "2749"}),
		inject:  killOnDuty,
	}}
}

// killInEpisode plays a fever episode of a resident.
func killInEpisode(ctx context.Context, r *rig) error {
	p, err := r.atPost(ctx)
	if err != nil {
		return err
	}
	card, err := p.resident()
	if err != nil {
		return err
	}
	fever := func(v kiosk.View) bool {
		return v.Look == kiosk.LookFever && v.Instruction == string(fact.InstructWait) && v.Episode != nil
	}
	if _, err := p.comes(ctx, card, 3840); err != nil {
		return err
	}
	if err := p.killed(ctx); err != nil {
		return err
	}
	v, err := p.sees(ctx, "the fever of before the restart", fever)
	if err != nil {
		return err
	}
	if err := p.Press(ctx, v, kiosk.ActionRetest); err != nil {
		return err
	}
	// What is that old is not decided anew after a restart: only the record of it counts.
	const dead = 3 * time.Minute
	if err := p.killedWhile(ctx, func() error { return r.shift(dead, dead) }); err != nil {
		return err
	}
	v, err = p.sees(ctx, "that the person can be measured again", func(v kiosk.View) bool {
		return v.Look == kiosk.LookReady
	})
	if err != nil {
		return err
	}
	if v.Unanswered > 0 {
		return errors.New("the fever was answered, and is shown again")
	}
	if err := p.Retest(ctx, v); err != nil {
		return err
	}
	if v, err = p.comes(ctx, "", 3650); err != nil {
		return err
	}
	if v.Look != kiosk.LookPass {
		return fmt.Errorf("the second measurement is normal, and the screen shows %s %v", v.Look, v.Reasons)
	}
	return p.checkEpisode()
}

// checkEpisode checks that the gate has had one episode, with one alarm, which is settled.
func (p *post) checkEpisode() error {
	all, err := p.kept()
	if err != nil {
		return err
	}
	var steps []string
	for _, b := range all {
		if x, is := b.(*wire.Passage); is && x.Episode != nil {
			steps = append(steps, fmt.Sprint(x.Episode.ID, " ", x.Episode.Step))
		}
	}
	ids := map[string]bool{}
	for _, s := range steps {
		id, _, _ := strings.Cut(s, " ")
		ids[id] = true
	}
	if len(ids) != 1 || !strings.HasSuffix(steps[len(steps)-1], string(fact.EpisodeCleared)) {
		return fmt.Errorf("the episode went %v", steps)
	}
	for t, want := range map[fact.AlarmType]int{fact.AlarmFever: 1, fact.AlarmUnresolved: 0,
		fact.AlarmFeverConfirmed: 0} {
		if n, err := p.keptAlarms(t); err != nil || n != want {
			return fmt.Errorf("%d alarms %s, want %d: %w", n, t, want, err)
		}
	}
	p.note("%s", strings.Join(steps, ", "))
	return nil
}

// killOnDuty plays a change of guards.
func killOnDuty(ctx context.Context, r *rig) error {
	p, err := r.atPost(ctx)
	if err != nil {
		return err
	}
	on := func(who, note string) func(kiosk.Post) bool {
		return func(x kiosk.Post) bool {
			read := x.Note == nil
			if note != "" {
				read = x.Note != nil && x.Note.From == "east-1" && slices.Contains(x.Note.Notes, note)
			}
			return len(x.Guards) == 2 && x.On == who && read
		}
	}
	steps := []struct {
		what       string
		do         func() error
		on, unread string // afterwards, and after a kill
	}{
		{"east-1 signs in", func() error { return p.SignIn(ctx, "east-1", "8053") }, "east-1", ""},
		{"east-1 hands over", func() error { return p.HandOver(ctx, "supplies-low") }, "", ""},
		{"east-2 signs in", func() error { return p.SignIn(ctx, "east-2", "2749") }, "east-2", "supplies-low"},
		{"east-2 takes over", func() error { return p.Press(ctx, kiosk.View{ID: "post"}, "took-over") }, "east-2", ""},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		if err := p.killed(ctx); err != nil {
			return err
		}
		if err := p.seesOfPost(ctx, s.what, on(s.on, s.unread)); err != nil {
			return err
		}
	}
	return p.guess(ctx)
}

// guess enters wrong PINs until none is taken, before and after a kill.
func (p *post) guess(ctx context.Context) error {
	for range 3 {
		if err := p.SignIn(ctx, "east-1", "1111"); !errors.Is(err, guard.ErrRefused) {
			return fmt.Errorf("a wrong PIN: %w", err)
		}
	}
	if err := p.killed(ctx); err != nil {
		return err
	}
	if err := p.SignIn(ctx, "east-1", "8053"); err == nil || !strings.Contains(err.Error(), "429") {
		return fmt.Errorf("after three wrong PINs and a kill a PIN is taken at once: %w", err)
	}
	all, err := p.kept()
	if err != nil {
		return err
	}
	var did []string
	for _, b := range all {
		if a, is := b.(*wire.Audit); is && a.Head == nil {
			did = append(did, a.Actor+" "+a.Action)
		}
	}
	want := "east-1 sign-in, east-1 hand-over, east-2 sign-in, east-2 took-over, east-1 pin-wrong, " +
		"east-1 pin-wrong, east-1 pin-wrong"
	if got := strings.Join(did, ", "); got != want {
		return fmt.Errorf("the records say %s, want %s", got, want)
	}
	return nil
}
