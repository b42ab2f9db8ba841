package prove

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

// process is a program that can be started, killed and started again. Its
// methods may be called from several goroutines.
type process struct {
	name string
	argv []string
	log  string   // file to which it prints
	env  []string // added to the environment
	pipe bool     // it prints into a pipe that holds a page; a reader, cat, writes it to the file

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended

	killed time.Time // zero: it was not killed since its start
	dead   []outage  // between a kill and the next start
	reader *exec.Cmd // of the pipe; or nil
}

// start starts the process; it does nothing if it runs.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		select {
		case <-p.done:
		default:
			return nil
		}
	}
	f, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	defer f.Close() // the child has its own descriptor
	// No CommandContext: the proof ends processes in order.
	cmd := exec.Command(p.argv[0], p.argv[1:]...) //nolint:noctx // see above
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = f, f
	if p.pipe {
		w, err := p.startReader(f)
		if err != nil {
			return fmt.Errorf("start %s: %w", p.name, err)
		}
		defer w.Close()
		cmd.Stdout, cmd.Stderr = w, w
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }() // the exit code does not matter
	p.cmd, p.done = cmd, done
	if !p.killed.IsZero() {
		p.dead = append(p.dead, outage{p.killed, time.Now()})
		p.killed = time.Time{}
	}
	return nil
}

// end sends sig and waits until the process has ended; after grace it kills it.
func (p *process) end(sig syscall.Signal, grace time.Duration) {
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

// signal sends sig and does not wait.
func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(sig) // it may have ended already
	}
}

// kill ends the process with SIGKILL.
func (p *process) kill() {
	p.end(syscall.SIGKILL, time.Minute)
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

// pid returns the process id, or 0 if it was not started.
func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// printed returns everything that the process has printed.
func (p *process) printed() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	return string(b)
}

// died reports whether the process has ended by itself.
func (p *process) died() bool {
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

// tail returns the end of what the process has printed.
func (p *process) tail() string {
	s := p.printed()
	return s[max(0, len(s)-2000):]
}

// waitFor waits until ready returns true. It fails when the process ends or ctx
// is done before.
func (p *process) waitFor(ctx context.Context, ready func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ready() {
		if p.died() {
			return fmt.Errorf("%s ended while it started:\n%s", p.name, p.tail())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not start in time:\n%s", p.name, p.tail())
		case <-tick.C:
		}
	}
	return nil
}
