package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/simulator/bench"
)

var resident = bench.Person{Screening: 3650, Reader: "reader", Card: "62E3086CED"}

// An empty folder and one code: a gate is in service, and its first passage on the desk.
func TestAGateGoesIntoServiceWithOneCode(t *testing.T) {
	r := newEnrolRig(t)
	began := time.Now()
	code := r.newCode("gate-001")
	folder := r.path("gate")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	ended := r.start("enrol", "enrol", "--dir", folder, strings.ToLower(code))
	r.await("the request", func() bool { return strings.Contains(r.output["enrol"].String(), "Read these digits") })
	r.stop["enrol"]() // Ctrl-C
	if got := r.code("enrol", ended); got != 1 {
		t.Errorf("exit code %d", got)
	}
	if _, err := os.Stat(filepath.Join(folder, "agent.yaml")); err == nil {
		t.Error("a gate that nobody has approved has a configuration")
	}
	ended = r.start("enrol", "enrol", "--dir", folder) // goes on with the same key
	r.approve("enrol")
	if got := r.code("enrol", ended); got != 0 {
		t.Fatalf("exit code %d: %s", got, r.output["enrol"])
	}
	r.private(folder)
	agent := r.start("agent", "agent", "--config", filepath.Join(folder, "agent.yaml"))
	r.await("the first passage", func() bool {
		if err := r.hw.Present(t.Context(), resident); err != nil {
			t.Fatal(err)
		}
		return r.passages("gate-001") > 0
	})
	t.Logf("from the code to the first passage on the desk: %s", time.Since(began).Round(time.Second))

	// Revoked, the gate keeps working; enrolled again in the same folder, it loses nothing.
	before := r.passages("gate-001")
	r.revokeAndPass("gate-001", before)
	r.stop["agent"]()
	if got := r.code("agent", agent); got != 0 {
		t.Errorf("agent: exit code %d: %s", got, r.output["agent"])
	}
	code = r.newCode("gate-001")
	if got := r.code("enrol", r.start("enrol", "enrol", "--dir", folder, code)); got != 1 ||
		!strings.Contains(r.output["enrol"].String(), "--again") {
		t.Errorf("a folder that is in use: exit code %d: %s", got, r.output["enrol"])
	}
	ended = r.start("enrol", "enrol", "--again", "--dir", folder, code)
	r.approve("enrol")
	if got := r.code("enrol", ended); got != 0 {
		t.Fatalf("exit code %d: %s", got, r.output["enrol"])
	}
	r.start("agent", "agent", "--config", filepath.Join(folder, "agent.yaml"))
	r.await("the passage while it was cut", func() bool { return r.passages("gate-001") > before })
}

// revokeAndPass revokes a running agent, which is cut, and has somebody pass there meanwhile:
// the passage stays in its journal.
func (r *enrolRig) revokeAndPass(agent string, before int) {
	r.t.Helper()
	if status := r.post("/api/enrol/decide", `{"revoke":"`+agent+`"}`); status != http.StatusNoContent {
		r.t.Fatalf("revoke: %d", status)
	}
	revoked := time.Now()
	r.await("the cut", func() bool { return strings.Contains(r.output["agent"].String(), "connection lost") })
	if took := time.Since(revoked); took > 5*time.Second {
		r.t.Errorf("the revoked gate was cut after %s", took)
	}
	if err := r.hw.Present(r.t.Context(), resident); err != nil { // who passes meanwhile is in the journal
		r.t.Fatal(err)
	}
	r.await("the refusal", func() bool {
		return strings.Contains(r.output["collect"].String(), "broker: TLS handshake")
	})
	if got := r.passages(agent); got != before {
		r.t.Errorf("a revoked gate has delivered: %d passages, %d before", got, before)
	}
}

// private checks that only this user may read a gate's folder and its secrets, and that
// nothing is left of the enrolment.
func (r *enrolRig) private(folder string) {
	r.t.Helper()
	for name, want := range map[string]os.FileMode{".": 0o700 | os.ModeDir, "agent.key": 0o600, "site.key": 0o600,
		"agent.yaml": 0o600, "agent.crt": 0o600, "county-ca.crt": 0o600, "collector.pub": 0o600, "policy.yaml": 0o600,
		"roster.csv": 0o600} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil || info.Mode() != want {
			r.t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, ".enrol")); err == nil {
		r.t.Error("what the enrolment needed is left")
	}
}

// What is wrong with a code is said at the gate, and the county does not suffer.
func TestCodesThatCannotBeUsed(t *testing.T) {
	r := newEnrolRig(t)
	code := r.newCode("gate-001")
	ended := r.start("first", "enrol", "--dir", r.path("first"), code)
	r.await("the request", func() bool { return len(r.list().Waiting) == 1 })
	if got := r.code("second", r.start("second", "enrol", "--dir", r.path("second"), code)); got != 1 ||
		!strings.Contains(r.output["second"].String(), "used already") {
		t.Errorf("a code that is used: exit code %d: %s", got, r.output["second"])
	}
	if status := r.post("/api/enrol/decide", `{"id":"`+r.list().Waiting[0].ID+`","do":"refuse"}`); status !=
		http.StatusNoContent {
		t.Errorf("refuse: %d", status)
	}
	if got := r.code("first", ended); got != 1 || !strings.Contains(r.output["first"].String(), "refused") {
		t.Errorf("a request that is refused: exit code %d: %s", got, r.output["first"])
	}
	wrong := "7" + code[1:]
	if code[0] == '7' {
		wrong = "8" + code[1:]
	}
	if got := r.code("wrong", r.start("wrong", "enrol", "--dir", r.path("wrong"), wrong)); got != 2 ||
		!strings.Contains(r.output["wrong"].String(), "group 1") {
		t.Errorf("a typing error: exit code %d: %s", got, r.output["wrong"])
	}
	limited := 0
	for range 10000 {
		status := r.post("/enrol/request", `{"code":"00","csr":"","to":"","sig":""}`)
		if status == http.StatusTooManyRequests {
			limited++
		} else if status != http.StatusNotFound {
			t.Fatalf("a guess is answered with %d", status)
		}
	}
	if limited < 9900 {
		t.Errorf("of 10,000 guesses %d were limited", limited)
	}
	if status := r.get("/api/enrol", &enrolList{}); status != http.StatusOK {
		t.Errorf("the desk: %d", status)
	}
}

// passages returns how many passages of a gate the desk has.
func (r *enrolRig) passages(agent string) int {
	var g struct{ Passages []json.RawMessage }
	r.get("/api/gate?agent="+agent, &g)
	return len(g.Passages)
}
