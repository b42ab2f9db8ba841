package broker

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// brokerDir and brokerListen are environment variables that make a process of this
// test binary a broker.
const brokerDir, brokerListen = "GATEHOUSE_TEST_BROKER_DIR", "GATEHOUSE_TEST_BROKER_LISTEN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(brokerDir); dir != "" {
		log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
		if _, err := Start(context.Background(), Config{Listen: os.Getenv(brokerListen), Dir: dir}, log); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		select {} // until killed
	}
	os.Exit(m.Run())
}

// process runs a broker in another process and waits until it accepts connections.
func process(t *testing.T, dir, listen string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), brokerDir+"="+dir, brokerListen+"="+listen)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = &testLog{t: t}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", listen)
		if err == nil {
			c.Close()
			return cmd
		}
		if time.Now().After(deadline) {
			t.Fatalf("the broker does not answer: %v", err)
		}
	}
}

func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()
}

func TestRetainedMessagesSurviveAKillOfTheBroker(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "broker")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := l.Addr().String()
	l.Close()
	for round := range 4 {
		cmd := process(t, dir, listen)
		if round > 0 {
			wantRetained(t, listen, "status", fmt.Sprint(round-1))
		}
		c := connect(t, login{url: "tcp://" + listen, id: fmt.Sprintf("c-%d", round)})
		c.subscribe(t, "flow", 1)
		c.publish(t, "status", 1, true, fmt.Sprint(round))
		for i := range 500 * round { // killed while these are under way
			c.Publish("flow", 1, false, fmt.Sprint(i))
		}
		kill(cmd)
	}
}
