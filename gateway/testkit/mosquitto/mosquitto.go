// Package mosquitto runs a real Mosquitto for tests.
package mosquitto

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gatehouse/gateway/testkit/loopback"
)

// Broker is one Mosquitto process on a port of its own. Its methods are for the
// test's goroutine.
type Broker struct {
	URL  string // tcp://host:port
	conf string
	cmd  *exec.Cmd
}

// Start runs Mosquitto with the given extra configuration lines until the test
// ends. A missing Mosquitto fails the test: run make tools.
func Start(t testing.TB, extra ...string) *Broker {
	t.Helper()
	address, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(address)
	conf := fmt.Sprintf("listener %s %s\nallow_anonymous true\npersistence false\n", port, host)
	for _, line := range extra {
		conf += line + "\n"
	}
	b := &Broker{URL: "tcp://" + address, conf: filepath.Join(t.TempDir(), "mosquitto.conf")}
	if err := os.WriteFile(b.conf, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Run(t)
	t.Cleanup(b.Kill)
	return b
}

// StartFile runs Mosquitto with a configuration file, which has a listener at address,
// until the test ends.
func StartFile(t testing.TB, conf, address string) *Broker {
	t.Helper()
	b := &Broker{URL: "tcp://" + address, conf: conf}
	b.Run(t)
	t.Cleanup(b.Kill)
	return b
}

// Reload has the process read again what it reads again on SIGHUP.
func (b *Broker) Reload() { _ = b.cmd.Process.Signal(syscall.SIGHUP) }

// Run starts the process, which must not be running, and waits until it accepts connections.
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

// Kill ends the process with SIGKILL.
func (b *Broker) Kill() {
	if b.cmd != nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
		b.cmd = nil
	}
}

// Freeze stops the process without closing its sockets.
func (b *Broker) Freeze() { _ = b.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw continues the process after Freeze.
func (b *Broker) Thaw() { _ = b.cmd.Process.Signal(syscall.SIGCONT) }
