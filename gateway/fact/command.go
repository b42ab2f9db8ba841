package fact

import "slices"

// CommandAction is what the county's desk can have a gate do.
type CommandAction string

// The actions.
const (
	CommandOpen    CommandAction = "open"    // opens the barrier of a lane once
	CommandNotice  CommandAction = "notice"  // shows a notice to the guard now
	CommandReload  CommandAction = "reload"  // reads the configuration and its files again
	CommandRestart CommandAction = "restart" // ends the agent, so that its supervisor starts it again
)

// CommandActions returns all actions, in the order in which screens list them.
func CommandActions() []CommandAction {
	return []CommandAction{CommandOpen, CommandNotice, CommandReload, CommandRestart}
}

// Valid reports whether a is an action.
func (a CommandAction) Valid() bool { return slices.Contains(CommandActions(), a) }

// CommandOutcome is what became of a command at the gate.
type CommandOutcome string

// The outcomes.
const (
	CommandDone    CommandOutcome = "done"    //
	CommandRefused CommandOutcome = "refused" // nothing was done; a CommandWhy says why
	CommandUnknown CommandOutcome = "unknown" // the agent ended while it began: whether it was done is not known
)

// Valid reports whether o is an outcome.
func (o CommandOutcome) Valid() bool {
	return o == CommandDone || o == CommandRefused || o == CommandUnknown
}

// CommandWhy is why a gate refuses a command.
type CommandWhy string

// The reasons.
const (
	CommandLate      CommandWhy = "late"       // more time has passed since the agent issued the nonce
	CommandNonce     CommandWhy = "nonce"      // this run of the agent has not issued it, or a newer one since
	CommandOther     CommandWhy = "action"     // this version does not know the action
	CommandLane      CommandWhy = "lane"       // the gate has no such lane, or it must be named
	CommandNoBarrier CommandWhy = "no-barrier" // no output of the lane opens a barrier
	CommandFever     CommandWhy = "fever"      // a fever or another alarm is shown there
	CommandOutput    CommandWhy = "output"     // the output is busy with what it was told before
	CommandDisk      CommandWhy = "disk"       // the disk can't keep that it is done, so that it could be done twice
	CommandFiles     CommandWhy = "files"      // the configuration or one of its files is wrong
	CommandNoScreen  CommandWhy = "no-screen"  // the gate has no guard's screen
)
