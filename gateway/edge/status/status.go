// Package status is the board of an agent. Each part of the agent posts its state
// on it; the heartbeat, the guard's screen and the probes read it. The package
// knows nothing of the parts.
package status

import (
	"strconv"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/episode"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
)

// StuckAfter is how long a part of the agent, each of which turns once a second,
// may go without a turn before it counts as stuck.
const StuckAfter = 15 * time.Second

// Snapshot is the state of an agent at one moment.
type Snapshot struct {
	Gate
	Journal
	Delivery Delivery
	Help     Help
	County   []CountyAct // what the county did here just now, the oldest first
	Odd      string      // why what claims to be a command does nothing; empty: nothing was refused lately
	Post     Post
	Machines []wire.BeatMachine // as in the configuration; none at a gate without a bridge
	Rules    *wire.RulesInForce // of the county; nil: the gate judges by files of its own
	Upgrade  *wire.Upgrade      // how the computer stands to upgrades; nil: nothing is known
	Holds    []Condition        // sorted by their ids
	Retired  string             // how far the end of the gate's service is, as retire.Stage; empty: it is in service
	Unsafe   string             // why what is kept may be lost; empty: nothing is known
	Unkept   string             // why records can't be kept; empty: they are
	Turned   time.Duration      // boot clock: the last turn of the part that turned least recently; 0: none has started
}

// Stuck reports whether a part of the agent is stuck at now.
func (s Snapshot) Stuck(now clock.Moment) bool { return now.Boot-s.Turned > StuckAfter }

// Gate is the state of the devices of a gate, and what its people are asked to do.
type Gate struct {
	Devices   []Device
	Lanes     []string          // names of the lanes where there are several
	Prompts   []gate.Prompt     // what the people in the lanes are asked to do
	Measuring []string          // lanes in which somebody stands at a thermometer and is not measured yet
	Measured  []string          // lanes in which somebody who was measured still stands there
	Episodes  []episode.Episode // fevers that are not settled, and confirmed ones; the oldest first
	Checks    []Check           // field checks of thermometers that are on, or have just ended
}

// Check is a field check of a thermometer.
type Check struct {
	wire.FieldCheck

	Lane      string
	Screening *fact.Temp  // of the person who was measured last; nil: nobody was
	Problem   fact.Reason // why the newest measurement does not count; "": it does
}

// Post is the state of a gate's post, and which verdicts its guards may decide against.
type Post struct {
	post.View
	Overrides *policy.Overrides // nil: none
}

// Device is one sensor of a gate.
type Device struct {
	Name      string
	Lane      string
	Direction fact.Direction // of a reader
	Kind      devices.Kind
	State     fact.DeviceState
	Heard     time.Duration // boot clock of its last reading, at the earliest the start of the agent
}

// Journal is the state of the journal and its disk.
type Journal struct {
	Pending uint64        // records that the county has not acknowledged
	Oldest  time.Time     // when the oldest of them was taken, looked up every 10 s; zero: none waits
	FullIn  time.Duration // until the disk is full if nothing is acknowledged; 0: not known
}

// Condition is something that is wrong and lasts until it is known to have
// ended.
type Condition struct {
	Type    fact.AlarmType
	Device  string // device or machine that it is about; empty: the agent
	Passage uint64 // seq of the passage that it is about; 0: none
	Detail  string // for people
}

// ID returns the id of the condition's alarm, such as "device-gone:reader".
func (c Condition) ID() string {
	if c.Passage != 0 {
		return c.Type.ID(strconv.FormatUint(c.Passage, 10))
	}
	return c.Type.ID(c.Device)
}
