package runs

import (
	"cmp"
	"errors"
	"time"

	"gatehouse/firmware-bridge/meter"
)

// Config describes a machine. Zero fields take the defaults, except TankLitres.
type Config struct {
	Machine    string
	TankLitres float64       // size of the tank; 0: not known, Run.TankFell is nil
	Idle       time.Duration // a sortie ends when there was no work for so long; default 15 s
	Pause      time.Duration // sorties further apart are two runs; default 15 min
	MinFlow    float64       // L/min below which nothing flows; default 0.05
	MaxFlow    float64       // L/min, the most that the pump can give; default 300
	Gap        time.Duration // samples further apart have a gap between them; default 3 s
	Rollover   float64       // litres at which the counter begins again at 0; 0: not known
	Resolution float64       // litres, the counter's last digit; 0: 0.001
	Declared   bool          // imported or declared by hand: it proves nothing
	// Holds is for how long a command holds that is not repeated, of a machine that
	// speaks only at its changes; 0: a command holds until the next sample, at most Gap.
	Holds time.Duration
}

// Check returns an error when a field is out of range.
func (c Config) Check() error {
	switch {
	case !(c.TankLitres >= 0 && c.TankLitres <= mostTank): // NaN is not, either
		return errors.New("tank_l is not in 0 to 100000")
	case c.Idle < 0 || c.Idle > time.Hour:
		return errors.New("idle is not in 0s to 1h")
	case c.Pause < 0 || c.Pause > 24*time.Hour:
		return errors.New("pause is not in 0s to 24h")
	case c.Holds < 0 || c.Holds > 24*time.Hour:
		return errors.New("holds is not in 0s to 24h")
	case !(c.MinFlow >= 0 && c.MinFlow <= mostFlow && c.MaxFlow >= 0 && c.MaxFlow <= mostFlow):
		return errors.New("min_flow or max_flow is not in 0 to 5000 L/min")
	case !(c.Rollover >= 0 && c.Rollover <= mostCount):
		return errors.New("rollover_l is not in 0 to 1e13: give the litres at which the counter begins again at 0")
	case !(c.Resolution >= 0 && c.Resolution <= 1000):
		return errors.New("resolution_l is not in 0 to 1000")
	}
	return nil
}

const (
	mostTank    = 100_000.0        // litres, the most that TankLitres may be
	mostFlow    = 5000.0           // L/min, the most that MinFlow and MaxFlow may be
	mostCount   = 1e13             // litres, the most that Rollover may be
	leakFor     = 3 * time.Second  // flow without command for so long is work
	overrun     = 3 * time.Second  // flow may go on for so long after the command has ended
	settle      = 2 * time.Second  // after a silence the values arrive one by one for so long
	movedBeyond = 10.0             // metres from where the run began
	jumpSpeed   = 70.0             // m/s, faster than any machine moves
	jumpFor     = 10 * time.Second // a receiver that stays away for so long has moved
	tankRise    = 5.0              // percent, the least that a refill raises the level
	maxFaults   = 8
)

// counter returns what the machine's counter can do.
func (c Config) counter() meter.Kind {
	return meter.Kind{Resolution: c.Resolution, Rollover: c.Rollover, MaxFlow: c.MaxFlow}
}

// withDefaults returns the configuration with its zero fields filled in.
func (c Config) withDefaults() Config {
	c.Idle = cmp.Or(c.Idle, 15*time.Second)
	c.Pause = cmp.Or(c.Pause, 15*time.Minute)
	c.MinFlow = cmp.Or(c.MinFlow, 0.05)
	c.Gap = cmp.Or(c.Gap, 3*time.Second)
	c.MaxFlow = cmp.Or(c.MaxFlow, 300)
	return c
}
