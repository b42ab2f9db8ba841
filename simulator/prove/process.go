package prove

import (
	"context"
	"slices"
	"sync"
	"syscall"
	"time"

	"gatehouse/simulator/program"
)

// process is a program of a proof, which knows when it was dead. Its methods may be called
// from several goroutines.
type process struct {
	program.Program

	mu     sync.Mutex
	killed time.Time // zero: it was not killed since its start
	dead   []outage  // between a kill and the next start
}

// start starts the process; it does nothing if it runs.
func (p *process) start() error {
	started, err := p.Start()
	p.mu.Lock()
	defer p.mu.Unlock()
	if started && !p.killed.IsZero() {
		p.dead = append(p.dead, outage{p.killed, time.Now()})
		p.killed = time.Time{}
	}
	return err
}

// kill ends the process with SIGKILL.
func (p *process) kill() {
	p.End(syscall.SIGKILL, time.Minute)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = time.Now()
}

// outages returns when the process was dead after kill.
func (p *process) outages() []outage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.dead)
}

//nolint:unparam // rows say how long they wait
func (p *process) end(sig syscall.Signal, grace time.Duration) { p.End(sig, grace) }

func (p *process) signal(sig syscall.Signal) { p.Signal(sig) }

func (p *process) pid() int { return p.PID() }

func (p *process) printed() string { return p.Printed() }

func (p *process) died() bool { return p.Died() }

func (p *process) tail() string { return p.Tail() }

func (p *process) waitFor(ctx context.Context, ready func() bool) error { return p.WaitFor(ctx, ready) }
