package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/replay"
	"gatehouse/gateway/wire"
)

// knownPolicy is a policy that is at hand.
type knownPolicy struct {
	policy.Policy

	hash  string // SHA-256 of its file
	given bool   // by a flag; false: the county keeps it
}

// policies are those at hand: those that were given first, then the county's, the newest first.
type policies []knownPolicy

// add adds a policy unless it is there.
func (p *policies) add(text []byte, given bool) error {
	sum := sha256.Sum256(text)
	hash := hex.EncodeToString(sum[:])
	if p.of(hash) != nil {
		return nil
	}
	parsed, err := policy.Parse(text)
	if err == nil {
		*p = append(*p, knownPolicy{parsed, hash, given})
	}
	return err
}

// readPolicies reads the files of --policy.
func readPolicies(files []string) (out policies, err error) {
	for _, file := range files {
		text, err := config.Read(file)
		if err == nil {
			err = out.add(text, true)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:\n%w", file, err)
		}
	}
	return out, nil
}

// ofCounty adds the versions that the county with a folder keeps. What this program can't read
// any more is left out, as if it were not there.
func (p policies) ofCounty(ctx context.Context, dir string) (out policies, err error) {
	if !hasCounty(dir) {
		return p, nil
	}
	file, err := desk.OpenFile(filepath.Join(dir, centre.DeskFile))
	if err != nil {
		return nil, fmt.Errorf("read the county's versions of policies: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	texts, err := rules.Policies(ctx, file)
	for _, text := range texts {
		_ = p.add(text, false)
	}
	return p, err
}

// of returns the policy with a hash; nil: it is not at hand.
func (p policies) of(hash string) *policy.Policy {
	for i := range p {
		if p[i].hash == hash {
			return &p[i].Policy
		}
	}
	return nil
}

// called returns the policy of a version: one that was given, or the only one of the county.
func (p policies) called(version string) *policy.Policy {
	var found []*policy.Policy
	for i := range p {
		if p[i].Version != version {
			continue
		}
		if p[i].given {
			return &p[i].Policy
		}
		found = append(found, &p[i].Policy)
	}
	if len(found) == 1 {
		return found[0]
	}
	return nil
}

// first returns the first policy that was given; nil: none was.
func (p policies) first() *policy.Policy {
	if len(p) > 0 && p[0].given {
		return &p[0].Policy
	}
	return nil
}

// journalRuns is a journal with the runs of its agent, and what it decided by.
type journalRuns struct {
	agent, jid string
	runs       []replay.Run
	periods    []period // the oldest first; at least one
}

// period is a time in which a gate decided by one set of rules.
type period struct {
	from    uint64 // seq of the record that the set came into force; 0: none says so
	at      time.Time
	applied *wire.RulesApplied // nil: of before the first such record
	version string             // of the policy that the first passage names
	people  *replay.People     // who was there then
	rules   *policy.Rules      // nil: they are not at hand
}

// take takes the next record of the journal; follow says that sets of rules are followed.
func (j *journalRuns) take(rec wire.Record, body wire.Body, follow bool) {
	if len(j.periods) == 0 {
		j.periods = []period{{at: rec.At.Time, people: &replay.People{}}}
	}
	now := &j.periods[len(j.periods)-1]
	if b, is := body.(*wire.Passage); is {
		now.people.Take(b)
		if now.version == "" {
			now.version = b.Policy
		}
	}
	if a := replay.Applied(body); a != nil && follow && (now.applied == nil || *now.applied != *a) {
		j.periods = append(j.periods, period{from: rec.Seq, at: rec.At.Time, applied: a, people: &replay.People{}})
	}
}

// period returns the index of the period to which a record belongs; seq 0 is the first.
func (j *journalRuns) period(seq uint64) int { return replay.SetOf(j.sets(), seq) + 1 }

// sets returns the sets that came into force.
func (j *journalRuns) sets() (out []replay.Set) {
	for _, p := range j.periods[1:] {
		out = append(out, replay.Set{From: p.from, Rules: p.rules})
	}
	return out
}

// ruler finds the rules that were in force.
type ruler struct {
	known  policies
	people *replay.People // of all gates and times
	roster []byte         // nil: who was there is the roster
	file   string         // of roster
	names  identity.Named
}

// rule finds the rules of a journal's periods.
func (r *ruler) rule(j *journalRuns) error {
	if len(j.periods) == 0 {
		j.periods = []period{{people: &replay.People{}}}
	}
	for i := range j.periods {
		p := &j.periods[i]
		people := r.people
		if len(j.periods) > 1 {
			people = p.people.Beside(r.people)
		}
		var err error
		if found := r.find(j.periods, i); found != nil {
			p.rules, err = r.with(*found, people)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ruled reports whether rules of some time are at hand.
func (j *journalRuns) ruled() bool {
	return slices.ContainsFunc(j.periods, func(p period) bool { return p.rules != nil })
}

// unchecked says of each passage of a journal that none of its rules are at hand.
func (x *replaying) unchecked(ctx context.Context, j *journalRuns) error {
	n := make([]int, len(j.periods))
	err := x.rows(ctx, j.jid, func(rec wire.Record, body wire.Body) {
		if b, is := body.(*wire.Passage); is && !rec.At.Before(x.q.From) {
			x.count(replay.Outcome{Seq: rec.Seq, At: rec.At.Time, Was: b, Unruled: true})
			n[j.period(rec.Seq)]++
		}
	})
	for i, passages := range n {
		if passages > 0 && err == nil {
			err = x.unruled(j.agent, j.periods[i], passages)
		}
	}
	return err
}

// find returns the policy of a period; nil: it is not at hand.
func (r *ruler) find(list []period, i int) *policy.Policy {
	p := list[i]
	if p.applied != nil {
		return r.known.of(p.applied.Hash)
	}
	if i+1 < len(list) && (p.version == "" || p.version == list[i+1].applied.Policy) {
		if found := r.known.of(list[i+1].applied.Hash); found != nil {
			return found
		}
	}
	if found := r.known.called(p.version); found != nil {
		return found
	}
	return r.known.first()
}

// with returns a policy with its roster.
func (r *ruler) with(p policy.Policy, people *replay.People) (*policy.Rules, error) {
	if r.roster == nil {
		rules, err := people.Rules(p)
		if err != nil {
			err = fmt.Errorf("the cards of the stored passages do not fit the policy: %w", err)
		}
		return rules, err
	}
	rules, err := policy.ParseRosterText(p, r.roster, r.names)
	if err != nil {
		err = fmt.Errorf("the roster %s: %w", r.file, err)
	}
	return rules, err
}

// by says by which policies is decided, for the audit.
func (f *replayFlags) by() string {
	if len(f.policies) == 0 {
		return "the policies in force"
	}
	var names []string
	for _, file := range f.policies {
		names = append(names, filepath.Base(file))
	}
	return "policy " + strings.Join(names, ", ")
}
