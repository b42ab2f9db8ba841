package mavlink

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gomavlib/v3"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/minimal"
	"github.com/bluenviron/gomavlib/v3/pkg/frame"
	"github.com/bluenviron/gomavlib/v3/pkg/message"
	"github.com/bluenviron/gomavlib/v3/pkg/streamwriter"

	"gatehouse/devices/port"
	"gatehouse/devices/port/pty"
	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

func position() message.Message {
	return &common.MessageGlobalPositionInt{Lat: 359000000, Lon: 1151100000, RelativeAlt: 3500, Vx: 300, Vy: -400}
}

// writer returns a writer of frames of one vehicle.
func writer(
	t testing.TB, to io.Writer, system byte, v streamwriter.Version, key *frame.V2Key,
) *streamwriter.Writer {
	t.Helper()
	d, err := messages()
	must(t, err)
	fw := &frame.Writer{ByteWriter: to, DialectRW: d}
	if err := fw.Initialize(); err != nil {
		t.Fatal(err)
	}
	w := &streamwriter.Writer{FrameWriter: fw, Version: v, SystemID: system, ComponentID: 1, Key: key}
	if err := w.Initialize(); err != nil {
		t.Fatal(err)
	}
	return w
}

// said is one call of a link's Out.
type said struct {
	machine string
	s       runs.Sample
	err     error
}

// listen runs a link until the test ends.
func listen(t *testing.T, cfg Config) <-chan said {
	t.Helper()
	l, err := New(cfg, port.NewHost())
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan said, 10000)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- l.Run(ctx, func(machine string, s runs.Sample, err error) { out <- said{machine, s, err} })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return out
}

// expect sends again and again until the link calls its Out with what is wanted.
func expect(t *testing.T, out <-chan said, send func(), want func(said) bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var last said
	for {
		select {
		case w := <-out:
			if last = w; want(w) {
				return
			}
		case <-tick.C:
			send()
		case <-deadline:
			t.Fatalf("it never came; last was %q, %v", last.machine, last.err)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

func udp(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("udp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func from(machine string) func(said) bool {
	return func(w said) bool { return w.machine == machine && w.s.Lat != nil }
}

func TestSeveralVehiclesOnOneLinkInBothVersions(t *testing.T) {
	address := freePort(t)
	out := listen(t, Config{UDP: address, Vehicles: []Vehicle{
		{System: 1, Machine: "drone-1"}, {System: 2, Machine: "drone-2"},
	}})
	line := udp(t, address)
	one, two := writer(t, line, 1, streamwriter.V2, nil), writer(t, line, 2, streamwriter.V1, nil)
	strange := writer(t, line, 9, streamwriter.V2, nil)
	heartbeat := &ardupilotmega.MessageHeartbeat{Autopilot: minimal.MAV_AUTOPILOT_ARDUPILOTMEGA}
	expect(t, out, func() { _ = one.Write(position()) }, from("drone-1"))
	noise := udp(t, address)
	_, _ = noise.Write([]byte("garbage \xfd\xfe\xfd\xff"))
	expect(t, out, func() { _ = two.Write(position()) }, from("drone-2"))
	expect(t, out, func() { _ = strange.Write(heartbeat) }, func(w said) bool {
		return w.err != nil && strings.Contains(w.err.Error(), "vehicle 9")
	})
	expect(t, out, func() { _ = one.Write(position()) }, from("drone-1"))
}

func TestOnlyFramesWithTheKeyCount(t *testing.T) {
	address := freePort(t)
	key := ParseKey("correct horse")
	out := listen(t, Config{UDP: address, Key: key, Vehicles: []Vehicle{{System: 1, Machine: "drone-1"}}})
	line := udp(t, address)
	for name, w := range map[string]*streamwriter.Writer{
		"unsigned": writer(t, line, 1, streamwriter.V2, nil), "version 1": writer(t, line, 1, streamwriter.V1, nil),
		"wrong key": writer(t, line, 1, streamwriter.V2, frame.NewV2Key(ParseKey("wrong"))),
	} {
		expect(t, out, func() { _ = w.Write(position()) }, func(s said) bool {
			if s.err == nil {
				t.Fatalf("%s: it was taken", name)
			}
			return s.err != nil
		})
	}
	good := writer(t, line, 1, streamwriter.V2, frame.NewV2Key(key))
	expect(t, out, func() { _ = good.Write(position()) }, from("drone-1"))
}

func TestASerialRadioThatIsUnplugged(t *testing.T) {
	link := t.TempDir() + "/radio"
	plug := func() *pty.PTY {
		p, err := pty.Open()
		must(t, err)
		must(t, p.Link(link))
		return p
	}
	p := plug()
	out := listen(t, Config{Serial: link, Vehicles: []Vehicle{{System: 1, Machine: "drone-1"}}})
	w := writer(t, p, 1, streamwriter.V2, nil)
	expect(t, out, func() {
		_, _ = p.Write([]byte("noise\xfd\xfe"))
		_ = w.Write(position())
	}, from("drone-1"))
	must(t, p.Close())
	expect(t, out, func() {}, func(w said) bool { return w.err != nil && strings.Contains(w.err.Error(), "lost") })
	p = plug()
	defer p.Close()
	w = writer(t, p, 1, streamwriter.V2, nil)
	expect(t, out, func() { _ = w.Write(position()) }, from("drone-1"))
}

func TestAnArduPilotIsAskedForItsStreams(t *testing.T) {
	address := freePort(t)
	out := listen(t, Config{UDP: address, Vehicles: []Vehicle{{System: 1, Machine: "drone-1"}}})
	node := &gomavlib.Node{
		Endpoints:  []gomavlib.EndpointConf{gomavlib.EndpointUDPClient{Address: address}},
		Dialect:    ardupilotmega.Dialect,
		OutVersion: gomavlib.V2, OutSystemID: 1, HeartbeatDisable: true,
	}
	must(t, node.Initialize())
	defer node.Close()
	expect(t, out, func() {
		must(t, node.WriteMessageAll(&ardupilotmega.MessageHeartbeat{
			Autopilot: minimal.MAV_AUTOPILOT_ARDUPILOTMEGA, Type: minimal.MAV_TYPE_QUADROTOR,
		}))
	}, func(w said) bool { return w.s.Armed != nil })
	for e := range node.Events() {
		f, ok := e.(*gomavlib.EventFrame)
		if !ok {
			continue
		}
		r, ok := f.Message().(*common.MessageRequestDataStream)
		if ok && r.TargetSystem == 1 && r.ReqMessageRate == askRate {
			return
		}
	}
}

func TestConfigurationsThatAreWrong(t *testing.T) {
	v := []Vehicle{{System: 1, Machine: "drone-1"}}
	named := func(name, field string) []Vehicle {
		return []Vehicle{{System: 1, Named: map[string]string{name: field}}}
	}
	for want, c := range map[string]Config{
		"one of them":       {Vehicles: v},
		"write it as":       {UDP: "14550", Vehicles: v},
		"none are listed":   {UDP: ":14550"},
		"system is missing": {UDP: ":14550", Vehicles: []Vehicle{{Machine: "a"}}},
		"same system id":    {UDP: ":14550", Vehicles: append(v, v...)},
		"pump_servo":        {UDP: ":14550", Vehicles: []Vehicle{{System: 1, PumpServo: 33}}},
		"named":             {UDP: ":14550", Vehicles: named("A", "flow")},
		"one instance":      {UDP: ":14550", Vehicles: []Vehicle{{System: 1, FlowBattery: 2, LevelBattery: 2}}},
		"10 characters":     {UDP: ":14550", Vehicles: named("ELEVENCHARS", fact.FieldFlow)},
	} {
		if _, err := New(c, port.NewHost()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestKeys(t *testing.T) {
	if k := ParseKey(strings.Repeat("0a", 32) + "\n"); len(k) != 32 || k[0] != 10 {
		t.Errorf("%x", k)
	}
	// SHA-256 of "abc", FIPS 180-2 appendix B.1
	if k := ParseKey("abc"); fmt.Sprintf("%x", k[:4]) != "ba7816bf" {
		t.Errorf("%x", k)
	}
}
