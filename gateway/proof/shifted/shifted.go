// Package shifted is a clock that a proof moves while an agent runs, so that a
// real agent goes through steps of its clock and through days of waiting.
package shifted

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"gatehouse/gateway/clock"
)

// Clock is another clock plus the shift that a file holds. It implements
// clock.Source and may be used from any goroutine.
type Clock struct {
	file *os.File
	real clock.Source
}

// Open returns real moved by the shift in the file at path, which must exist;
// while it is empty the shift is zero. The file stays open for the life of the
// process.
func Open(path string, real clock.Source) (*Clock, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the clock's shift: %w", err)
	}
	return &Clock{file: f, real: real}, nil
}

// Write sets the shift of the wall clock and of the boot clock for every
// process that has the file at path open.
func Write(path string, wall, boot time.Duration) error {
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

func (c *Clock) shift() (wall, boot time.Duration) {
	b := make([]byte, 16)
	if n, _ := c.file.ReadAt(b, 0); n < len(b) {
		return 0, 0
	}
	return time.Duration(binary.LittleEndian.Uint64(b)), time.Duration(binary.LittleEndian.Uint64(b[8:]))
}

// Now implements clock.Source.
func (c *Clock) Now() clock.Moment {
	wall, boot := c.shift()
	m := c.real.Now()
	return clock.Moment{Wall: m.Wall.Add(wall), Boot: m.Boot + boot}
}

// Synchronised implements clock.Source: a wall clock that was moved is not
// synchronised.
func (c *Clock) Synchronised() bool {
	wall, _ := c.shift()
	return wall == 0 && c.real.Synchronised()
}
