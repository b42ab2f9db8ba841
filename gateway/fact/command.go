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
	CommandUpgrade CommandAction = "upgrade" // asks the computer for another version of the packages
)

// CommandActions returns all actions, in the order in which screens list them.
func CommandActions() []CommandAction {
	return []CommandAction{CommandOpen, CommandNotice, CommandReload, CommandRestart, CommandUpgrade}
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

// The reasons of an upgrade that is not asked for. The first three hold for every version.
const (
	CommandNoPackage CommandWhy = "no-package"      // the program was not installed as a package
	CommandNoKey     CommandWhy = "no-key"          // the computer has no key of the county's packages
	CommandNoService CommandWhy = "no-service"      // gatehouse-upgrade.path is not enabled there
	CommandVersion   CommandWhy = "version"         // what is given is no version
	CommandSame      CommandWhy = "same-version"    // the gate has it already
	CommandEarlier   CommandWhy = "earlier-version" // the gate has a later one
	CommandUpgrading CommandWhy = "upgrading"       // an upgrade is on the way there
)

// UpgradeState is how far the last upgrade of a gate's computer has come.
type UpgradeState string

// The states: the first five are on the way, the others are ends.
const (
	UpgradeAsked      UpgradeState = "asked"      // the agent has asked for it
	UpgradeFetching   UpgradeState = "fetching"   // the packages come; nothing is changed
	UpgradeInstalling UpgradeState = "installing" // the new version is being installed
	UpgradeChecking   UpgradeState = "checking"   // the new version runs, and must show that it delivers
	UpgradeGoingBack  UpgradeState = "going-back" // the former version is being installed again
	UpgradeDone       UpgradeState = "done"       // the new version runs
	UpgradeUnchanged  UpgradeState = "unchanged"  // it was refused or failed before anything was changed
	UpgradeBack       UpgradeState = "back"       // the new version failed, and the former runs again
	UpgradeStuck      UpgradeState = "stuck"      // neither could be installed: somebody has to look
)

// Ended reports whether nothing is to be done any more.
func (s UpgradeState) Ended() bool {
	return s == UpgradeDone || s == UpgradeUnchanged || s.Failed()
}

// Failed reports whether the new version was installed and did not do.
func (s UpgradeState) Failed() bool { return s == UpgradeBack || s == UpgradeStuck }

// Valid reports whether s is a state.
func (s UpgradeState) Valid() bool {
	return s.Ended() || slices.Contains([]UpgradeState{UpgradeAsked, UpgradeFetching, UpgradeInstalling,
		UpgradeChecking, UpgradeGoingBack}, s)
}
