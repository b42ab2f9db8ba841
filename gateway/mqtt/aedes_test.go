package mqtt_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gatehouse/gateway/mqtt"
)

// runAedes starts the broker that is written in JavaScript, and returns what ends it.
func runAedes(t *testing.T, address, port string) (kill func()) {
	t.Helper()
	peers, err := filepath.Abs("../../.tools/peers/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "testdata/aedes.js", port)
	cmd.Env = append(os.Environ(), "NODE_PATH="+peers)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: run make tools", err)
	}
	kill = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(kill)
	answers(t, address)
	return kill
}

// Aedes is the broker inside Node-RED and other programs: messages keep their order
// (those of the same QoS, as MQTT promises), and after a restart, which forgets sessions,
// the client is subscribed again.
func TestABrokerOfNode(t *testing.T) {
	address, port := free(t)
	kill := runAedes(t, address, port)
	b := mqtt.Broker{URL: "tcp://" + address}
	passes(t, b)
	cfg := mqtt.Config{ClientID: "watching", Subscriptions: []mqtt.Subscription{{Filter: "c/+/x", QoS: 1}}}
	if err := b.Load(&cfg); err != nil {
		t.Fatal(err)
	}
	c := connect(t, cfg)
	defer c.stop()
	await(t, "connection", c.up, 10*time.Second)
	for restarted := false; ; restarted = true {
		for i := range 50 {
			m := mqtt.Message{Topic: "c/1/x", Payload: fmt.Append(nil, i), QoS: 1, Retained: i == 49}
			if err := c.Publish(m); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 50 {
			m := await(t, "message", c.messages, 5*time.Second)
			for m.Retained {
				m = await(t, "message", c.messages, 5*time.Second)
			}
			if string(m.Payload) != fmt.Sprint(i) {
				t.Fatalf("message %d is %s", i, m.Payload)
			}
		}
		if restarted {
			return
		}
		kill()
		await(t, "failed attempt", c.failed, 30*time.Second)
		runAedes(t, address, port)
		await(t, "connection", c.up, 30*time.Second)
	}
}
