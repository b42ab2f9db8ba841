package fleet

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"gatehouse/gateway/site"
)

// Record writes what a drone sends within a time as a ground station's recording
// (.tlog): each frame after its time in microseconds since 1970, big-endian. It
// returns the runs that the drone really made.
func Record(out io.Writer, sites *site.County, id string, begin time.Time, long time.Duration) ([]Truth, error) {
	for i, s := range Machines(sites) {
		if s.ID != id || s.Type != "drone" {
			continue
		}
		m := newModel(s, Times{
			First: 10 * time.Second,
			Work:  40 * time.Second,
			Pause: 8 * time.Second,
			More:  20 * time.Second,
			Rest:  20 * time.Minute,
		})
		w := &stamped{out: out}
		d, err := newDrone(m, byte(i+1), w, s.Language == MAVLinkSerial)
		if err != nil {
			return nil, err
		}
		const step = time.Second / droneHz
		for n := range int(long / step) {
			w.at = begin.Add(time.Duration(n) * step)
			m.step(w.at, step)
			if s := d.read(); !s.silent {
				for _, msg := range d.messages(s, n) {
					if err := d.out.Write(msg); err != nil {
						return nil, fmt.Errorf("record %s: %w", id, err)
					}
				}
			}
		}
		return m.truth(), nil
	}
	return nil, fmt.Errorf("there is no drone %q", id)
}

// stamped writes the time before each write.
type stamped struct {
	out io.Writer
	at  time.Time
}

func (s *stamped) Write(b []byte) (int, error) {
	if _, err := s.out.Write(binary.BigEndian.AppendUint64(nil, uint64(s.at.UnixMicro()))); err != nil {
		return 0, err
	}
	return s.out.Write(b)
}
