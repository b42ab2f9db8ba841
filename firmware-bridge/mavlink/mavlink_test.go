package mavlink

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
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

const sprayer = common.MAV_CMD(ardupilotmega.MAV_CMD_DO_SPRAYER)

func position() message.Message {
	return &common.MessageGlobalPositionInt{Lat: 359000000, Lon: 1151100000, RelativeAlt: 3500, Vx: 300, Vy: -400}
}

func TestWhatAMessageSays(t *testing.T) {
	v := Vehicle{System: 1, Machine: "drone-1", PumpServo: 9, FlowBattery: 2, LevelBattery: 3}
	for name, c := range map[string]struct {
		component byte
		m         message.Message
		want      string // fields that are there
	}{
		"armed":          {1, &ardupilotmega.MessageHeartbeat{Autopilot: minimal.MAV_AUTOPILOT_ARDUPILOTMEGA, BaseMode: minimal.MAV_MODE_FLAG_SAFETY_ARMED}, "armed=true"},
		"disarmed":       {1, &ardupilotmega.MessageHeartbeat{Autopilot: minimal.MAV_AUTOPILOT_ARDUPILOTMEGA}, "armed=false"},
		"a gimbal":       {154, &ardupilotmega.MessageHeartbeat{Autopilot: minimal.MAV_AUTOPILOT_INVALID}, ""},
		"position":       {1, position(), "fix=35.9,115.11 height=3.5 speed=5"},
		"battery":        {1, &common.MessageSysStatus{BatteryRemaining: 77}, "battery=77"},
		"no battery":     {1, &common.MessageSysStatus{BatteryRemaining: -1}, ""},
		"flow":           {1, &common.MessageBatteryStatus{Id: 2, CurrentBattery: 12000, CurrentConsumed: 3250, BatteryRemaining: 40}, "flow=2 volume=3.25"},
		"all -1":         {1, &common.MessageBatteryStatus{Id: 2, CurrentBattery: -1, CurrentConsumed: -1, BatteryRemaining: -1}, ""},
		"battery all -1": {1, &common.MessageBatteryStatus{Id: 0, CurrentBattery: -1, CurrentConsumed: -1, BatteryRemaining: -1}, ""},
		"level":          {1, &common.MessageBatteryStatus{Id: 3, CurrentBattery: -1, CurrentConsumed: -1, BatteryRemaining: 62}, "tank=62"},
		"first battery":  {1, &common.MessageBatteryStatus{Id: 0, BatteryRemaining: 55}, "battery=55"},
		"another one":    {1, &common.MessageBatteryStatus{Id: 1, BatteryRemaining: 55}, ""},
		"named flow":     {1, &common.MessageNamedValueFloat{Name: "FLOWRATE", Value: 1.5}, "flow=1.5"},
		"named volume":   {1, &common.MessageNamedValueFloat{Name: "volume", Value: 7}, "volume=7"},
		"named other":    {1, &common.MessageNamedValueFloat{Name: "WIND", Value: 7}, ""},
		"pump on":        {1, &common.MessageServoOutputRaw{Servo9Raw: 1500}, "command=true"},
		"pump off":       {1, &common.MessageServoOutputRaw{Servo9Raw: 1000}, "command=false"},
		"no output":      {1, &common.MessageServoOutputRaw{Servo1Raw: 1500}, ""},
		"a fault":        {1, &common.MessageStatustext{Severity: common.MAV_SEVERITY_CRITICAL, Text: "PreArm: pump"}, "fault=PreArm: pump"},
		"chatter":        {1, &common.MessageStatustext{Severity: common.MAV_SEVERITY_INFO, Text: "EKF ok"}, ""},
	} {
		s, ok := newDecoder(v).sample(c.component, c.m)
		if got := fields(s); got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, c.want)
		}
	}
}

func TestACommandCountsWhenTheVehicleHasAccepted(t *testing.T) {
	d := newDecoder(Vehicle{System: 1, Machine: "drone-1"})
	command := func(on float32, to uint8) {
		d.sample(0, &common.MessageCommandLong{TargetSystem: to, Command: sprayer, Param1: on})
	}
	ack := func(r common.MAV_RESULT) string {
		s, _ := d.sample(1, &common.MessageCommandAck{Command: sprayer, Result: r})
		return fields(s)
	}
	if got := ack(common.MAV_RESULT_ACCEPTED); got != "" {
		t.Errorf("an answer to nothing: %s", got)
	}
	command(1, 2)
	if got := ack(common.MAV_RESULT_ACCEPTED); got != "" {
		t.Errorf("a command to another: %s", got)
	}
	command(1, 1)
	if got := ack(common.MAV_RESULT_DENIED); got != "" {
		t.Errorf("denied: %s", got)
	}
	if got := ack(common.MAV_RESULT_ACCEPTED); got != "command=true" {
		t.Error(got)
	}
	command(0, 1)
	if got := ack(common.MAV_RESULT_ACCEPTED); got != "command=false" {
		t.Error(got)
	}
}

func fields(s runs.Sample) string {
	var out []string
	add := func(name string, p *float64) {
		if p != nil {
			out = append(out, fmt.Sprintf("%s=%g", name, *p))
		}
	}
	if s.Lat != nil {
		out = append(out, fmt.Sprintf("fix=%g,%g", *s.Lat, *s.Lon))
	}
	add("height", s.Height)
	add("speed", s.Speed)
	for name, p := range map[string]*bool{"armed": s.Armed, "command": s.Command} {
		if p != nil {
			out = append(out, fmt.Sprintf("%s=%t", name, *p))
		}
	}
	add("flow", s.Flow)
	add("volume", s.Volume)
	add("tank", s.Tank)
	add("battery", s.Battery)
	if s.Fault != "" {
		out = append(out, "fault="+s.Fault)
	}
	return strings.Join(out, " ")
}

// writer writes frames of one vehicle.
func writer(t testing.TB, to interface{ Write([]byte) (int, error) }, system byte, v streamwriter.Version, key *frame.V2Key) *streamwriter.Writer {
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

// say repeats what a vehicle says until the link has said what is wanted.
func say(t *testing.T, out <-chan said, send func(), want func(said) bool) {
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
	out := listen(t, Config{UDP: address, Vehicles: []Vehicle{{System: 1, Machine: "drone-1"}, {System: 2, Machine: "drone-2"}}})
	line := udp(t, address)
	one, two, strange := writer(t, line, 1, streamwriter.V2, nil), writer(t, line, 2, streamwriter.V1, nil), writer(t, line, 9, streamwriter.V2, nil)
	say(t, out, func() { _ = one.Write(position()) }, from("drone-1"))
	noise := udp(t, address)
	_, _ = noise.Write([]byte("garbage \xfd\xfe\xfd\xff"))
	say(t, out, func() { _ = two.Write(position()) }, from("drone-2"))
	say(t, out, func() { _ = strange.Write(position()) }, func(w said) bool { return w.err != nil && strings.Contains(w.err.Error(), "vehicle 9") })
	say(t, out, func() { _ = one.Write(position()) }, from("drone-1"))
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
		say(t, out, func() { _ = w.Write(position()) }, func(s said) bool {
			if s.machine != "" {
				t.Fatalf("%s: it was taken", name)
			}
			return s.err != nil
		})
	}
	good := writer(t, line, 1, streamwriter.V2, frame.NewV2Key(key))
	say(t, out, func() { _ = good.Write(position()) }, from("drone-1"))
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
	say(t, out, func() { _, _ = p.Write([]byte("noise\xfd\xfe")); _ = w.Write(position()) }, from("drone-1"))
	must(t, p.Close())
	say(t, out, func() {}, func(w said) bool { return w.err != nil && strings.Contains(w.err.Error(), "lost") })
	p = plug()
	defer p.Close()
	w = writer(t, p, 1, streamwriter.V2, nil)
	say(t, out, func() { _ = w.Write(position()) }, from("drone-1"))
}

// A position with a speed of −400 cm/s holds a magic byte.
func TestFramesAreFoundBehindNoise(t *testing.T) {
	var stream bytes.Buffer
	w := writer(t, &stream, 1, streamwriter.V1, nil)
	stream.WriteString("noise \xfd\xfe\xfd\xff")
	for i := range 50 {
		if i == 25 {
			w = writer(t, &stream, 1, streamwriter.V2, nil)
		}
		must(t, w.Write(position()))
		stream.WriteString("\xfe\x05")
	}
	stream.WriteString(strings.Repeat(" ", 300))
	s, err := newSieve(iotest.OneByteReader(&stream))
	must(t, err)
	r := &frame.Reader{BufByteReader: bufio.NewReader(&waiting{s}), DialectRW: s.dialect}
	must(t, r.Initialize())
	n := 0
	for {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		if f.GetMessage().GetID() == position().GetID() {
			n++
		}
	}
	if n != 50 {
		t.Errorf("%d of 50 frames", n)
	}
}

// waiting reads until something comes.
type waiting struct{ io.Reader }

func (w *waiting) Read(b []byte) (int, error) {
	for {
		if n, err := w.Reader.Read(b); n > 0 || err != nil {
			return n, err
		}
	}
}

func TestAnArduPilotIsAskedForItsStreams(t *testing.T) {
	address := freePort(t)
	out := listen(t, Config{UDP: address, Vehicles: []Vehicle{{System: 1, Machine: "drone-1"}}})
	node := &gomavlib.Node{Endpoints: []gomavlib.EndpointConf{gomavlib.EndpointUDPClient{Address: address}}, Dialect: ardupilotmega.Dialect,
		OutVersion: gomavlib.V2, OutSystemID: 1, HeartbeatDisable: true}
	must(t, node.Initialize())
	defer node.Close()
	say(t, out, func() {
		must(t, node.WriteMessageAll(&ardupilotmega.MessageHeartbeat{Autopilot: minimal.MAV_AUTOPILOT_ARDUPILOTMEGA, Type: minimal.MAV_TYPE_QUADROTOR}))
	}, func(w said) bool { return w.s.Armed != nil })
	for e := range node.Events() {
		if f, ok := e.(*gomavlib.EventFrame); ok {
			if r, ok := f.Message().(*common.MessageRequestDataStream); ok && r.TargetSystem == 1 && r.ReqMessageRate == streams {
				return
			}
		}
	}
}

func TestConfigurationsThatAreWrong(t *testing.T) {
	v := []Vehicle{{System: 1, Machine: "drone-1"}}
	for want, c := range map[string]Config{
		"one of them":       {Vehicles: v},
		"write it as":       {UDP: "14550", Vehicles: v},
		"none are listed":   {UDP: ":14550"},
		"system is missing": {UDP: ":14550", Vehicles: []Vehicle{{Machine: "a"}}},
		"same system id":    {UDP: ":14550", Vehicles: append(v, v...)},
		"pump_servo":        {UDP: ":14550", Vehicles: []Vehicle{{System: 1, PumpServo: 17}}},
		"named":             {UDP: ":14550", Vehicles: []Vehicle{{System: 1, Named: map[string]string{"A": "flow"}}}},
		"10 characters":     {UDP: ":14550", Vehicles: []Vehicle{{System: 1, Named: map[string]string{"ELEVENCHARS": fact.FieldFlow}}}},
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

// recording makes a .tlog of n seconds.
func recording(t testing.TB, n int) []byte {
	t.Helper()
	var log, one bytes.Buffer
	w := writer(t, &one, 1, streamwriter.V2, nil)
	at := time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)
	for i := range n {
		for _, m := range []message.Message{position(), &common.MessageSysStatus{BatteryRemaining: 90}} {
			one.Reset()
			must(t, w.Write(m))
			log.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Add(time.Duration(i)*time.Second).UnixMicro())))
			log.Write(one.Bytes())
		}
	}
	return log.Bytes()
}

func TestARecordingIsReadThroughDamage(t *testing.T) {
	v := []Vehicle{{System: 1, Machine: "drone-1"}}
	log := recording(t, 10)
	read := func(b []byte) (n, skipped int, err error) {
		last := time.Duration(0)
		skipped, err = ReadLog(bytes.NewReader(b), v, func(machine string, s runs.Sample) {
			if n++; machine != "drone-1" || s.At.Year() != 2020 || s.T < last {
				t.Errorf("%s %v", machine, s.At)
			}
			last = s.T
		})
		return n, skipped, err
	}
	if n, skipped, err := read(log); n != 20 || skipped != 0 || err != nil {
		t.Errorf("%d samples, %d bytes skipped, %v", n, skipped, err)
	}
	if _, err := ReadLog(bytes.NewReader(log), []Vehicle{{System: 7, Machine: "drone-7"}}, func(string, runs.Sample) {}); err == nil || !strings.Contains(err.Error(), "systems [1]") {
		t.Errorf("of another vehicle: %v", err)
	}
	cut := append(bytes.Clone(log[:100]), log[103:]...) // three bytes are lost
	if n, skipped, err := read(cut); n < 18 || skipped == 0 || err != nil {
		t.Errorf("cut: %d samples, %d bytes skipped, %v", n, skipped, err)
	}
	if n, _, err := read(log[:len(log)-5]); n != 19 || err != nil {
		t.Errorf("torn: %d samples, %v", n, err)
	}
	for name, b := range map[string][]byte{"empty": nil, "text": []byte(strings.Repeat("no recording ", 100))} {
		if _, _, err := read(b); !errors.Is(err, ErrLog) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadLog(f *testing.F) {
	f.Add(recording(f, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ReadLog(bytes.NewReader(b), []Vehicle{{System: 1, Machine: "drone-1", PumpServo: 1, FlowBattery: 1}}, func(_ string, s runs.Sample) {
			if s.Empty() {
				t.Error("a sample that says nothing")
			}
		})
	})
}
