// Package program runs the real programs as processes of their own: starts them, kills them,
// and reads what they print.
package program

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Program is a program that can be started, ended and started again. The exported fields are
// set before the first start. Its methods may be called from several goroutines.
type Program struct {
	Name string
	Argv []string
	Log  string   // file to which it prints
	Env  []string // added to the environment
	Pipe bool     // it prints into a pipe that holds a page; a reader, cat, writes it to the file

	mu     sync.Mutex
	cmd    *exec.Cmd
	done   chan struct{} // closed when cmd has ended
	reader *exec.Cmd     // of the pipe; or nil
}

// Start starts the program. It does nothing, and returns false, if it runs.
func (p *Program) Start() (started bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		select {
		case <-p.done:
		default:
			return false, nil
		}
	}
	f, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return false, fmt.Errorf("start %s: %w", p.Name, err)
	}
	defer f.Close() // the child has its own descriptor
	// No CommandContext: who starts programs ends them in order.
	cmd := exec.Command(p.Argv[0], p.Argv[1:]...) //nolint:noctx // see above
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.Stdout, cmd.Stderr = f, f
	if p.Pipe {
		w, err := p.startReader(f)
		if err != nil {
			return false, fmt.Errorf("start %s: %w", p.Name, err)
		}
		defer w.Close()
		cmd.Stdout, cmd.Stderr = w, w
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return false, fmt.Errorf("start %s: %w", p.Name, err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }() // the exit code does not matter
	p.cmd, p.done = cmd, done
	return true, nil
}

// End sends sig and waits until the program has ended; after grace it kills it.
func (p *Program) End(sig syscall.Signal, grace time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(sig) // it may have ended already
	select {
	case <-p.done:
	case <-time.After(grace):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	p.cmd = nil
}

// Signal sends sig and does not wait.
func (p *Program) Signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(sig) // it may have ended already
	}
}

// PID returns the process id, or 0 if the program was not started.
func (p *Program) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Printed returns everything that the program has printed.
func (p *Program) Printed() string {
	b, err := os.ReadFile(p.Log)
	if err != nil {
		return ""
	}
	return string(b)
}

// Died reports whether the program has ended by itself.
func (p *Program) Died() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Tail returns the end of what the program has printed.
func (p *Program) Tail() string {
	s := p.Printed()
	return s[max(0, len(s)-2000):]
}

// WaitFor waits until ready returns true. It fails when the program ends or ctx is done
// before.
func (p *Program) WaitFor(ctx context.Context, ready func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		if p.Died() {
			return fmt.Errorf("%s ended while it started:\n%s", p.Name, p.Tail())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not start in time:\n%s", p.Name, p.Tail())
		case <-tick.C:
		}
	}
	return nil
}
