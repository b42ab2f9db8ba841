package mavlink

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/minimal"
	"github.com/bluenviron/gomavlib/v3/pkg/frame"
	"github.com/bluenviron/gomavlib/v3/pkg/streamwriter"
)

func TestARecordingOfASignedFlight(t *testing.T) {
	key := ParseKey("correct horse")
	stamps := forgetful{}
	a := newAir(t, Vehicle{}, key, stamps)
	s := a.sender("A", 1, frame.NewV2Key(key))
	var recorded [][]packet
	for range 100 {
		a.now += 100 * time.Millisecond
		recorded = append(recorded, s.turn())
		s.send(recorded[len(recorded)-1])
	}
	if len(a.volumes) != 100 {
		t.Fatalf("%d of 100 values are taken", len(a.volumes))
	}
	again := func(a *air, from string) {
		for _, list := range recorded {
			a.now += 100 * time.Millisecond
			for _, p := range list {
				a.take(a.now, from, p)
			}
			a.tick(a.now)
		}
	}
	for name := range stamps { // 40 s have passed
		stamps[name] += 40 * StampSecond
	}
	again(a, "A")
	again(a, "B")
	restarted := newAir(t, Vehicle{}, key, stamps)
	again(restarted, "B")
	if len(a.volumes) != 100 || len(restarted.volumes) != 0 {
		t.Errorf("a recording is taken: %d and %d values", len(a.volumes)-100, len(restarted.volumes))
	}
	if a.count("somebody sends a recording") != 1 || restarted.count("somebody sends a recording") != 1 {
		t.Errorf("said: %q, %q", a.advices, restarted.advices)
	}
}

func TestWhatIsRefusedIsSaidOnceAMinute(t *testing.T) {
	key := ParseKey("correct horse")
	for name, c := range map[string]struct {
		key  *frame.V2Key
		v1   bool
		want string
	}{
		"unsigned":  {nil, false, "drone-1 does not sign"},
		"MAVLink 1": {nil, true, "MAVLink 1"},
		"wrong key": {frame.NewV2Key(ParseKey("wrong")), false, "another key"},
	} {
		a := newAir(t, Vehicle{}, key, nil)
		s := a.sender("A", 1, c.key)
		if c.v1 {
			s.w = writer(t, s.buf, 1, streamwriter.V1, nil)
		}
		a.fly(1500, s)
		if len(a.volumes) != 0 || len(a.advices) != 3 || a.count(c.want) != 3 || len(a.errs) != 0 {
			t.Errorf("%s: %d values, %q, %q", name, len(a.volumes), a.advices, a.errs)
			continue
		}
		if want := fmt.Sprintf("(%d frames refused)", 4*600); !strings.Contains(a.advices[1], want) {
			t.Errorf("%s: %s, want %s", name, a.advices[1], want)
		}
		if !a.refusing(a.now) || a.refusing(a.now+3*time.Minute) {
			t.Errorf("%s: refusing", name)
		}
	}
}

func TestWhoElseSpeaksOnALink(t *testing.T) {
	a := newAir(t, Vehicle{}, nil, nil)
	s := a.sender("A", 1, nil)
	a.fly(1, s)
	part := a.sender("A", 1, nil)
	part.w.ComponentID = 191
	text := &common.MessageStatustext{Severity: common.MAV_SEVERITY_CRITICAL, Text: "SD card full"}
	part.send(part.frames(text, &common.MessageGlobalPositionInt{Lat: 1, Lon: 1},
		&common.MessageBatteryStatus{Id: 2, CurrentConsumed: 7000}))
	if len(a.lats) != 1 || len(a.volumes) != 2 {
		t.Errorf("positions %v, volumes %v", a.lats, a.volumes)
	}
	want := []string{"component 191 of drone-1 (onboard computer) says: SD card full"}
	if !slices.Equal(a.notes, want) {
		t.Errorf("%q", a.notes)
	}
	radio := a.sender("A", 51, nil)
	radio.send(radio.frames(&common.MessageRadioStatus{}, &ardupilotmega.MessageRadio{}))
	station := a.sender("A", 250, nil)
	beat := &ardupilotmega.MessageHeartbeat{Type: minimal.MAV_TYPE_GCS, Autopilot: minimal.MAV_AUTOPILOT_INVALID}
	station.send(station.frames(beat))
	if len(a.errs) != 0 {
		t.Errorf("a radio or ground station: %q", a.errs)
	}
	other := a.sender("A", 9, nil)
	other.send(append(other.turn(), other.turn()...))
	if len(a.errs) != 1 || !strings.Contains(a.errs[0], "vehicle 9 is not configured") {
		t.Errorf("a stranger: %q", a.errs)
	}
}
