package program

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// startReader starts a program that writes what comes through a pipe to a file, and
// returns the pipe's other end. The reader ends with the last process that has it.
func (p *Program) startReader(to *os.File) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
		w.Close()
		return nil, err
	}
	cmd := exec.Command("cat") //nolint:noctx // the pipe ends it
	cmd.Stdin, cmd.Stdout = r, to
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		w.Close()
		return nil, err
	}
	go func() { _ = cmd.Wait() }() // the exit code does not matter
	p.reader = cmd
	return w, nil
}

// SignalReader sends sig to the reader of what the program prints.
func (p *Program) SignalReader(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reader.Process.Signal(sig)
}
