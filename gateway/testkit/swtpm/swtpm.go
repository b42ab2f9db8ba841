// Package swtpm runs TPMs 2.0 in software for tests.
package swtpm

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TPM is one swtpm process, with a memory of its own. Its methods are for the test's
// goroutine.
type TPM struct {
	Path string // of its socket
	dir  string
	cmd  *exec.Cmd // nil: it does not run
	log  bytes.Buffer
}

// Start runs a new TPM until the test ends. A missing swtpm fails the test: run make tools.
func Start(t testing.TB) *TPM {
	t.Helper()
	dir, err := os.MkdirTemp("", "swtpm") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	s := &TPM{Path: filepath.Join(dir, "socket"), dir: filepath.Join(dir, "state")}
	t.Cleanup(func() {
		s.Stop()
		os.RemoveAll(dir)
	})
	s.Run(t)
	return s
}

// Run starts the TPM, which must not be running, and waits until it answers.
func (s *TPM) Run(t testing.TB) {
	t.Helper()
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+s.dir, "--server",
		"type=unixio,path="+s.Path, "--flags", "not-need-init,startup-clear")
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("swtpm: %v: run make tools", err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("unix", s.Path)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			s.Stop()
			t.Fatalf("swtpm does not answer: %v: %s", err, &s.log)
		}
	}
}

// Stop ends the TPM, as when it is switched off in the firmware: its socket is gone.
func (s *TPM) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
	_ = os.Remove(s.Path)
}

// Clear makes it a TPM with other secrets at the same path, as after a clear in the firmware.
func (s *TPM) Clear(t testing.TB) {
	t.Helper()
	s.Stop()
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	s.Run(t)
}
