package main

import (
	"bytes"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The end of a county with three gates: one is off for long, one is stopped in the middle,
// and somebody forges orders. In the end nothing is left of people, and a certificate says
// so.
func TestTheEnd(t *testing.T) {
	r := newEnrolRig(t)
	r.write("enrol/default/policy.yaml", enrolPolicy+
		"overrides: {verdicts: [refuse, pass], reasons: [{code: known-person}]}\n")
	gates := []string{"gate-001", "gate-002", "gate-003"}
	for _, gate := range gates {
		r.enrolGate(gate)
	}
	r.startGate("gate-001")
	r.await("the first passage", func() bool {
		if err := r.hw.Present(t.Context(), resident); err != nil {
			t.Fatal(err)
		}
		return r.passages("gate-001") > 0
	})
	r.startGate("gate-002")
	r.await("gate-002", func() bool { return strings.Contains(r.output["gate-002"].String(), "gate is open") })
	known := r.pseudonym(gates[0])
	r.secondPerson()

	if code := r.code("finish", r.start("finish", "end", "finish", "--config", r.path("collect.yaml"))); code != 1 ||
		!strings.Contains(r.output["finish"].String(), "has not begun") {
		t.Errorf("an end that has not begun is finished: %d, %s", code, r.output["finish"])
	}
	r.byTwo("end", "begin")
	r.await("the end of gate-001", func() bool { return r.gone("gate-001") })
	r.await("the end of gate-002", func() bool { return r.gone("gate-002") })
	if out := r.run(0, "end", "status"); !strings.Contains(out, "2 of 3 gates have ended") ||
		!strings.Contains(out, "has not answered") {
		t.Errorf("status: %s", out)
	}
	if code := r.code("agent", r.start("agent", "agent", "--config", r.path("gate-001/agent.yaml"))); code != 0 ||
		!strings.Contains(r.output["agent"].String(), "was taken out of service for good") {
		t.Errorf("a gate that has ended: %d, %s", code, r.output["agent"])
	}
	if out := r.run(1, "end", "finish"); !strings.Contains(out, "not every gate has answered") {
		t.Errorf("finished although a gate is missing: %s", out)
	}

	// Weeks later the third one is switched on, and off in the middle.
	third := r.startGate("gate-003")
	r.await("its order", func() bool { return r.has("gate-003/journal/retire.json") || r.gone("gate-003") })
	r.stop["gate-003"]()
	r.code("gate-003", third)
	r.startGate("gate-003")
	r.await("the end of gate-003", func() bool { return r.gone("gate-003") })
	r.finishEnd(known)
}

// finishEnd has two people destroy the county's data; the collector is stopped in between.
func (r *enrolRig) finishEnd(known []byte) {
	r.t.Helper()
	r.await("the last receipt", func() bool {
		return strings.Contains(r.run(-1, "end", "status"), "3 of 3 gates have ended")
	})
	before := 0
	for _, b := range r.files("county") {
		before += bytes.Count(b, known)
	}
	if before == 0 {
		r.t.Fatal("the county holds no pseudonym: the test proves nothing")
	}
	asked := r.run(0, "end", "finish")
	r.agree(asked)
	r.stop["collect"]()
	number := regexp.MustCompile(`--consent (\d+)`).FindStringSubmatch(asked)[1]
	r.await("the destruction", func() bool {
		return strings.Contains(r.run(-1, "end", "finish", "--consent", number), "Done.")
	})
	for name, b := range r.files("county") {
		if bytes.Contains(b, known) {
			r.t.Errorf("%s holds a pseudonym", name)
		}
	}
	for _, name := range []string{"county/site.key", "county/broker", "enrol/default/roster.csv"} {
		if r.has(name) {
			r.t.Errorf("%s is left", name)
		}
	}
	certificate := r.run(0, "end", "certificate")
	if err := os.WriteFile(r.path("certificate.txt"), []byte(certificate), 0o600); err != nil {
		r.t.Fatal(err)
	}
	for _, want := range []string{"数据销毁证明", "已回执 ended 3", "Newest audit entry"} {
		if !strings.Contains(certificate, want) {
			r.t.Errorf("the certificate does not say %q:\n%s", want, certificate)
		}
	}
	key := r.path("county/collector.pub")
	if code := r.code("check", r.start("check", "end", "certificate", "--check", r.path("certificate.txt"), "--key",
		key)); code != 0 {
		r.t.Errorf("the certificate is not right: %s", r.output["check"])
	}
	if out := r.run(0, "end", "finish"); !strings.Contains(out, "Finished") {
		r.t.Errorf("finished again: %s", out)
	}
	if code := r.code("verify", r.start("verify", "audit", "verify", "--dir", r.path("county"))); code != 0 {
		r.t.Errorf("the audit: %s", r.output["verify"])
	}
}

// enrolGate puts a gate into service in its own folder.
func (r *enrolRig) enrolGate(agent string) {
	r.t.Helper()
	if agent != "gate-001" { // only one has a screen
		r.write("enrol/"+agent+"/agent.yaml", "broker: {url: \"ssl://"+r.broker+"\", ca: broker.crt}\n")
	}
	ended := r.start("enrol", "enrol", "--dir", r.path(agent), r.newCode(agent))
	r.approve("enrol")
	if got := r.code("enrol", ended); got != 0 {
		r.t.Fatalf("enrol %s: exit code %d: %s", agent, got, r.output["enrol"])
	}
}

func (r *enrolRig) startGate(agent string) <-chan int {
	return r.start(agent, "agent", "--config", r.path(agent+"/agent.yaml"))
}

func (r *enrolRig) has(name string) bool {
	_, err := os.Stat(r.path(name))
	return err == nil
}

// gone reports whether nothing is left of a gate but what says so.
func (r *enrolRig) gone(agent string) bool {
	list, err := os.ReadDir(r.path(agent))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range list {
		if e.Name() != "retired.json" {
			return false
		}
	}
	return r.has(agent + "/retired.json")
}

// run runs a command on the county and returns what it prints. want is its exit code; -1: any.
func (r *enrolRig) run(want int, args ...string) string {
	r.t.Helper()
	name := strings.Join(args, " ")
	code := r.code(name, r.start(name, append(args, "--config", r.path("collect.yaml"))...))
	if out := r.output[name].String(); want < 0 || code == want {
		return out
	}
	r.t.Fatalf("%s: exit code %d: %s", name, code, r.output[name])
	return ""
}

// byTwo has two people do something.
func (r *enrolRig) byTwo(args ...string) {
	r.t.Helper()
	asked := r.run(0, args...)
	number := regexp.MustCompile(`--consent (\d+)`).FindStringSubmatch(asked)
	if number == nil {
		r.t.Fatalf("%q asks nobody: %s", args, asked)
	}
	if out := r.run(1, append(args, "--consent", number[1])...); !strings.Contains(out, "nobody has agreed") {
		r.t.Errorf("one person is enough: %s", out)
	}
	r.agree(asked)
	r.run(0, append(args, "--consent", number[1])...)
}

// agree has the second person agree to what a command has asked for.
func (r *enrolRig) agree(asked string) {
	r.t.Helper()
	number := regexp.MustCompile(`Request (\d+)`).FindStringSubmatch(asked)
	if number == nil {
		r.t.Fatalf("nothing was asked for: %s", asked)
	}
	r.await("the second person", func() bool {
		return r.post("/api/consent", `{"id":`+number[1]+`,"password":"correct horse"}`) ==
			http.StatusNoContent
	})
}

// secondPerson waits for the desk; the commands ask as somebody else than its user.
func (r *enrolRig) secondPerson() {
	r.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	r.page = &http.Client{Jar: jar}
	if status := r.post("/api/login", `{"token":"","name":"li","password":"correct horse"}`); status !=
		http.StatusNoContent {
		r.t.Fatalf("log in: %d", status)
	}
}

// files returns what is in the files of a folder.
func (r *enrolRig) files(dir string) map[string][]byte {
	r.t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(r.path(dir), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// pseudonym returns one that the journal of a gate holds.
func (r *enrolRig) pseudonym(agent string) []byte {
	r.t.Helper()
	for _, b := range r.files(agent + "/journal") {
		if p := regexp.MustCompile(`[a-z2-7]{8}-[a-z2-7]{26}`).Find(b); p != nil {
			return bytes.Clone(p)
		}
	}
	r.t.Fatal("the journal has no pseudonym")
	return nil
}
