package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/replay"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/bench"
)

// Rules that came into force by themselves are followed: what the gate decided before and after
// comes out again, from the county's store and from the gate's own journal.
func TestReplayFollowsRulesThatCameByThemselves(t *testing.T) {
	r := newEnrolRig(t)
	r.command(0, "rules", "import", "--approve", "--config", r.path("collect.yaml"))
	folder := r.path("gate")
	ended := r.start("enrol", "enrol", "--dir", folder, r.newCode("gate-001"))
	r.approve("enrol")
	if got := r.code("enrol", ended); got != 0 {
		t.Fatalf("exit code %d: %s", got, r.output["enrol"])
	}
	r.start("agent", "agent", "--config", filepath.Join(folder, "agent.yaml"))
	dir := r.journalOf(folder)
	warm := resident
	warm.Screening = 3710 // a fever by the second policy only
	r.awaitSets(dir, 1)
	r.visit(dir, warm, 1)

	second := r.version("policy.yaml", strings.NewReplacer("37.3", "37.0", `"1"`, `"2"`).Replace(enrolPolicy))
	r.awaitSets(dir, 2)
	r.visit(dir, warm, 2)
	r.version("roster.csv", "card,class,status,household,from,until\n62E3086CED,resident,lost,1,,\n"+
		"62E3086CEE,resident,active,2,,\n")
	r.awaitSets(dir, 3)
	r.visit(dir, resident, 3)
	from := []string{"replay", "--from", time.Now().AddDate(0, 0, -2).Format(time.DateOnly)}
	store := append(from, "--config", r.path("collect.yaml"))
	own := append(from, "--journal", dir)
	r.await("all passages at the county", func() bool {
		out := r.command(anyCode, append(store, "--check")...)
		return strings.HasPrefix(out, fmt.Sprint(r.passed(dir), " passages"))
	})
	r.stop["agent"]()
	first := r.path("enrol/default/policy.yaml")
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"the county's versions": {append(store, "--check"), 0, "decided again: 0 with another verdict, 0 only for"},
		"both files":            {append(own, "--check", "--policy", second, "--policy", first), 0, " 0 with another"},
		"a file is missing": {append(own, "--check", "--policy", first), 1,
			"passages are not checked: from "},
		"by the first policy alone": {append(store, "--policy", first), 0, "fever (fever), go-home"},
	} {
		if out := r.command(c.code, c.args...); !strings.Contains(out, c.want) {
			t.Errorf("%s: %s, want %q", name, out, c.want)
		}
	}
}

// anyCode is any exit code.
const anyCode = -1

// command runs a command to its end, and returns what it prints.
func (r *enrolRig) command(code int, args ...string) string {
	r.t.Helper()
	out := &printed{}
	got := cli.Run(context.WithoutCancel(r.t.Context()), args, strings.NewReader(""), out, out)
	if got != code && code != anyCode {
		r.t.Errorf("%s: exit code %d, want %d: %s", strings.Join(args, " "), got, code, out)
	}
	return out.String()
}

// version puts a file into force, and returns where it is.
func (r *enrolRig) version(name, text string) string {
	r.t.Helper()
	r.write("next/"+name, text)
	r.command(0, "rules", "import", r.path("next/"+name), "--approve", "--config", r.path("collect.yaml"))
	return r.path("next/" + name)
}

// journalOf returns the folder of an agent's journal.
func (r *enrolRig) journalOf(folder string) (dir string) {
	r.t.Helper()
	r.await("the journal", func() bool {
		_ = filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
			if err == nil && e.IsDir() && e.Name() == "journal" {
				dir = path
			}
			return nil
		})
		return dir != ""
	})
	return dir
}

// records calls each with what a journal holds.
func (r *enrolRig) records(dir string, each func(body wire.Body)) {
	r.t.Helper()
	v, err := journal.Look(dir)
	if err != nil {
		return // it is being made
	}
	defer v.Close()
	for next := max(1, v.First); next <= v.Last; {
		chunk, err := v.Read(next, wire.MaxBatchRecords, wire.MaxBatchBytes)
		if err != nil || chunk.To < next {
			r.t.Fatal(chunk.To, err)
		}
		for _, e := range chunk.Entries {
			if body, err := e.Record.DecodeBody(); err == nil {
				each(body)
			}
		}
		next = chunk.To + 1
	}
}

// awaitSets waits until so many sets of rules came into force.
func (r *enrolRig) awaitSets(dir string, want int) {
	r.t.Helper()
	r.await("the rules", func() bool {
		n := 0
		r.records(dir, func(body wire.Body) {
			if replay.Applied(body) != nil {
				n++
			}
		})
		return n >= want
	})
}

// passed returns how many verdicts a journal holds.
func (r *enrolRig) passed(dir string) (n int) {
	r.t.Helper()
	r.records(dir, func(body wire.Body) {
		if _, is := body.(*wire.Passage); is {
			n++
		}
	})
	return n
}

// visit lets somebody come until there are so many verdicts.
func (r *enrolRig) visit(dir string, p bench.Person, want int) {
	r.t.Helper()
	r.await("the verdict", func() bool {
		if err := r.hw.Present(r.t.Context(), p); err != nil {
			r.t.Fatal(err)
		}
		return r.passed(dir) >= want
	})
}
