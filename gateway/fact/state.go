package fact

// DeviceState says whether a device at a gate can be used.
type DeviceState string

// The states of a device.
const (
	DeviceOK    DeviceState = "ok"
	DeviceFault DeviceState = "fault" // it answers, and can't measure
	DeviceGone  DeviceState = "gone"  // its port is missing or unplugged
)

// MachineState says what a drone or fogging machine does.
type MachineState string

// The states of a machine.
const (
	MachineIdle    MachineState = "idle"
	MachineWorking MachineState = "working"
	MachinePaused  MachineState = "paused" // a run is open, and no sortie is under way
	MachineFault   MachineState = "fault"  // it reports a fault
	MachineGone    MachineState = "gone"   // it sends nothing
	MachineSilent  MachineState = "silent" // found by the county: its bridge sends no heartbeats
	MachineNever   MachineState = "never"  // found by the county: nothing was ever received
)

// MachineStates returns all of them.
func MachineStates() []MachineState {
	return []MachineState{MachineIdle, MachineWorking, MachinePaused, MachineFault, MachineGone, MachineSilent,
		MachineNever}
}

// LinkState says whether an agent or the collector is connected to the broker.
type LinkState string

// The states of a connection. Online and Offline are in a retained status; the
// other two are found by the county.
const (
	Online  LinkState = "online"
	Offline LinkState = "offline"
	Silent  LinkState = "silent" // the status is online, and no heartbeat arrives
	Never   LinkState = "never"  // nothing was ever received
)

// RunState says whether a run is over.
type RunState string

// The states of a run. A run that was found again with other limits, because
// samples arrived late, is withdrawn; the runs that replace it follow.
const (
	RunOpen      RunState = "open"
	RunClosed    RunState = "closed"
	RunWithdrawn RunState = "withdrawn"
)
