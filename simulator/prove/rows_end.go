package prove

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/retry"
)

// ends are what happens while the county's gates go out of service for good.
func ends() []Fault {
	return []Fault{{
		Row:  72,
		Name: "killed-while-it-ends",
		What: "two people end the service while people come and records wait; agents and collector are killed again " +
			"and again until it is over",
		Expect: "all records are delivered before they are destroyed; every receipt arrives; no gate keeps anything " +
			"of people",
		ends:    true,
		prepare: byCodes(enrolled{}),
		inject:  killWhileEnding,
	}}
}

// county runs a command on the county's files.
func (r *rig) county(ctx context.Context, args ...string) (string, error) {
	args = append(args, "--config", filepath.Join(r.Dir, "collect.yaml"))
	out, err := exec.CommandContext(ctx, r.Gatehouse, args...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("gatehouse %v: %w:\n%s", args, err, out)
	}
	return string(out), nil
}

// beginEnd has two people begin the end.
func (r *rig) beginEnd(ctx context.Context) error {
	asked, err := r.county(ctx, "end", "begin")
	if err != nil {
		return err
	}
	number := regexp.MustCompile(`--consent (\d+)`).FindStringSubmatch(asked)
	if number == nil {
		return fmt.Errorf("the end asks for no second person: %s", asked)
	}
	id, err := strconv.ParseInt(number[1], 10, 64)
	if err != nil {
		return err
	}
	if err := r.clerk.Agree(ctx, id); err != nil {
		return err
	}
	_, err = r.county(ctx, "end", "begin", "--consent", number[1])
	return err
}

// killWhileEnding begins the end, and kills agents and collector until every gate has ended.
func killWhileEnding(ctx context.Context, r *rig) error {
	for gate := range r.gates {
		if err := r.storesMore(ctx, gate); err != nil {
			return err
		}
	}
	if err := r.beginEnd(ctx); err != nil {
		return err
	}
	begin := time.Now()
	over := fmt.Sprintf("\n%d of ", len(r.gates)) // of the gates of the sites file
	for n := 0; ; n++ {
		status, err := r.county(ctx, "end", "status")
		if err == nil && strings.Contains(status, over) && !r.holdsSomething() {
			break
		}
		if time.Since(begin) > time.Minute {
			return errors.Join(fmt.Errorf("the end is not over within a minute: %.300s", status), err)
		}
		victims := slices.Clone(r.agents)
		if n%3 == 2 {
			victims = append(victims, r.collector)
		}
		if n > 8 { // it must come to its end by itself
			retry.Sleep(ctx, 500*time.Millisecond)
			continue
		}
		if err := r.restart(ctx, 100*time.Millisecond, victims...); err != nil {
			return err
		}
		retry.Sleep(ctx, time.Duration(100+r.rnd.IntN(900))*time.Millisecond)
	}
	r.note("over after %.1f s and %d kills", time.Since(begin).Seconds(), r.kills.Load())
	for _, g := range r.gates {
		if !exists(filepath.Join(r.Dir, g.ID, "retired.json")) {
			return fmt.Errorf("%s has no receipt", g.ID)
		}
	}
	return nil
}

// holdsSomething reports whether a gate still has records, lists of people or keys.
func (r *rig) holdsSomething() bool {
	for _, g := range r.gates {
		for _, name := range []string{"journal", "roster.csv", "site.key", "agent.key", "agent.age", "agent.yaml"} {
			if exists(filepath.Join(r.Dir, g.ID, name)) {
				return true
			}
		}
	}
	return false
}
