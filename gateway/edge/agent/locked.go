package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/trial"
)

// Check reads the files that a configuration names, as New does, and says why nobody
// could pass at the gate in the week that begins at now; empty: somebody could. An error
// names what is wrong with the files, also where those of before would stay in force.
func Check(cfg Config, now time.Time) (locked string, err error) {
	if err := cfg.Check(); err != nil {
		return "", err
	}
	files, err := readFiles(cfg, now)
	if err == nil {
		err = files.refused
	}
	if err == nil && cfg.Identity.Key != "" { // an agent that runs works without it, too
		if err = tryKey(cfg.Identity.Key); err != nil {
			err = fmt.Errorf("identity.key: %w", err)
		}
	}
	if err != nil || files.rules == nil {
		return "", err
	}
	l := newLocks(cfg, files)
	return l.judge(now, nil), nil
}

// tryKey reads the gate's own key, and has it sign.
func tryKey(path string) error {
	key, err := identity.LoadKey(path)
	if err != nil {
		return err
	}
	return identity.TryKey(key)
}

const (
	// lookEvery is how often the agent looks whether somebody can still pass.
	lookEvery = 10 * time.Second
	// brokenFor is how long a device must have been broken to count as broken: a plug that
	// is put in again, or an agent that has just started, locks nobody out.
	brokenFor = time.Minute
)

// locks judges whether somebody can pass at the gate: once, and again when that may have
// changed, with the day, because cards have days, or with the devices that work. Rules and
// roster are read when the agent starts only.
type locks struct {
	cfg    Config
	mu     sync.Mutex    // guards what follows
	rules  *policy.Rules // nil: the agent has no gate
	zone   *time.Location
	broken map[string]time.Duration // devices that do not work, since when on the boot clock
	judged string                   // the day and the devices that were judged last
}

func newLocks(cfg Config, f files) *locks {
	return &locks{cfg: cfg, rules: f.rules, zone: f.zone, broken: map[string]time.Duration{}}
}

// judge says why nobody could pass, without the devices that do not work, in the week that
// begins on the day of now; empty: somebody could.
func (l *locks) judge(now time.Time, without []string) string {
	works := l.cfg.Station.Without(without)
	if why := works.Locked(l.cfg.Kiosk.Listen != ""); why != "" {
		return why
	}
	var out []string
	for _, way := range l.cfg.Station.Ways() {
		if !slices.Contains(works.Ways(), way) {
			out = append(out, string(way)+": no reader or scanner for this way works")
		}
	}
	y, m, d := now.In(l.zone).Date()
	out = append(out, trial.Locked(l.rules, works.Ways(), time.Date(y, m, d, 0, 0, 0, 0, l.zone))...)
	return strings.Join(out, "; ")
}

// look says why nobody can pass now. again is false when nothing has changed since it was
// judged last. An agent without a gate locks nobody out.
func (l *locks) look(now clock.Moment, s status.Snapshot) (why string, again bool) {
	if l.rules == nil {
		again = l.judged == ""
		l.judged = "no gate"
		return "", again
	}
	without := l.lasting(now.Boot, s)
	what := strings.Join(append(without, now.Wall.In(l.zone).Format(time.DateOnly)), " ")
	if what == l.judged {
		return "", false
	}
	l.judged = what
	return l.judge(now.Wall, without), true
}

// lasting returns the devices that have not worked for long enough, sorted.
func (l *locks) lasting(boot time.Duration, s status.Snapshot) (names []string) {
	for _, d := range s.Devices {
		since, known := l.broken[d.Name]
		doubtful := slices.ContainsFunc(s.Holds, func(c status.Condition) bool {
			return c.Type == fact.AlarmDeviceDoubtful && c.Device == d.Name
		})
		switch {
		case d.State == fact.DeviceOK && !doubtful:
			delete(l.broken, d.Name)
		case !known:
			l.broken[d.Name] = boot
		case boot-since >= brokenFor:
			names = append(names, d.Name)
		}
	}
	slices.Sort(names)
	return names
}

// setRules judges by other rules from now on.
func (l *locks) setRules(r *policy.Rules) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rules, l.judged = r, ""
}

// watchLocked looks from time to time until ctx ends whether somebody can pass.
func (a *Agent) watchLocked(ctx context.Context) {
	for retry.Sleep(ctx, lookEvery) {
		a.warnLocked(a.clock.Now())
	}
}

// warnLocked raises the alarm when nobody can pass, and ends it when somebody can.
func (a *Agent) warnLocked(now clock.Moment) {
	a.locks.mu.Lock()
	defer a.locks.mu.Unlock()
	why, again := a.locks.look(now, a.board.Snapshot())
	if !again {
		return
	}
	if why != "" {
		a.log.Warn("nobody can pass at this gate", "policy", a.locks.rules.Version, "people", a.locks.rules.People(),
			"reason", why)
	}
	a.board.Set(status.Condition{Type: fact.AlarmNobodyPasses, Detail: why})
}
