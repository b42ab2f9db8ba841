package station

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
)

// played notes what outputs are asked for, with the time since its start.
type played struct {
	began time.Time
	log   []string
}

func (p *played) Show(ctx context.Context, s devices.Signal) error {
	p.note("show " + string(s.Lamp))
	if s.Barrier {
		select {
		case <-time.After(700 * time.Millisecond):
			p.note("barrier opened")
		case <-ctx.Done():
			p.note("barrier cut short")
		}
	}
	return nil
}

func (p *played) Off() error { p.note("off"); return nil }

func (p *played) note(what string) {
	p.log = append(p.log, fmt.Sprintf("%s %s", time.Since(p.began).Round(100*time.Millisecond), what))
}

func play(t *testing.T, script func(send func(fact.Verdict))) []string {
	t.Helper()
	p := &played{}
	synctest.Test(t, func(t *testing.T) {
		p.began = time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		out := newOutput(Device{Name: "outputs"}, p)
		done := make(chan struct{})
		go func() { defer close(done); out.drive(ctx, slog.New(slog.DiscardHandler)) }()
		script(func(v fact.Verdict) { out.send(cueOf(v)) })
		time.Sleep(30 * time.Second)
		cancel()
		<-done
	})
	return p.log
}

func TestOutputsFollowVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		script func(send func(fact.Verdict))
		want   []string
	}{
		"a pass opens the barrier and goes dark after its hold": {
			func(send func(fact.Verdict)) { send(fact.VerdictPass) },
			[]string{"0s off", "0s show green", "700ms barrier opened", "3s off", "30s off"},
		},
		"a fever ends a pass at once": {
			func(send func(fact.Verdict)) {
				send(fact.VerdictPass)
				time.Sleep(300 * time.Millisecond)
				send(fact.VerdictFever)
			},
			[]string{"0s off", "0s show green", "300ms barrier cut short", "300ms show red", "8.3s off", "30.3s off"},
		},
		"nobody slips through behind a fever": {
			func(send func(fact.Verdict)) {
				send(fact.VerdictFever)
				time.Sleep(time.Second)
				send(fact.VerdictPass)
			},
			[]string{"0s off", "0s show red", "8s show green", "8.7s barrier opened", "11s off", "31s off"},
		},
		"of two that wait behind a fever the newest is shown": {
			func(send func(fact.Verdict)) {
				send(fact.VerdictFever)
				send(fact.VerdictPass)
				send(fact.VerdictRetest)
			},
			[]string{"0s off", "0s show red", "8s show amber", "12s off", "30s off"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := play(t, c.script); !slices.Equal(got, c.want) {
				t.Fatalf("got\n%q\nwant\n%q", got, c.want)
			}
		})
	}
}
