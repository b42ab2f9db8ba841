package post

import (
	"errors"
	"fmt"
	"time"
)

// Why a guard can't do what they ask for.
var (
	ErrPIN     = errors.New("the PIN is wrong")
	ErrGuard   = errors.New("no such guard is on the list: look at guards.csv, and restart the agent after a change")
	ErrOffDuty = errors.New("nobody is signed in: sign in first, by card or PIN")
	ErrOver    = errors.New("it is not known any more who that was: let them tap the card again")
	ErrNote    = errors.New("no such note is known")
)

// WaitError says that no PIN is taken yet, after wrong ones.
type WaitError struct{ For time.Duration }

func (e WaitError) Error() string {
	return fmt.Sprintf("too many wrong PINs: wait %s, or sign in by card", e.For.Round(time.Second))
}
