package report

import "sync"

// blocks counts the steps that fail and are tried again, and tells whether there
// are any. Its methods may be called from any goroutine.
type blocks struct {
	tell func(error) // why reports can't be stored; nil: they can

	mu sync.Mutex
	n  int
}

// add notes that a step has failed, for the first time or again.
func (b *blocks) add(first bool, why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if first {
		b.n++
	}
	b.tell(why)
}

// end notes that a step that had failed is not tried again.
func (b *blocks) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n--; b.n == 0 {
		b.tell(nil)
	}
}
