package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gatehouse/simulator/faults"
)

// program is a process that this one started, and that ends with it.
type program struct {
	name string
	log  string // file to which it prints
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startProgram starts argv; the name of its log is that of the program.
func startProgram(dir, name string, argv ...string) (*program, error) {
	p := &program{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	f, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer f.Close() // the child has its own descriptor
	// No CommandContext: stop ends it in order.
	p.cmd = exec.Command(argv[0], argv[1:]...) //nolint:noctx // see above
	p.cmd.Stdout, p.cmd.Stderr = f, f
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }() // its log says why it ended
	return p, nil
}

// stop ends the program: with SIGTERM, and after 20 s with SIGKILL.
func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// tail returns the last lines that the program has printed.
func (p *program) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return fmt.Sprintf("the log of %s ends with:\n  %s", p.name, strings.Join(lines[max(0, len(lines)-8):], "\n  "))
}

// use is what a program has used since its start.
type use struct {
	processor time.Duration
	peakKiB   int
}

func (p *program) use() (u use, err error) {
	if u.processor, err = faults.Processor(p.cmd.Process.Pid); err == nil {
		u.peakKiB, err = faults.PeakKiB(p.cmd.Process.Pid)
	}
	if err != nil {
		err = fmt.Errorf("%s has ended: %w\n%s", p.name, err, p.tail())
	}
	return u, err
}
