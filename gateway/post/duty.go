package post

import (
	"fmt"
	"time"

	"gatehouse/gateway/clock"
)

// duty is when somebody was at the post last, on the boot clock.
type duty struct {
	pressed time.Duration // a key
	left    time.Duration // since when nobody is signed in
}

func (d *duty) did(at time.Duration, on string) {
	d.pressed = max(d.pressed, at)
	if on == "" {
		d.left = max(d.left, at)
		return
	}
	d.left = at
}

// asks returns when the screen began to ask whether anybody is there, and until when
// they may answer; zeros: it does not ask.
func (d *duty) asks(cfg Config, now time.Duration, on string) (since, until time.Duration) {
	check := cfg.Rules.Duty.Check
	since = d.pressed + check
	if check == 0 || !cfg.Asks || now < since || len(cfg.Guards) > 0 && on == "" {
		return 0, 0
	}
	return since, since + cfg.Rules.Duty.Within()
}

// absent says in words why nobody seems to be at the post; empty: somebody is, or it is
// not asked.
func (d *duty) absent(cfg Config, now time.Duration, on string) string {
	within := cfg.Rules.Duty.Within()
	if _, until := d.asks(cfg, now, on); until > 0 && now >= until {
		return fmt.Sprintf("nothing was pressed for %s, and nobody answered the screen within %s: call the gate",
			cfg.Rules.Duty.Check, within)
	}
	signsIn := len(cfg.Guards) > 0 && (cfg.Asks || cfg.Cards)
	if cfg.Rules.Duty.Check > 0 && signsIn && on == "" && now-d.left >= within {
		return fmt.Sprintf("no guard has signed in for %s: call the gate", within)
	}
	return ""
}

// longestQuiet bounds how far back a restart looks for the hours in which people come.
const longestQuiet = 25 * time.Hour

// quiet is for how long nobody came in the hours in which people come.
type quiet struct {
	ticked time.Duration // boot clock
	lasts  time.Duration
}

// tick counts the time since the last tick.
func (q *quiet) tick(cfg Config, now clock.Moment, sees, sure bool) {
	passed := now.Boot - q.ticked
	q.ticked = now.Boot
	switch {
	case !sees:
		q.lasts = 0 // nobody could have been noticed: the devices' own alarms say so
	case !sure && len(cfg.Rules.Duty.Hours) > 0: // the hour is not known
	case cfg.Rules.Duty.Open(now.Wall.In(cfg.Zone)):
		q.lasts += passed
	}
}

// restore counts the time since somebody came last, minute by minute.
func (q *quiet) restore(cfg Config, now, at clock.Moment) {
	q.lasts = 0
	if at.Wall.IsZero() {
		return
	}
	for age := time.Duration(0); age < min(now.Boot-at.Boot, longestQuiet); age += time.Minute {
		if cfg.Rules.Duty.Open(now.Wall.Add(-age).In(cfg.Zone)) {
			q.lasts += min(time.Minute, now.Boot-at.Boot-age)
		}
	}
}

func (q *quiet) long(cfg Config) bool {
	limit := cfg.Rules.Duty.Quiet
	return limit > 0 && q.lasts >= limit
}
