package clock

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"
)

// Shifted is the host's clock moved by what a file says, so that a proof can
// let a real agent live through steps of the clock and days of waiting. A wall
// clock that was moved is not synchronised.
type Shifted struct{ file *os.File }

// OpenShifted uses the file that WriteShift wrote. The file stays open.
func OpenShifted(path string) (*Shifted, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the clock's shift: %w", err)
	}
	return &Shifted{f}, nil
}

// WriteShift moves the wall clock by wall and the boot clock by boot, for all
// who have opened the file.
func WriteShift(path string, wall, boot time.Duration) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("shift the clock: %w", err)
	}
	defer f.Close()
	b := binary.LittleEndian.AppendUint64(nil, uint64(wall))
	if _, err := f.WriteAt(binary.LittleEndian.AppendUint64(b, uint64(boot)), 0); err != nil {
		return fmt.Errorf("shift the clock: %w", err)
	}
	return nil
}

func (s *Shifted) shift() (wall, boot time.Duration) {
	b := make([]byte, 16)
	if n, _ := s.file.ReadAt(b, 0); n < len(b) {
		return 0, 0 // nothing is written yet
	}
	return time.Duration(binary.LittleEndian.Uint64(b)), time.Duration(binary.LittleEndian.Uint64(b[8:]))
}

// Now implements Source.
func (s *Shifted) Now() Moment {
	wall, boot := s.shift()
	m := System{}.Now()
	return Moment{Wall: m.Wall.Add(wall), Boot: m.Boot + boot}
}

// Synchronised implements Source.
func (s *Shifted) Synchronised() bool {
	wall, _ := s.shift()
	return wall == 0 && System{}.Synchronised()
}
