package agent

import (
	"strings"
	"time"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/trial"
)

// Check reads the files that a configuration names, as New does, and says why nobody
// could pass at the gate in the week that begins at now; empty: somebody could. An error
// names what is wrong with the files, also where those of before would stay in force.
func Check(cfg Config, now time.Time) (locked string, err error) {
	if err := cfg.Check(); err != nil {
		return "", err
	}
	files, err := readFiles(cfg)
	if err == nil {
		err = files.refused
	}
	if err != nil || files.rules == nil {
		return "", err
	}
	return locks(cfg, files.rules, now.In(files.zone)), nil
}

// locks says why nobody could pass in the week that begins on the day of now; empty:
// somebody could.
func locks(cfg Config, r *policy.Rules, now time.Time) string {
	if why := cfg.Station.Locked(cfg.Kiosk.Listen != ""); why != "" {
		return why
	}
	y, m, d := now.Date()
	return strings.Join(trial.Locked(r, cfg.Station.Ways(), time.Date(y, m, d, 0, 0, 0, 0, now.Location())), "; ")
}

// warnLocked raises an alarm when the rules let nobody pass.
func (a *Agent) warnLocked(cfg Config, f files) {
	c := status.Condition{Type: fact.AlarmNobodyPasses}
	if f.rules != nil {
		if c.Detail = locks(cfg, f.rules, a.clock.Now().Wall.In(f.zone)); c.Detail != "" {
			a.log.Warn("nobody can pass at this gate", "policy", f.rules.Version, "people", f.rules.People(),
				"reason", c.Detail)
		}
	}
	a.board.Set(c)
}
