package fleet

// Fault is a fault of a machine.
type Fault string

// The faults. A machine has the same one all the time.
const (
	FaultNone  Fault = ""
	FaultDry   Fault = "dry nozzle"    // the pump is commanded and nothing flows
	FaultLeak  Fault = "leaking valve" // it flows without a command
	FaultStuck Fault = "stuck flow sensor"
	FaultDrift Fault = "GPS drift and loss"
	FaultGap   Fault = "link gap"
	FaultCut   Fault = "power cut in mid-run"
	FaultClock Fault = "wrong clock"

	// Those of the peers.
	FaultBack    Fault = "counter that steps back"
	FaultFlicker Fault = "counter whose last digits flicker"
	FaultLate    Fault = "reports that arrive late"
	FaultRepeat  Fault = "reports that arrive twice"
	FaultSlow    Fault = "clock 16 minutes slow"
	FaultDies    Fault = "dies at the end of its work, with a retained report"
	FaultHome    Fault = "flies on after its work"
)

// Spec describes one machine.
type Spec struct {
	ID, Name, Type string
	Operator       string
	Fault          Fault
	Language       Language
	TankL          float64 // litres; 0: it has no level sensor
	FlowLPM        float64 // litres a minute while it works
	NoFlowSensor   bool
	Speed          float64 // m/s
	Mission        []LatLon
	Grade          string // the grade that its runs must get
}

// Language is the protocol that a machine sends.
type Language string

// The protocols.
const (
	MAVLinkUDP    Language = "MAVLink over UDP"
	MAVLinkSerial Language = "MAVLink over a serial radio"
	PLC           Language = "Modbus RTU (PLC), NMEA"
	VFD           Language = "Modbus RTU (VFD and TUF-2000F), NMEA"
	JSON          Language = "MQTT, the report of WIRE.md"
	Tasmota       Language = "MQTT, Tasmota's format"
	Relay         Language = "MQTT, a relay that speaks only at its changes"
)
