package modbus

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/devices/port"
	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

// slave starts a slave of python3-pymodbus, with the system's Python: the
// package is Debian's.
func slave(t *testing.T, args ...string) {
	t.Helper()
	start(t, "/usr/bin/python3", append([]string{"testdata/slave.py"}, args...)...)
}

func start(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s (make tools installs it): %v", name, err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// wait waits until ok returns true.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never came", what)
		}
	}
}

// output is one call of a bus's Out.
type output struct {
	machine string
	s       runs.Sample
	err     error
}

// listen runs a bus until the test ends.
func listen(t *testing.T, cfg Config) <-chan output {
	t.Helper()
	b, err := New(cfg, port.NewHost())
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan output, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- b.Run(ctx, func(machine string, s runs.Sample, err error) { out <- output{machine, s, err} })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return out
}

// expect waits until each of the wishes has been fulfilled by one of the outputs.
func expect(t *testing.T, out <-chan output, wishes map[string]func(output) bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	var all []string
	for len(wishes) > 0 {
		select {
		case w := <-out:
			all = append(all, fmt.Sprint(w.machine, " ", w.err))
			for name, ok := range wishes {
				if ok(w) {
					delete(wishes, name)
				}
			}
		case <-deadline:
			for name := range wishes {
				t.Errorf("never: %s", name)
			}
			t.Fatal(strings.Join(all[max(0, len(all)-10):], "\n"))
		}
	}
}

func near(p *float64, want float64) bool { return p != nil && math.Abs(*p-want) < 1e-4 }

func fogger(w output) bool {
	s := w.s
	return w.machine == "fogger-1" && near(s.Flow, 4.2) && near(s.Volume, 1234.56) && near(s.Tank, 80.5) &&
		near(s.Battery, 99) && s.Command != nil && *s.Command && s.Armed != nil && *s.Armed && s.Fault == "急停"
}

// refusal accepts an error that contains each of the texts.
func refusal(text ...string) func(output) bool {
	return func(w output) bool {
		for _, part := range text {
			if w.err == nil || !strings.Contains(w.err.Error(), part) {
				return false
			}
		}
		return true
	}
}

func TestABusOfForeignUnits(t *testing.T) {
	dir := t.TempDir()
	near1, far := filepath.Join(dir, "bus"), filepath.Join(dir, "far")
	start(t, "socat", "pty,raw,echo=0,link="+near1, "pty,raw,echo=0,link="+far)
	wait(t, "socat", func() bool { _, err := os.Stat(far); return err == nil })
	slave(t, "rtu", far)
	outside := &Map{Model: "outside", Values: []Value{
		{Name: "first", Table: "input", Address: 0, Type: "uint16", Unit: "%", Means: fact.FieldBattery},
		{Name: "absent", Table: "input", Address: 90, Type: "uint16", Unit: "%", Means: fact.FieldTank},
	}}
	swapped := shippedMap(t, "tuf-2000f")
	for i := range swapped.Values {
		swapped.Values[i].Words = ""
	}
	out := listen(t, Config{Serial: near1, Every: 100 * time.Millisecond, Units: []Unit{
		{"fogger-1", 1, shippedMap(t, "plc-fogger")}, {"fogger-2", 2, shippedMap(t, "tuf-2000f")},
		{"fogger-3", 3, outside}, {"fogger-9", 9, swapped},
	}})
	meter := func(w output) bool { return w.machine == "fogger-2" && near(w.s.Volume, 70000) }
	expect(t, out, map[string]func(output) bool{
		"the PLC":            fogger,
		"the flow meter":     func(w output) bool { return meter(w) && near(w.s.Flow, 4.2) },
		"an illegal address": refusal("fogger-3", "function 4", "address 90", "illegal data address"),
		"the rest of it":     func(w output) bool { return w.machine == "fogger-3" && near(w.s.Battery, 1) },
		"a unit not there":   refusal("unit 9", "timed out after 1s", "nothing came"),
		"the PLC after that": times(5, fogger),
		"the meter after it": times(5, meter),
	})
}

// times accepts the n-th output that ok accepts.
func times(n int, ok func(output) bool) func(output) bool {
	return func(w output) bool {
		if ok(w) {
			n--
		}
		return n == 0
	}
}

func TestADeviceOnTheNetworkAndAWrongMap(t *testing.T) {
	address := free(t)
	swapped := shippedMap(t, "tuf-2000f")
	for i := range swapped.Values {
		swapped.Values[i].Words = ""
	}
	out := listen(t, Config{TCP: address, Every: 100 * time.Millisecond, Units: []Unit{
		{"fogger-1", 1, shippedMap(t, "plc-fogger")}, {"fogger-2", 2, swapped},
	}})
	expect(t, out, map[string]func(output) bool{"nobody there yet": refusal("fogger-1", "refused")})
	slave(t, "tcp", address[strings.LastIndex(address, ":")+1:])
	expect(
		t,
		out,
		map[string]func(output) bool{"the PLC": fogger, "swapped words": refusal("fogger-2", "word_order")},
	)
}

func TestABusThatIsUnplugged(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	out := listen(t, Config{Serial: missing, Every: 50 * time.Millisecond, Units: []Unit{
		{"fogger-1", 1, shippedMap(t, "plc-fogger")},
	}})
	expect(t, out, map[string]func(output) bool{"what to look for": refusal("fogger-1", "serial port")})
}

func TestABusReportsWhatIsWrongWithItsConfiguration(t *testing.T) {
	plc := shippedMap(t, "plc-fogger")
	tank := &Map{Model: "m", Values: plc.Values[4:5]}
	one := []Unit{{"a", 1, plc}}
	for want, c := range map[string]Config{
		"parity":                                {Serial: "x", Parity: "mark", Units: one},
		"stop_bits is":                          {Serial: "x", StopBits: 3, Units: one},
		"are of serial":                         {TCP: "x:1", Baud: 9600, Units: one},
		"is tcp or rtu":                         {TCP: "x:1", Framing: "ascii", Units: one},
		"framing is of":                         {Serial: "x", Framing: "rtu", Units: one},
		"timeout 49ms":                          {Serial: "x", Timeout: 49 * time.Millisecond, Units: one},
		"timeout 10.001s":                       {Serial: "x", Timeout: 10001 * time.Millisecond, Units: one},
		"every 49ms":                            {Serial: "x", Every: 49 * time.Millisecond, Units: one},
		"every 1m1s":                            {Serial: "x", Every: 61 * time.Second, Units: one},
		"units 1 and 2 both tell tank_pct of a": {Serial: "x", Units: []Unit{{"a", 1, tank}, {"a", 2, tank}}},
		"unit 248 of a":                         {TCP: "x:1", Framing: "rtu", Units: []Unit{{"a", 248, plc}}},
		"serial or tcp":                         {Units: []Unit{{"a", 1, plc}}},
		"none are listed":                       {TCP: "x:1"},
		"1 to 247":                              {Serial: "x", Units: []Unit{{"a", 0, plc}}},
		"twice":                                 {TCP: "x:1", Units: []Unit{{"a", 1, plc}, {"b", 1, plc}}},
		"register map":                          {TCP: "x:1", Units: []Unit{{"a", 1, &Map{Model: "m"}}}},
	} {
		if _, err := New(c, port.NewHost()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	for name, c := range map[string]Config{
		"the shortest": {Serial: "x", Timeout: 50 * time.Millisecond, Every: 50 * time.Millisecond, Units: one},
		"the longest":  {Serial: "x", Timeout: 10 * time.Second, Every: time.Minute, Units: one},
		"the edges":    {Serial: "x", StopBits: 2, Parity: "odd", Units: []Unit{{"a", 1, tank}, {"b", 247, tank}}},
		"tcp":          {TCP: "x:1", Framing: "tcp", Units: []Unit{{"a", 0, tank}, {"b", 255, tank}}},
	} {
		if _, err := New(c, port.NewHost()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The second maker: modbus-serial of npm, which make tools installs.
func TestADeviceOfNodeThatAnswersAsUnit254Only(t *testing.T) {
	address := free(t)
	peers, err := filepath.Abs("../../.tools/peers/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NODE_PATH", peers)
	start(t, "node", "testdata/slave.js", address[strings.LastIndex(address, ":")+1:])
	cfg := Config{TCP: address, Every: 100 * time.Millisecond,
		Units: []Unit{{"fogger-1", 254, shippedMap(t, "plc-fogger")}}}
	expect(t, listen(t, cfg), map[string]func(output) bool{"the PLC": times(3, fogger)})
	cfg.Timeout, cfg.Units[0].Unit = 200*time.Millisecond, 1
	expect(t, listen(t, cfg), map[string]func(output) bool{"another unit": refusal("nothing came", "255, 0 or 1")})
}

// free returns an address on which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
