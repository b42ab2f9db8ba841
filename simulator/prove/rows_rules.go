package prove

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// published are what happens while the county publishes rules.
func published() []Fault {
	return []Fault{{
		Row:  68,
		Name: "rules-agent-killed",
		What: "the desk approves six versions of the rules, one after the other; both agents are killed each time, " +
			"at a random moment or when one has just kept the set",
		Expect: "both end with the newest version; each passage names the version that it was decided by, with " +
			"the limits of that version, and no gate goes back to an earlier one",
		slow:    true,
		prepare: byCodes(enrolled{}),
		inject: func(ctx context.Context, r *rig) error {
			return r.publishAndKill(ctx, func(n int) error { return r.killAtRules(ctx, n) })
		},
		after: checkRules,
	}, {
		Row:     69,
		Name:    "rules-collector-killed",
		What:    "the collector is killed while it publishes a version of the rules, six times",
		Expect:  "as in row 68",
		prepare: byCodes(enrolled{}),
		inject: func(ctx context.Context, r *rig) error {
			return r.publishAndKill(ctx, func(int) error {
				retry.Sleep(ctx, time.Duration(r.rnd.IntN(250))*time.Millisecond)
				return r.restart(ctx, 0, r.collector)
			})
		},
		after: checkRules,
	}}
}

const (
	versions = 6 // of rules that a row publishes
	// countySet is the file of an agent's folder with the set that it has kept.
	countySet = "county-rules.json"
)

// version returns the text of a version of the rules, and its limit for a fever. Version 0
// is that of the profiles.
func version(n int) (text []byte, fever fact.Temp) {
	text, fever = world.Policy(), 3730+fact.Temp(n)
	if n == 0 {
		return text, fever
	}
	text = bytes.Replace(text, []byte("version: 2020-02-14.1\n"), fmt.Appendf(nil, "version: v%d\n", n), 1)
	limit := fmt.Appendf(nil, "fever_c: %d.%02d\n", fever/100, fever%100)
	return bytes.Replace(text, []byte("fever_c: 37.3\n"), limit, 1), fever
}

// approved puts a text into force, as soon as the desk answers.
func (r *rig) approved(ctx context.Context, key rules.Key, text []byte) error {
	var err error
	_, ok := r.poll(ctx, 30*time.Second, func() bool {
		var v rules.Version
		if v, err = r.clerk.AddRules(ctx, key, text); err == nil {
			err = r.clerk.ApproveRules(ctx, v)
		}
		return err == nil
	})
	if !ok {
		return fmt.Errorf("approve %s: %w", key, err)
	}
	return nil
}

// publishAndKill approves one version of the rules after the other, and calls kill after each.
func (r *rig) publishAndKill(ctx context.Context, kill func(n int) error) error {
	first, _ := version(0)
	if err := r.approved(ctx, rules.Key{Kind: rules.Policy, Scope: rules.Default}, first); err != nil {
		return err
	}
	for _, g := range r.gates {
		if err := r.approved(ctx, rules.Key{Kind: rules.Roster, Scope: g.ID}, g.Roster()); err != nil {
			return err
		}
	}
	for n := 1; n <= versions; n++ {
		text, _ := version(n)
		if err := r.approved(ctx, rules.Key{Kind: rules.Policy, Scope: rules.Default}, text); err != nil {
			return err
		}
		if err := kill(n); err != nil {
			return err
		}
	}
	return nil
}

// killAtRules kills both agents: at a random moment, or when one has kept another set.
func (r *rig) killAtRules(ctx context.Context, n int) error {
	if n%2 == 0 {
		retry.Sleep(ctx, time.Duration(r.rnd.IntN(400))*time.Millisecond)
	} else {
		dir := r.journalDir(r.gates[n/2%len(r.gates)].ID)
		before := setIn(dir)
		for end := time.Now().Add(5 * time.Second); setIn(dir) == before && time.Now().Before(end); {
			retry.Sleep(ctx, time.Millisecond)
		}
	}
	for _, a := range r.agents {
		a.kill()
		r.kills.Add(1)
	}
	for _, g := range r.gates {
		all, err := entries(r.journalDir(g.ID))
		if err != nil {
			return err
		}
		if kept := setIn(r.journalDir(g.ID)); kept > 0 && kept != lastApplied(all) {
			r.between++
		}
	}
	for _, a := range r.agents {
		if err := a.start(); err != nil {
			return err
		}
	}
	retry.Sleep(ctx, time.Duration(200+r.rnd.IntN(500))*time.Millisecond)
	return nil
}

// setIn returns the number of the set that an agent has kept; 0: none.
func setIn(dir string) uint64 {
	b, err := os.ReadFile(filepath.Join(dir, countySet))
	if err != nil {
		return 0
	}
	var kept struct {
		Manifest wire.Manifest `json:"manifest"`
	}
	if json.Unmarshal(b, &kept) != nil {
		return 0
	}
	return kept.Manifest.No
}

// lastApplied returns the number of the set that a journal says was put into force last; 0: none.
func lastApplied(all []wire.Record) (no uint64) {
	for _, rec := range all {
		if rec.Kind != wire.KindAudit {
			continue
		}
		if body, err := rec.DecodeBody(); err == nil {
			if a, is := body.(*wire.Audit); is && a.Rules != nil {
				no = a.Rules.No
			}
		}
	}
	return no
}

// checkRules waits until every gate has the newest rules, and checks what was decided by which.
func checkRules(ctx context.Context, r *rig) error {
	behind := ""
	took, ok := r.poll(ctx, time.Minute, func() bool {
		gates, err := r.clerk.Standings(ctx)
		if err != nil {
			behind = err.Error()
			return false
		}
		behind = ""
		for _, g := range r.gates {
			i := slices.IndexFunc(gates, func(s rules.Standing) bool { return s.Gate == g.ID })
			if i < 0 || gates[i].State != rules.Same {
				behind += fmt.Sprintf("%s: %+v; ", g.ID, gates[max(i, 0)])
			}
		}
		return behind == ""
	})
	if !ok {
		return fmt.Errorf("the desk does not say that all gates have what is meant: %s", behind)
	}
	r.note("all have the newest after %.1f s", took.Seconds())
	if r.between > 0 {
		r.note("killed %d times between keeping a set and putting it into force", r.between)
	}
	newest := map[string]int{} // of the last record of rules, by gate
	all, err := openArchive(storeFile(r.countyDir()), r.database, world.CountyID)
	if err != nil {
		return err
	}
	defer all.Close()
	passages := 0
	for x, err := range all.Rows(ctx, store.Query{}) {
		if err != nil {
			return err
		}
		n, decided, err := ruledBy(x.Raw)
		if err != nil {
			return fmt.Errorf("%s/%d: %w", x.Agent, x.Seq, err)
		}
		if n < 0 {
			continue
		}
		if decided {
			passages++
		}
		if n < newest[x.JID] {
			r.violated("%s goes back from version %d of the rules to %d at seq %d", x.Agent, newest[x.JID], n, x.Seq)
		}
		newest[x.JID] = n
	}
	for jid, n := range newest {
		if n != versions {
			r.violated("the last version of journal %s is %d, want %d", jid, n, versions)
		}
	}
	if len(newest) != len(r.gates) || passages == 0 {
		return fmt.Errorf("%d gates have records of rules, and %d passages are stored", len(newest), passages)
	}
	r.note("%d passages, each by one version", passages)
	return nil
}

// ruledBy returns which version a stored record is of: a passage, or the note that a set is
// in force; -1: neither.
func ruledBy(raw []byte) (n int, decided bool, err error) {
	rec, err := wire.DecodeRecord(raw)
	if err != nil || rec.Kind != wire.KindPassage && rec.Kind != wire.KindAudit {
		return -1, false, err
	}
	body, err := rec.DecodeBody()
	if err != nil {
		return -1, false, err
	}
	name := ""
	p, decided := body.(*wire.Passage)
	if decided {
		name = p.Policy
	} else if a, is := body.(*wire.Audit); is && a.Rules != nil {
		name = a.Rules.Policy
	} else {
		return -1, false, nil
	}
	if text, numbered := strings.CutPrefix(name, "v"); numbered {
		if n, err = strconv.Atoi(text); err != nil {
			return -1, false, err
		}
	}
	if _, fever := version(n); decided && p.Limits.Fever != fever {
		return n, decided, fmt.Errorf("decided by policy %s with the limit %s, which is another version's", name,
			p.Limits.Fever)
	}
	return n, decided, nil
}
