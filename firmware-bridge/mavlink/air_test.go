package mavlink

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/minimal"
	"github.com/bluenviron/gomavlib/v3/pkg/frame"
	"github.com/bluenviron/gomavlib/v3/pkg/message"
	"github.com/bluenviron/gomavlib/v3/pkg/streamwriter"

	"gatehouse/devices/unheard"
	"gatehouse/firmware-bridge/runs"
)

// air is a receiver of drone-1, and what it has said.
type air struct {
	*receiver
	t       *testing.T
	now     time.Duration
	volumes []float64 // in their order
	lats    []float64
	advices []string
	notes   []string
	errs    []string
}

func newAir(t *testing.T, v Vehicle, key []byte, stamps Stamps) *air {
	t.Helper()
	a := &air{t: t, now: time.Hour}
	v.System, v.Machine, v.FlowBattery = 1, "drone-1", 2
	a.receiver = newReceiver([]Vehicle{v}, key, stamps, func(_ string, s runs.Sample, err error) {
		var advice *unheard.Advice
		var note *Note
		switch {
		case errors.As(err, &advice):
			a.advices = append(a.advices, advice.Error())
		case errors.As(err, &note):
			a.notes = append(a.notes, note.Text)
		case err != nil:
			a.errs = append(a.errs, err.Error())
		}
		if s.Volume != nil {
			a.volumes = append(a.volumes, *s.Volume)
		}
		if s.Lat != nil {
			a.lats = append(a.lats, *s.Lat)
		}
	})
	return a
}

// sender is a vehicle that speaks from an address.
type sender struct {
	*air
	from   string
	w      *streamwriter.Writer
	buf    *bytes.Buffer
	booted time.Duration
	lat    int32
	used   int32 // mL
}

func (a *air) sender(from string, system byte, key *frame.V2Key) *sender {
	a.t.Helper()
	s := &sender{air: a, from: from, buf: &bytes.Buffer{}, booted: a.now - time.Minute, lat: 359000000}
	s.w = writer(a.t, s.buf, system, streamwriter.V2, key)
	return s
}

// frames returns the frames of some messages.
func (s *sender) frames(list ...message.Message) (out []packet) {
	s.t.Helper()
	split, err := newSplitter()
	must(s.t, err)
	for _, m := range list {
		s.buf.Reset()
		must(s.t, s.w.Write(m))
		split.add(bytes.Clone(s.buf.Bytes()), func(p packet) { out = append(out, p) })
	}
	return out
}

// turn returns what the vehicle sends at once.
func (s *sender) turn() []packet {
	s.used++
	return s.frames(
		&ardupilotmega.MessageHeartbeat{Autopilot: minimal.MAV_AUTOPILOT_ARDUPILOTMEGA},
		&common.MessageGlobalPositionInt{TimeBootMs: uint32((s.now - s.booted).Milliseconds()), Lat: s.lat,
			Lon: 1151100000},
		&common.MessageBatteryStatus{Id: 2, CurrentConsumed: s.used, BatteryRemaining: -1},
		&common.MessageAttitude{},
	)
}

func (s *sender) send(list []packet) {
	for _, p := range list {
		s.take(s.now, s.from, p)
	}
}

// fly lets tenths of a second pass; the senders take turns.
func (a *air) fly(tenths int, senders ...*sender) {
	for range tenths {
		a.now += 100 * time.Millisecond
		for _, s := range senders {
			s.send(s.turn())
		}
		if a.now%time.Second == 0 {
			a.tick(a.now)
		}
	}
}

// rising reports whether the volumes are those of a counter that is read in order.
func (a *air) rising() bool { return slices.IsSorted(a.volumes) }

func (a *air) count(part string) (n int) {
	for _, text := range a.advices {
		if strings.Contains(text, part) {
			n++
		}
	}
	return n
}
