package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/secret"
)

// keyLook is how often the agent looks whether another key is in force: the clock may be
// set meanwhile.
const keyLook = 10 * time.Second

// keys are the gate's keys for pseudonyms. The methods may be called from any goroutine.
type keys struct {
	cfg   Config
	codes func(identity.Named) codes

	// change is held while rules or keys are put into force, so that a key that comes into
	// force meanwhile does not bring back the rules of before.
	change sync.Mutex

	mu    sync.Mutex // guards what follows
	ring  identity.Ring
	names identity.Named // in force
	reach time.Duration  // how far the rules in force look back
}

func newKeys(cfg Config, f files) *keys {
	k := &keys{cfg: cfg, ring: f.ring, names: f.names, codes: func(n identity.Named) codes {
		return codes{n, cfg.County, cfg.Agent, f.collector}
	}}
	if f.rules != nil {
		k.reach = f.rules.Reach()
	}
	return k
}

// id returns the id of the key in force; empty: there is none.
func (k *keys) id() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.names.KeyID()
}

// due returns the names of a time, and whether they are by another key than those in force.
func (k *keys) due(now time.Time) (names identity.Named, other bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	names = k.ring.Named(now)
	return names, names.KeyID() != k.names.KeyID()
}

// prune takes keys out of ring and file by which nothing is noted any more that the rules
// ask for: whoever takes the gate away opens nothing of that time.
func (k *keys) prune(now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	ring := k.ring.Without(now, k.reach)
	if len(ring.Keys()) == len(k.ring.Keys()) {
		return nil
	}
	if err := identity.SaveRing(k.cfg.SiteKey, ring); err != nil {
		return err
	}
	k.ring = ring
	return nil
}

// all returns the keys.
func (k *keys) all() identity.Ring {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ring
}

// keep keeps other keys in the gate's file.
func (k *keys) keep(ring identity.Ring) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if slices.Equal(ring.Format(), k.ring.Format()) {
		return nil
	}
	if err := identity.SaveRing(k.cfg.SiteKey, ring); err != nil {
		return err
	}
	k.ring = ring
	return nil
}

// replace puts names into force, of rules that look so far back.
func (k *keys) replace(names identity.Named, reach time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.names, k.reach = names, reach
}

// set puts names into force.
func (k *keys) set(names identity.Named) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.names = names
}

// rollOver puts each key into force when its time comes, from restored on until ctx ends:
// the same people have other pseudonyms then, and what has passed goes on.
func (a *Agent) rollOver(ctx context.Context, restored <-chan struct{}) {
	select {
	case <-restored:
	case <-ctx.Done():
		return
	}
	tick := time.NewTicker(keyLook)
	defer tick.Stop()
	for {
		if err := a.rollAt(ctx, a.clock.Now().Wall); err != nil && ctx.Err() == nil {
			a.log.Warn("the gate's next key for pseudonyms can't be put into force, or a former one be removed; "+
				"the agent tries again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// rollAt puts the key of a time into force, if another one is.
func (a *Agent) rollAt(ctx context.Context, now time.Time) error {
	a.keys.change.Lock()
	defer a.keys.change.Unlock()
	names, other := a.keys.due(now)
	if other {
		r, err := a.keys.rules(names)
		if err == nil {
			err = a.station.SetNames(ctx, r, a.keys.codes(names))
		}
		if err != nil {
			return err
		}
		a.keys.set(names)
		a.log.Info("another key for pseudonyms is in force", "key_id", names.KeyID())
	}
	return a.keys.prune(now)
}

// rules returns the rules in force, by which people have these names.
func (k *keys) rules(names identity.Named) (*policy.Rules, error) {
	b, err := secret.ReadMost(filepath.Join(k.cfg.Dir, keptRules), mostKept)
	if err != nil {
		return nil, fmt.Errorf("read the rules in force: %w", err)
	}
	var t texts
	if err := json.Unmarshal(b, &t); err != nil {
		return nil, fmt.Errorf("read the rules in force, in %s: %w", keptRules, err)
	}
	return t.rules(k.cfg, names)
}
