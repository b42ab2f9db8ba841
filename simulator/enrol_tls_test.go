package main

import (
	"crypto/tls"
	"gatehouse/simulator/selfsigned"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate writes the broker's own certificate, which signs itself, and its key.
func (r *enrolRig) writeCertificate(cert, keyFile string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Dir(r.path(cert)), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := selfsigned.Write(r.path(cert), r.path(keyFile)); err != nil {
		r.t.Fatal(err)
	}
}

// Without its certificate nobody reaches a county's broker, with it a gate does.
func TestABrokerOfAnEnrolledCountyIsForItsGates(t *testing.T) {
	r := newEnrolRig(t)
	folder := r.path("gate")
	ended := r.start("enrol", "enrol", "--dir", folder, r.newCode("gate-001"))
	r.approve("enrol")
	if got := r.code("enrol", ended); got != 0 {
		t.Fatalf("exit code %d: %s", got, r.output["enrol"])
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(folder, "agent.crt"), filepath.Join(folder, "agent.key"))
	if err != nil {
		t.Fatal(err)
	}
	packet := []byte("\x10\x14\x00\x04MQTT\x04\x02\x00\x3c\x00\x08gate-001")
	for name, c := range map[string]struct {
		pairs []tls.Certificate
		bytes int
	}{"none": {nil, 0}, "its own": {[]tls.Certificate{own}, 4}} {
		if n := r.connects(packet, c.pairs); n != c.bytes {
			t.Errorf("%s: the broker answers with %d bytes", name, n)
		}
	}
	for _, broker := range []string{"mosquitto", "emqx"} {
		if acl := r.acl(broker); !strings.Contains(acl, "gate-001/records") {
			t.Errorf("%s: the gate has no permissions:\n%s", broker, acl)
		}
	}
	if status := r.post("/api/enrol/decide", `{"revoke":"gate-001"}`); status != http.StatusNoContent {
		t.Fatalf("revoke: %d", status)
	}
	for _, broker := range []string{"mosquitto", "emqx"} {
		if acl := r.acl(broker); strings.Contains(acl, "gate-001") {
			t.Errorf("%s: a revoked gate has permissions:\n%s", broker, acl)
		}
	}
}

// A reader with a certificate sees what the county's gates send, and is cut off when the
// certificate is revoked by a command beside the running collector.
func TestAReaderComesByACertificate(t *testing.T) {
	r := newEnrolRig(t)
	at := []string{"--config", r.path("collect.yaml")}
	must := func(args ...string) {
		t.Helper()
		if got := r.code(args[1], r.start(args[1], append(args, at...)...)); got != 0 {
			t.Fatalf("%s: exit code %d: %s", args, got, r.output[args[1]])
		}
	}
	must("identity", "issue", "grafana", "--kind", "reader", "--out", r.path("grafana"))
	r.await("the reader in the collector", func() bool { return len(r.list().Others) == 1 })
	ended := r.start("watch", "watch", "--broker", "ssl://"+r.broker, "--county", "qinghe",
		"--ca", r.path("enrol/default/broker.crt"),
		"--cert", r.path("grafana/grafana.crt"), "--key", r.path("grafana/grafana.key"))
	folder := r.path("gate")
	enrolled := r.start("enrol", "enrol", "--dir", folder, r.newCode("gate-001"))
	r.approve("enrol")
	if got := r.code("enrol", enrolled); got != 0 {
		t.Fatalf("exit code %d: %s", got, r.output["enrol"])
	}
	r.start("agent", "agent", "--config", filepath.Join(folder, "agent.yaml"))
	r.await("a passage at the reader", func() bool {
		if err := r.hw.Present(t.Context(), resident); err != nil {
			t.Fatal(err)
		}
		return strings.Contains(r.output["watch"].String(), "gate-001")
	})
	must("identity", "list")
	if list := r.output["list"].String(); !strings.Contains(list, "grafana") || !strings.Contains(list, "gate-002") {
		t.Errorf("the list: %s", list)
	}
	must("identity", "revoke", "grafana")
	r.await("the reader's refusal", func() bool {
		return strings.Contains(r.output["collect"].String(), `a client was disconnected`)
	})
	r.stop["watch"]()
	<-ended
}

// acl returns the permissions that broker config writes.
func (r *enrolRig) acl(broker string) string {
	r.t.Helper()
	out := r.path(broker)
	name := "write " + broker
	code := r.code(name, r.start(name, "broker", "config", broker, "--config", r.path("collect.yaml"), "--out", out,
		"--cert", r.path("enrol/default/broker.crt"), "--key", r.path("broker.key")))
	if code != 0 {
		r.t.Fatalf("exit code %d: %s", code, r.output[name])
	}
	file := map[string]string{"mosquitto": "acl", "emqx": "acl.conf"}[broker]
	b, err := os.ReadFile(filepath.Join(out, file))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(b)
}

// connects returns how many bytes the broker answers to a CONNECT packet.
func (r *enrolRig) connects(packet []byte, pairs []tls.Certificate) int {
	r.t.Helper()
	conn, err := tls.Dial("tcp", r.broker, &tls.Config{Certificates: pairs,
		InsecureSkipVerify: true}) //nolint:gosec // the broker is ours
	if err != nil {
		return 0
	}
	defer conn.Close()
	if _, err := conn.Write(packet); err != nil {
		return 0
	}
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	n, _ := conn.Read(make([]byte, 64)) // it ends the connection of whom it does not know
	return n
}
