package report

import "sync"

// places bounds how many machines' messages are taken at the same time. Whoever
// pauses because something fails leaves its place: it delays only its machine.
type places struct {
	mu   sync.Mutex
	more sync.Cond
	free int
}

func newPlaces(n int) *places {
	p := &places{free: n}
	p.more.L = &p.mu
	return p
}

// enter waits for a free place and takes it.
func (p *places) enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.free <= 0 {
		p.more.Wait()
	}
	p.free--
}

// leave frees a place.
func (p *places) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free++
	p.more.Signal()
}
