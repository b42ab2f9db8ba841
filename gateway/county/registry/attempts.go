package registry

import (
	"sync"
	"time"
)

// Limits of failed attempts from one place.
const (
	attemptsFree  = 30               // at once
	attemptsEvery = 10 * time.Second // afterwards one
	attemptPlaces = 10000            // remembered
)

// Attempts bounds how often one place may fail to use a code. What succeeds is not
// counted: many gates may enrol from behind one router. The methods may be called from
// any goroutine; the zero value is ready.
type Attempts struct {
	mu    sync.Mutex
	until map[string]time.Time // by place: when all its attempts are allowed again
}

// Try counts an attempt, and returns how long to wait instead of serving it; 0: serve it.
func (a *Attempts) Try(place string, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.until == nil {
		a.until = map[string]time.Time{}
	}
	full := later(a.until[place], now)
	if wait := full.Add(-(attemptsFree - 1) * attemptsEvery).Sub(now); wait > 0 {
		return wait
	}
	if _, known := a.until[place]; !known && len(a.until) >= attemptPlaces {
		a.forget(now)
	}
	a.until[place] = full.Add(attemptsEvery)
	return 0
}

// Succeeded takes back an attempt that Try has counted.
func (a *Attempts) Succeeded(place string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if full, ok := a.until[place]; ok {
		a.until[place] = full.Add(-attemptsEvery)
	}
}

// forget makes room for a tenth: it forgets places that may try as often as any, and then
// some of the others.
func (a *Attempts) forget(now time.Time) {
	for place, full := range a.until {
		if !full.After(now) {
			delete(a.until, place)
		}
	}
	for place := range a.until {
		if len(a.until) < attemptPlaces*9/10 {
			return
		}
		delete(a.until, place)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
