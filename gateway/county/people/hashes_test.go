package people

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneHashAtATimeAndFewWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHashes()
		var mu sync.Mutex
		now, most, done, busy := 0, 0, 0, 0
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				err := h.do(t.Context(), func() {
					mu.Lock()
					now++
					most = max(most, now)
					mu.Unlock()
					time.Sleep(100 * time.Millisecond)
					mu.Lock()
					now--
					done++
					mu.Unlock()
				})
				if errors.Is(err, ErrBusy) {
					mu.Lock()
					busy++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if most != hashesAtOnce || done != hashesAtOnce+hashesWaiting || busy != 200-done {
			t.Errorf("%d at a time, %d in all, %d turned away", most, done, busy)
		}
	})
}

func TestWhoWaitsForAHashWaitsNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHashes()
		for range hashesAtOnce {
			h.running <- struct{}{}
		}
		begun := time.Now()
		err := h.do(t.Context(), func() { t.Error("it runs") })
		if !errors.Is(err, ErrBusy) || time.Since(begun) != hashWait {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.do(ctx, func() { t.Error("it runs") }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a browser that has gone: %v", err)
		}
	})
}

// An invitation that nobody made orders no work.
func TestLoggingInAndSettingUpWaitForTheirTurn(t *testing.T) {
	p := newPeople(t)
	token, err := p.Invite(t.Context(), Operator(), Duty)
	if err != nil {
		t.Fatal(err)
	}
	p.strangers.running <- struct{}{}
	p.friends.running <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := p.Login(ctx, Visitor{}, "wang", "correct horse"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("log in: %v", err)
	}
	if err := p.SetUp(t.Context(), "", "a guess", "wang", "correct horse"); !errors.Is(err, ErrInvite) {
		t.Errorf("set up with a guess: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := p.SetUp(ctx, "", token, "wang", "correct horse"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("set up: %v", err)
	}
	<-p.friends.running
	if err := p.SetUp(t.Context(), "", token, "wang", "correct horse"); err != nil {
		t.Errorf("the invitation has gone: %v", err)
	}
}
