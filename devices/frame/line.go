package frame

// Line is how a serial line is spoken, always with 8 data bits.
type Line struct {
	Baud     int
	Parity   string // ParityNone (or empty), ParityEven, ParityOdd
	StopBits int    // 1 (or 0) or 2
}

// Parities of a Line.
const (
	ParityNone = "none"
	ParityEven = "even"
	ParityOdd  = "odd"
)
