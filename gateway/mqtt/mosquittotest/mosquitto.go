// Package mosquittotest runs a real Mosquitto for tests.
package mosquittotest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Broker is one Mosquitto process on a port of its own.
type Broker struct {
	URL  string
	conf string
	cmd  *exec.Cmd
}

// Start runs Mosquitto with the given extra configuration lines until the test
// ends. A missing Mosquitto fails the test: run make tools.
func Start(t testing.TB, extra ...string) *Broker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	conf := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\npersistence false\n", port)
	for _, line := range extra {
		conf += line + "\n"
	}
	b := &Broker{URL: fmt.Sprintf("tcp://127.0.0.1:%d", port), conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	if err := os.WriteFile(b.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Run(t)
	t.Cleanup(b.Kill)
	return b
}

// Run starts the process (again) and waits until it answers.
func (b *Broker) Run(t testing.TB) {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto"
	}
	b.cmd = exec.Command(path, "-c", b.conf)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		t.Fatalf("mosquitto: %v: run make tools", err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		c, err := net.Dial("tcp", b.URL[len("tcp://"):])
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("mosquitto does not answer: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Kill is kill -9.
func (b *Broker) Kill() {
	if b.cmd != nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
		b.cmd = nil
	}
}

// Freeze stops the process without closing its sockets; Thaw lets it go on.
func (b *Broker) Freeze() { _ = b.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw undoes Freeze.
func (b *Broker) Thaw() { _ = b.cmd.Process.Signal(syscall.SIGCONT) }
