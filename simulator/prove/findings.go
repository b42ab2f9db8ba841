package prove

import (
	"fmt"
	"slices"
	"sync"
)

// findings are what a fault has shown. The mutex guards both lists.
type findings struct {
	mu         sync.Mutex
	notes      []string // measurements
	violations []string // invariants that did not hold
}

// note adds a measurement to the row's line.
func (f *findings) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// violated adds an invariant that does not hold, once.
func (f *findings) violated(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if len(f.violations) < maxProblems && !slices.Contains(f.violations, text) {
		f.violations = append(f.violations, text)
	}
}
