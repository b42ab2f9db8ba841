package mavlink

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/streamwriter"

	"gatehouse/devices/port"
	"gatehouse/devices/unheard"
	"gatehouse/firmware-bridge/runs"
)

// wire is a line on which nothing comes.
type wire struct{ bytes.Buffer }

func (*wire) Close() error { return nil }

// plays hands a link the same bytes ten times a second, and returns what it says, each
// with how often.
func plays(t *testing.T, cfg Config, seconds int, from net.Addr, b []byte) map[string]int {
	t.Helper()
	l, err := New(cfg, port.NewHost())
	must(t, err)
	said := map[string]int{}
	l.begin(func(machine string, _ runs.Sample, err error) {
		var none *unheard.Error
		if errors.As(err, &none) {
			said[machine+": "+none.Try]++
		} else if err != nil {
			said[err.Error()]++
		}
	})
	for i := range seconds * 10 {
		now := time.Hour + time.Duration(i)*100*time.Millisecond
		l.chunk(now, chunk{bytes: b, from: from, line: &wire{}})
		if i%10 == 9 {
			l.turn(now)
		}
	}
	return said
}

func TestALinkOfWhichNothingIsUnderstood(t *testing.T) {
	var one bytes.Buffer
	must(t, writer(t, &one, 3, streamwriter.V2, nil).Write(position()))
	whole := one.Bytes()
	serial := Config{Serial: "/dev/radio", Baud: 57600,
		Vehicles: []Vehicle{{System: 1, Machine: "drone-1"}, {System: 2, Machine: "drone-2"}}}
	udp := Config{UDP: "127.0.0.1:14550", Vehicles: []Vehicle{{System: 1, Machine: "drone-1"}}}
	address := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5}
	for name, c := range map[string]struct {
		cfg  Config
		from net.Addr
		b    []byte
		want []string
	}{
		"another baud rate": {serial, nil, []byte{0xE6, 0x98, 0x00, 0x7E}, []string{
			"drone-1: no MAVLink frame at 57600 baud", "drone-2: no MAVLink frame at 57600 baud"}},
		"no MAVLink": {udp, address, []byte("$GPRMC,,V,,,,,,,,,,N*53\r\n"), []string{
			"drone-1: what comes is no MAVLink"}},
		"another system": {udp, address, whole, []string{"drone-1: frames of MAVLink systems [3] come, and [1] are"}},
	} {
		if said := plays(t, c.cfg, 9, c.from, c.b); len(said) != 0 {
			t.Errorf("%s: within 9 s: %v", name, said)
		}
		said := plays(t, c.cfg, 20, c.from, c.b)
		for _, want := range c.want {
			n := 0
			for text, times := range said {
				if strings.HasPrefix(text, want) {
					n += times
				}
			}
			if n < 9 || n > 11 {
				t.Errorf("%s: %q is said %d times in 20 s: %v", name, want, n, said)
			}
		}
		if len(said) != len(c.want) {
			t.Errorf("%s: %v", name, said)
		}
	}
	one.Reset()
	must(t, writer(t, &one, 1, streamwriter.V2, nil).Write(position()))
	if said := plays(t, udp, 20, address, one.Bytes()); len(said) != 0 {
		t.Errorf("a drone: %v", said)
	}
	udp.Key = ParseKey("correct horse")
	said := plays(t, udp, 20, address, one.Bytes())
	if len(said) != 1 || !strings.Contains(fmt.Sprint(said), "does not sign") {
		t.Errorf("a drone that does not sign: %v", said)
	}
}

// Whoever sends from ever new addresses takes no more memory than 64 senders.
func TestManySenders(t *testing.T) {
	l, err := New(Config{UDP: ":14550", Vehicles: []Vehicle{{System: 1}}}, port.NewHost())
	must(t, err)
	l.begin(func(string, runs.Sample, error) {})
	for i := range 1000 {
		from := &net.UDPAddr{IP: net.IPv4(10, 0, byte(i>>8), byte(i)), Port: 5}
		l.chunk(time.Hour+time.Duration(i)*time.Millisecond, chunk{bytes: []byte{magicV2}, from: from, line: &wire{}})
	}
	if len(l.peers) != mostPeers || l.peers["10.0.3.231:5"] == nil {
		t.Errorf("%d senders are known", len(l.peers))
	}
	if l.turn(time.Hour + 2*time.Minute); len(l.peers) != 0 {
		t.Errorf("after two minutes %d senders are known", len(l.peers))
	}
}

// A drone that waits, or has only just started, may have had nothing to spray.
func TestADroneThatIsNotArmedForLongIsNotAsked(t *testing.T) {
	a := &craft{decoder: newDecoder(Vehicle{Machine: "drone-1", System: 1})}
	a.begun, a.heard = true, time.Hour
	if got := a.missing(time.Hour); len(got) != 0 {
		t.Errorf("not armed: %q", got)
	}
	for now, want := range map[time.Duration]int{0: 0, unshown - 1: 0, unshown: 1} {
		a.seen.arm(0, false)
		a.seen.arm(time.Hour-now, true)
		a.seen.arm(time.Hour, true)
		if got := a.missing(time.Hour); len(got) != want {
			t.Errorf("armed for %s: %q", now, got)
		}
	}
}

func TestWhatIsMissing(t *testing.T) {
	for want, c := range map[string]struct {
		v    Vehicle
		seen seen
	}{
		"sends no SERVO_OUTPUT_RAW":      {Vehicle{PumpServo: 9}, seen{}},
		"speaks MAVLink 1: its output 9": {Vehicle{PumpServo: 9}, seen{outputs: true}},
		"output 8 of drone-1 gives no":   {Vehicle{PumpServo: 8}, seen{outputs: true}},
		"output 9 of drone-1 gives no":   {Vehicle{PumpServo: 9}, seen{outputs: true, v2: true}},
		"is a PX4":                       {Vehicle{}, seen{autopilot: 12}},
		"nothing shows yet when drone-1": {Vehicle{},
			seen{autopilot: 3, armed: true, armedAt: time.Hour + settled - unshown}},
		"id 2, which flow_battery":         {Vehicle{FlowBattery: 2}, seen{}},
		"id 3, which level_battery":        {Vehicle{LevelBattery: 3}, seen{}},
		"speaks MAVLink 1: its output 25 ": {Vehicle{PumpServo: 25}, seen{outputs: true}},
		"":                                 {Vehicle{PumpServo: 9}, seen{commanded: true, autopilot: 12}},
	} {
		c.v.Machine, c.v.System = "drone-1", 1
		a := &craft{decoder: newDecoder(c.v)}
		a.seen = c.seen
		a.begun, a.since, a.heard = true, time.Hour, time.Hour+settled
		if got := a.missing(time.Hour + settled - 1); len(got) != 0 {
			t.Errorf("%s: too early: %q", want, got)
		}
		got := a.missing(time.Hour + settled)
		if want == "" && len(got) != 0 || want != "" && (len(got) != 1 || !slices.ContainsFunc(got,
			func(text string) bool { return strings.Contains(text, want) })) {
			t.Errorf("%q: %q", want, got)
		}
		if got := a.missing(time.Hour + settled + linkLost + 1); len(got) != 0 {
			t.Errorf("%s: a drone that has gone: %q", want, got)
		}
	}
}
