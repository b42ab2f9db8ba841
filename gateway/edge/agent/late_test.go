package agent

import (
	"bytes"
	"context"
	"testing"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/wire"
)

// A renewal carries no keys for pseudonyms. A gate that was away for two epochs, and renewed its
// certificate late, gets its keys with the set that was published meanwhile: from then on it
// names people by the key in force, and still knows those of its last day.
func TestAGateThatWasAwayGetsItsKeysWithItsRules(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	p := r.enrolled()
	now := time.Now()
	epoch := func(n int) identity.Key {
		from := now.Add(-time.Hour).AddDate(0, 0, 14*n)
		return identity.NewKey(bytes.Repeat([]byte{byte(n + 9)}, 32), from, from.AddDate(0, 0, 14))
	}
	old, fresh := epoch(-2), epoch(0)
	if err := identity.SaveRing(r.cfg.SiteKey, identity.NewRing(old)); err != nil {
		t.Fatal(err)
	}
	key := identity.NewRing(fresh)
	roster := "card,class,status,household,from,until\n" + key.Named(now).Pseudonym("card", "62E3086CED") +
		",resident,active,,,\n"
	set := rulebook.Set{No: 7, Version: "v", At: now, Files: []rulebook.File{
		{Name: rulebook.PolicyFile, Bytes: []byte(limits("2", "37.5"))},
		{Name: rulebook.RosterFile, Bytes: []byte(roster)}, {Name: rulebook.KeysFile, Bytes: key.Format()}}}
	s, err := rulebook.Gate{County: r.cfg.County, Agent: r.cfg.Agent}.Seal(set, p.to, p.key.Private)
	if err != nil {
		t.Fatal(err)
	}
	for n, part := range s.Parts {
		p.retain(wire.PartTopic(r.cfg.County, r.cfg.Agent, set.No, n), part)
	}
	payload, err := wire.Encode(s.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	p.retain(wire.Topic(r.cfg.County, r.cfg.Agent, wire.LeafPolicy), payload)
	r.run(func(context.Context, *Agent) {}, func(a *Agent) bool {
		return inForce(a) == 7 && a.keys.id() == fresh.ID() && a.locks.people() == 1
	})
	ring, err := identity.LoadRing(r.cfg.SiteKey)
	if err != nil || !ring.Has(fresh.ID()) || !ring.Has(old.ID()) {
		t.Errorf("the gate keeps %d keys, %v: the new one, and for a day the one before", len(ring.Keys()), err)
	}
}
