package mavlink

import (
	"fmt"
	"io"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/minimal"
	"github.com/bluenviron/gomavlib/v3/pkg/frame"
	"github.com/bluenviron/gomavlib/v3/pkg/streamwriter"
)

const (
	beatEvery = 5 * time.Second  // between our heartbeats
	askEvery  = 30 * time.Second // between requests for a vehicle's streams
	askRate   = 4                // how often each value is asked for, Hz
)

// asked are the streams that an ArduPilot vehicle is asked for: all but raw
// controllers.
var asked = []uint8{1, 2, 3, 6, 10, 11, 12} // of MAV_DATA_STREAM

// answer is what we send to one sender, as a ground station does.
type answer struct {
	to    *streamwriter.Writer
	beat  time.Duration
	asked map[byte]time.Duration // by system
}

func newAnswer(to io.Writer, key []byte) (*answer, error) {
	d, err := messages()
	if err != nil {
		return nil, err
	}
	fw := &frame.Writer{ByteWriter: to, DialectRW: d}
	w := &streamwriter.Writer{FrameWriter: fw, Version: streamwriter.V2, SystemID: 255, ComponentID: 190}
	if key != nil {
		w.Key = frame.NewV2Key(key)
	}
	if err := fw.Initialize(); err != nil {
		return nil, fmt.Errorf("mavlink: %w", err)
	}
	if err := w.Initialize(); err != nil {
		return nil, fmt.Errorf("mavlink: %w", err)
	}
	return &answer{to: w, asked: map[byte]time.Duration{}}, nil
}

// turn sends our heartbeat where it is due.
func (a *answer) turn(now time.Duration) error {
	if now-a.beat < beatEvery {
		return nil
	}
	a.beat = now
	return a.to.Write(&ardupilotmega.MessageHeartbeat{Type: minimal.MAV_TYPE_GCS,
		Autopilot: minimal.MAV_AUTOPILOT_INVALID, SystemStatus: minimal.MAV_STATE_ACTIVE, MavlinkVersion: 3})
}

// heartbeat asks an ArduPilot vehicle for its streams, when a frame is its heartbeat.
func (a *answer) heartbeat(now time.Duration, p packet) error {
	if p.id != 0 || p.component != pilot {
		return nil
	}
	m, err := p.message()
	if err != nil {
		return err
	}
	h, ok := m.(*ardupilotmega.MessageHeartbeat)
	if !ok || h.Autopilot != minimal.MAV_AUTOPILOT_ARDUPILOTMEGA {
		return nil
	}
	if at, before := a.asked[p.system]; before && now-at < askEvery {
		return nil
	}
	a.asked[p.system] = now
	for _, id := range asked {
		err := a.to.Write(&common.MessageRequestDataStream{TargetSystem: p.system, TargetComponent: p.component,
			ReqStreamId: id, ReqMessageRate: askRate, StartStop: 1})
		if err != nil {
			return err
		}
	}
	return nil
}
