package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/secret"
)

const day = 24 * time.Hour

// keptRules is the file in the agent's folder with the rules that were right last. Cards
// and households have pseudonyms there; an earlier version of the program wrote numbers.
const keptRules = "rules.json"

// mostKept is how much is read of the kept rules, where the roster stands in base64
// beside the others, in bytes.
const mostKept = 2 * policy.MaxRoster

// texts are the files of policy, roster and guards.
type texts struct {
	Policy []byte `json:"policy"`
	Roster []byte `json:"roster"`
	Guards []byte `json:"guards,omitempty"` // empty: nobody signs in
}

// readRules reads the rules of the configuration. Where they are wrong, those that were
// right last stay in force, if there are any.
func (f *files) readRules(cfg Config) error {
	t, err := f.readTexts(cfg)
	if err == nil {
		f.rules, err = t.rules(cfg, f.names)
	}
	if err == nil {
		f.texts = t
		return nil
	}
	b, err2 := secret.ReadMost(filepath.Join(cfg.Dir, keptRules), mostKept)
	if errors.Is(err2, os.ErrNotExist) {
		return err
	}
	if err2 == nil {
		err2 = json.Unmarshal(b, &f.texts)
	}
	if err2 == nil {
		f.rules, err2 = f.texts.rules(cfg, f.names)
	}
	if err2 != nil {
		return errors.Join(err, fmt.Errorf("the rules of before, in %s: %w", keptRules, err2))
	}
	f.refused = err
	if !f.rules.NamedBy(f.ring.Has) {
		f.refused = errors.Join(err, errOtherKey)
	}
	return nil
}

// errOtherKey is said of kept rules by whose names nobody is known any more.
var errOtherKey = errors.New("the rules of before know people by another site_key: " +
	"nobody is known until this is mended")

func (f *files) readTexts(cfg Config) (t texts, err error) {
	for _, path := range []string{cfg.Roster, cfg.Guards} {
		if path != "" && secret.Close(path) {
			f.closed = append(f.closed, path)
		}
	}
	if t.Policy, err = config.Read(cfg.Policy); err != nil {
		return t, err
	}
	if t.Roster, err = secret.ReadMost(cfg.Roster, policy.MaxRoster); err != nil {
		return t, fmt.Errorf("read the roster: %w", err)
	}
	if cfg.Guards != "" {
		if t.Guards, err = secret.Read(cfg.Guards); err != nil {
			return t, fmt.Errorf("read the guards: %w", err)
		}
	}
	return t, nil
}

// rules makes rules of the texts, and checks that the gate can apply them.
func (t texts) rules(cfg Config, names identity.Named) (*policy.Rules, error) {
	p, err := policy.Parse(t.Policy)
	if err == nil {
		err = cfg.Station.CheckRules(p)
	}
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", cfg.Policy, err)
	}
	r, err := policy.ParseRosterText(p, t.Roster, names)
	if err != nil {
		return nil, fmt.Errorf("roster %s: %w", cfg.Roster, err)
	}
	if len(t.Guards) > 0 {
		list, err := policy.ParseGuards(t.Guards)
		if err == nil {
			r.Guards, err = policy.NewGuards(list, r, names)
		}
		if err != nil {
			return nil, fmt.Errorf("guards %s: %w", cfg.Guards, err)
		}
	}
	if days := int(r.Reach() / day); r.Reach() > cfg.keep() {
		return nil, fmt.Errorf("%s: its rules count what passed in %d days, and the journal keeps %d: "+
			"write keep_days: %d in the agent's configuration", cfg.Policy, days, cfg.keep()/day, days)
	}
	return r, nil
}

// keepRules keeps the rules in force in the agent's folder. Where the newest are wrong, it
// raises the alarm: those of before are in force, and kept without the numbers that an
// earlier version of the program has left there.
func (a *Agent) keepRules(dir string, f files) {
	for _, path := range f.closed {
		a.log.Warn("others could read a list of people: its rights were taken from them (chmod 600)", "file", path)
	}
	c := status.Condition{Type: fact.AlarmRulesRefused}
	if f.refused != nil {
		c.Detail = fmt.Sprintf("those of before stay in force: %v", f.refused)
		if f.rules != nil {
			c.Detail = fmt.Sprintf("policy %s of before stays in force: %v", f.rules.Version, f.refused)
		}
		a.log.Error("policy or roster are wrong: those of before stay in force", "err", f.refused)
	}
	if f.rules != nil {
		if err := f.texts.save(filepath.Join(dir, keptRules), f.names); err != nil {
			a.log.Warn("the rules can't be kept: if their files become wrong, the agent will not start", "err", err)
		}
	}
	a.board.Set(c)
}
