package fact

// Values are what a drone or fogging machine reports of itself at one moment.
// What it did not report is nil, or empty: never a made-up zero. The JSON names
// are those of the wire.
type Values struct {
	Lat     *float64 `json:"lat,omitempty"`         // degrees north, WGS-84
	Lon     *float64 `json:"lon,omitempty"`         // degrees east, WGS-84
	Height  *float64 `json:"height_m,omitempty"`    // metres above the ground
	Speed   *float64 `json:"speed_ms,omitempty"`    // over the ground, m/s
	Armed   *bool    `json:"armed,omitempty"`       // may move and work
	Command *bool    `json:"command,omitempty"`     // the pump is told to run
	Flow    *float64 `json:"flow_lpm,omitempty"`    // measured, L/min
	Volume  *float64 `json:"volume_l,omitempty"`    // litres; a counter, as its meter shows it (firmware-bridge/meter)
	Tank    *float64 `json:"tank_pct,omitempty"`    // percent of the tank
	Battery *float64 `json:"battery_pct,omitempty"` // percent
	Fault   string   `json:"fault,omitempty"`       // a fault in the machine's own words
}

// Names of fields of Values, as on the wire, in InfluxDB, in CSV files and in
// configurations.
const (
	FieldFlow    = "flow_lpm"
	FieldVolume  = "volume_l"
	FieldTank    = "tank_pct"
	FieldBattery = "battery_pct"
	FieldSpeed   = "speed_ms"
	FieldArmed   = "armed"
	FieldCommand = "command"
	FieldFault   = "fault"
)

// Number is a field of Values that holds a number.
type Number struct {
	Name     string
	Unit     string
	Min, Max float64 // a value outside can't be true
	Steps    float64 // how many steps of a unit a track keeps: 100 rounds to 0.01
	Of       func(*Values) **float64
}

// Numbers returns the fields of Values that hold numbers, in the order of the
// wire. A position needs both of the first two.
func Numbers() []Number { return numbers[:] }

var numbers = [...]Number{
	{"lat", "°", -90, 90, 1e7, func(v *Values) **float64 { return &v.Lat }}, // 1e-7 of a degree is a centimetre
	{"lon", "°", -180, 180, 1e7, func(v *Values) **float64 { return &v.Lon }},
	{"height_m", "m", -500, 2000, 100, func(v *Values) **float64 { return &v.Height }},
	{FieldSpeed, "m/s", 0, 80, 100, func(v *Values) **float64 { return &v.Speed }},
	{FieldFlow, "L/min", 0, 5000, 1e4, func(v *Values) **float64 { return &v.Flow }}, // a large fog cannon has some 150
	// A counter of net flow may fall below 0, and one of 31 bits goes on at -2147483648.
	{FieldVolume, "L", -10e9, 10e9, 1e4, func(v *Values) **float64 { return &v.Volume }},
	{FieldTank, "%", 0, 100, 100, func(v *Values) **float64 { return &v.Tank }},
	{FieldBattery, "%", 0, 100, 10, func(v *Values) **float64 { return &v.Battery }},
}

// NumberNamed returns the field of that name; ok is false when no field that
// holds a number has it.
func NumberNamed(name string) (n Number, ok bool) {
	for _, n := range numbers {
		if n.Name == name {
			return n, true
		}
	}
	return Number{}, false
}

// Flag is a field of Values that holds yes or no.
type Flag struct {
	Name string
	Of   func(*Values) **bool
}

// Flags returns the fields of Values that hold yes or no.
func Flags() []Flag { return flags[:] }

var flags = [...]Flag{
	{FieldArmed, func(v *Values) **bool { return &v.Armed }},
	{FieldCommand, func(v *Values) **bool { return &v.Command }},
}

// FlagNamed returns the field of that name; ok is false when no field that
// holds yes or no has it.
func FlagNamed(name string) (f Flag, ok bool) {
	for _, f := range flags {
		if f.Name == name {
			return f, true
		}
	}
	return Flag{}, false
}

// Empty reports whether v holds nothing.
func (v *Values) Empty() bool { return *v == Values{} }
