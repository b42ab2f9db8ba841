package prove

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/county/epochs"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/world"
)

// rollsAfter is how long after the begin of a row another epoch begins: the gates are in
// service by then.
const rollsAfter = 20 * time.Second

// rolledWithin is how long an agent may take to put the next key into force; it looks every 10 s.
const rolledWithin = 15 * time.Second

// rolled is what an agent logs when another key is in force.
const rolled = "another key for pseudonyms is in force"

// rollOvers are what happens while the keys for pseudonyms change.
func rollOvers() []Fault {
	expect := "each gate makes pseudonyms by the former key, and then by the next one only; its records are taken"
	return []Fault{{
		Row:  70,
		Name: "epoch-killed",
		What: "another epoch begins: one agent is killed again and again before and after, and the collector, too; " +
			"the other agent runs",
		Expect:  expect,
		slow:    true,
		prepare: aboutToRoll,
		inject:  killAtRollOver,
		after:   checkKeys,
	}, {
		Row:     71,
		Name:    "epoch-offline",
		What:    "another epoch begins while the gates are cut off; they are connected again afterwards",
		Expect:  expect,
		slow:    true,
		prepare: aboutToRoll,
		inject: func(ctx context.Context, r *rig) error {
			retry.Sleep(ctx, time.Until(r.rolls)-2*time.Second)
			r.chaos.Set(faults.Line{Cut: true})
			err := r.awaitKeys(ctx, r.agents...)
			r.wait(ctx, 2*time.Second)
			if n := r.backlog(ctx); n == 0 {
				return fmt.Errorf("the gates are cut off, and no record waits")
			}
			r.chaos.Set(faults.Line{})
			return err
		},
		after: checkKeys,
	}}
}

// aboutToRoll makes a county whose epoch ends soon, and whose next one is prepared.
func aboutToRoll(ctx context.Context, r *rig) error {
	r.rolls = time.Now().Add(rollsAfter).Truncate(time.Second)
	cfg := epochs.Config{People: map[string]string{}}
	for _, name := range []string{"wang", "li"} {
		_, to, err := sealed.NewKey()
		if err != nil {
			return err
		}
		cfg.People[name] = to
	}
	dir := filepath.Join(r.countyDir()+"-ca", "epochs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	const fortnight = 14 * 24 * time.Hour
	for _, from := range []time.Time{r.rolls.Add(-fortnight).UTC(), r.rolls.UTC()} {
		secret := make([]byte, 32)
		rand.Read(secret) // never fails (crypto/rand)
		line := fmt.Sprintf("%s %s %s\n", base64.StdEncoding.EncodeToString(secret), from.Format(time.RFC3339),
			from.Add(fortnight).Format(time.RFC3339))
		name := "epoch-" + from.Format("20060102T150405Z") + ".key"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(line), 0o600); err != nil {
			return err
		}
	}
	return byCodes(enrolled{epochs: &cfg})(ctx, r)
}

// killAtRollOver kills the first agent, and the collector, around the begin of an epoch.
func killAtRollOver(ctx context.Context, r *rig) error {
	if time.Until(r.rolls) < time.Second {
		return fmt.Errorf("the programs took too long to start: the epoch has begun")
	}
	retry.Sleep(ctx, time.Until(r.rolls)-time.Second)
	for n := range 8 {
		victims := []*process{r.agents[0]}
		if n%2 == 1 {
			victims = append(victims, r.collector)
		}
		if err := r.restart(ctx, time.Duration(r.rnd.IntN(200))*time.Millisecond, victims...); err != nil {
			return err
		}
		retry.Sleep(ctx, time.Duration(r.rnd.IntN(600))*time.Millisecond)
	}
	return r.awaitKeys(ctx, r.agents[1])
}

// awaitKeys waits until agents say that another key is in force.
func (r *rig) awaitKeys(ctx context.Context, agents ...*process) error {
	for _, a := range agents {
		within := time.Until(r.rolls) + rolledWithin
		if _, ok := r.poll(ctx, within, func() bool { return strings.Contains(a.printed(), rolled) }); !ok {
			return fmt.Errorf("%s has not put the next key into force:\n%s", a.Name, a.tail())
		}
		r.note("%s: the next key after %.1f s", a.Name, time.Since(r.rolls).Seconds())
	}
	return nil
}

// checkKeys checks by which keys the gates have made pseudonyms: by the former, and from some
// passage on by the next one.
func checkKeys(ctx context.Context, r *rig) error {
	all, err := openArchive(storeFile(r.countyDir()), r.database, world.CountyID)
	if err != nil {
		return err
	}
	defer all.Close()
	keys := map[string][]string{} // by gate, in the order of their use
	passages := 0
	for x, err := range all.Rows(ctx, store.Query{}) {
		if err != nil {
			return err
		}
		rec, err := wire.DecodeRecord(x.Raw)
		if err != nil || rec.Kind != wire.KindPassage {
			continue // evaluate reports records that can't be read
		}
		body, err := rec.DecodeBody()
		if err != nil {
			return err
		}
		p, is := body.(*wire.Passage)
		if !is || p.Credential == "" {
			continue
		}
		passages++
		key, own := identity.KeyOf(p.Credential), keys[x.Agent]
		if len(own) == 0 || own[len(own)-1] != key {
			keys[x.Agent] = append(own, key)
		}
	}
	seen := map[string]string{}
	for _, g := range r.gates {
		if own := keys[g.ID]; len(own) != 2 {
			return fmt.Errorf("%s has made pseudonyms by the keys %v in turn, want two", g.ID, own)
		}
		for _, key := range keys[g.ID] {
			if other := seen[key]; other != "" {
				return fmt.Errorf("%s and %s have the key %s", other, g.ID, key)
			}
			seen[key] = g.ID
		}
	}
	r.note("%d passages, by two keys of each gate", passages)
	return nil
}
