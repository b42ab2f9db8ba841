package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/county/command"
	"gatehouse/gateway/fact"
)

// commanded runs gatehouse gate with a user's password, and returns what it prints.
func (r *enrolRig) commanded(password string, args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = cli.Run(r.t.Context(), append([]string{"gate"}, args...), strings.NewReader(password+"\n"), &o, &e)
	return code, o.String(), e.String()
}

// The county commands a gate from a terminal: what the gate has done, refused, and what never
// reached it are told apart, and who commanded it stands in the audit.
func TestAGateIsCommandedFromATerminal(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	r := newEnrolRig(t)
	ended := r.start("enrol", "enrol", "--dir", r.path("gate"), r.newCode("gate-001"))
	r.approve("enrol")
	if got := r.code("enrol", ended); got != 0 {
		t.Fatalf("exit code %d: %s", got, r.output["enrol"])
	}
	agent := r.start("agent", "agent", "--config", r.path("gate/agent.yaml"))
	as := []string{"--as", "li", "--reason", "救护车", "-c", r.path("collect.yaml")}
	with := func(action, gate string, more ...string) []string {
		return append(append([]string{action, gate}, as...), more...)
	}
	r.await("the gate", func() bool {
		code, out, _ := r.commanded("correct horse", with("notice", "gate-001", "--zh", "九点停电")...)
		return code == 0 && out == "gate-001: Done\n"
	})
	var token bytes.Buffer
	if code := cli.Run(t.Context(), []string{"token", "add", "night", "--role", "duty", "--dir", r.path("county")}, nil,
		&token, &token); code != 0 {
		t.Fatal(token.String())
	}
	r.write("token", token.String())
	program := []string{"gate-001", "--token-file", r.path("token"), "--reason", "x", "--url", r.desk}
	for name, tt := range map[string]struct {
		password string
		args     []string
		code     int
		want     string // in what is printed
	}{
		"no barrier":     {"correct horse", with("open", "gate-001", "--yes"), 1, "there is no barrier here"},
		"in Chinese":     {"correct horse", with("open", "gate-001", "--yes", "--language", "zh"), 1, "门岗拒绝"},
		"no gate there":  {"correct horse", with("reload", "gate-002"), 1, "did not answer: nothing was sent"},
		"read again":     {"correct horse", with("reload", "gate-001"), 0, "gate-001: Done"},
		"by a program":   {"", append([]string{"notice", "--zh", "一"}, program...), 0, "gate-001: Done"},
		"wrong password": {"battery staple", with("reload", "gate-001"), 1, "log in at the desk as li"},
		"wrong name":     {"", with("reload", "gate-01"), 2, "did you mean gate-001?"},
		"nobody to ask":  {"", with("open", "gate-001"), 2, "say --yes"},
		"no text":        {"correct horse", with("notice", "gate-001", "--zh", " "), 2, "the notice is missing"},
		"a long reason":  {"correct horse", with("reload", "gate-001", "--reason", strings.Repeat("字", 101)), 2, "100"},
		"by nobody":      {"", []string{"reload", "gate-001", "--reason", "x"}, 2, "as token-file"},
		"another desk": {"x", []string{"reload", "g", "--as", "li", "--reason", "x", "--url", "http://" + r.free()}, 1,
			"reach the desk"},
		"no address": {"x", []string{"reload", "g", "--as", "li", "--reason", "x", "--url", "desk"}, 2,
			"write it as https"},
	} {
		code, out, errOut := r.commanded(tt.password, tt.args...)
		if code != tt.code || !strings.Contains(out+errOut, tt.want) {
			t.Errorf("%s: exit code %d, want %d and %q:\n%s%s", name, code, tt.code, tt.want, out, errOut)
		}
	}
	r.restarted(agent, with("restart", "gate-001", "-o", "json"))
	r.auditedOf(t)
}

// restarted commands a restart, and does what a supervisor does.
func (r *enrolRig) restarted(agent <-chan int, args []string) {
	r.t.Helper()
	var out, errOut bytes.Buffer
	code := make(chan int, 1)
	r.wg.Go(func() {
		code <- cli.Run(context.Background(), append([]string{"gate"}, args...), strings.NewReader("correct horse\n"),
			&out, &errOut)
	})
	if got := r.code("the agent", agent); got != 75 {
		r.t.Errorf("the agent ends with %d", got)
	}
	r.start("agent", "agent", "--config", r.path("gate/agent.yaml"))
	got := r.code("the command", code)
	var row command.Row
	if err := json.Unmarshal(out.Bytes(), &row); err != nil || got != 0 || row.State != command.Done ||
		row.Agent != "gate-001" || row.By != "li" || row.Action != fact.CommandRestart {
		r.t.Errorf("restart: %d, %+v, %v: %s", got, row, err, &errOut)
	}
}

// auditedOf looks into the audit for the commands and for those who logged in for them.
func (r *enrolRig) auditedOf(t *testing.T) {
	t.Helper()
	var page []struct{ Action, Actor, Object string }
	if status := r.get("/api/audit", &page); status != http.StatusOK {
		t.Fatal(status)
	}
	n := map[string]int{}
	for _, e := range page {
		n[e.Action+" "+e.Actor+" "+e.Object]++
	}
	for _, want := range []string{"open-gate li gate gate-001", "command-gate li gate gate-001",
		"command-gate token night gate gate-001", "log-out li user li"} {
		if n[want] == 0 {
			t.Errorf("the audit has no %q: %v", want, n)
		}
	}
}
