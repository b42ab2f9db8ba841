package cases

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"gatehouse/devices/port"
	"gatehouse/devices/port/pty"
	"gatehouse/firmware-bridge/modbus"
	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/fact"
)

// modbusCase is expected.yaml of a case of what Modbus units say. The unit is played
// by slave.json, and read with map.yaml, until it has told what is expected.
type modbusCase struct {
	Field  string             `yaml:"field"`
	Values map[string]float64 `yaml:"values"` // by name; a flag is 0 or 1
	Absent []string           `yaml:"absent"` // values that may never come
	Errors []string           `yaml:"errors"` // parts of messages that must come; without any, none may
	Config struct {           // keys of the agent's configuration
		Line    string        `yaml:"line"` // serial (default), rtu (over TCP), tcp
		Unit    *uint8        `yaml:"unit"` // default 1
		Timeout time.Duration `yaml:"timeout"`
	} `yaml:"config"`
	Refused []string `yaml:"refused"` // parts of the message with which the configuration is refused
}

// slave is slave.json. Bytes are hexadecimal. On tcp they begin with the unit; the
// header of the frame is added.
type slave struct {
	Reply   `yaml:",inline"`
	Answers []Reply `yaml:"answers"` // instead: in turn, again from the first
}

// Reply is what follows one request.
type Reply struct {
	Request string   `yaml:"request"`         // the request that is awaited; empty: any
	Answer  string   `yaml:"answer"`          //
	Pieces  []string `yaml:"pieces"`          // an answer in pieces, 50 ms apart
	After   int      `yaml:"answer_after_ms"` //
	HangUp  bool     `yaml:"hang_up"`         // the connection is closed then
}

func TestModbus(t *testing.T) {
	each(t, "modbus", func(t *testing.T, dir string) {
		t.Parallel()
		want := expected[modbusCase](t, dir)
		var registers modbus.Map
		load(t, filepath.Join(dir, "map.yaml"), &registers, yaml.Strict())
		cfg := modbus.Config{Every: 100 * time.Millisecond, Timeout: want.Config.Timeout,
			Units: []modbus.Unit{{Machine: "fogger-1", Unit: 1, Map: &registers}}}
		if want.Config.Unit != nil {
			cfg.Units[0].Unit = *want.Config.Unit
		}
		var s slave
		if len(want.Refused) == 0 {
			load(t, filepath.Join(dir, "slave.json"), &s)
		}
		serve(t, &cfg, want.Config.Line, s)
		bus, err := modbus.New(cfg, port.NewHost())
		if len(want.Refused) > 0 {
			for _, part := range want.Refused {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("the configuration: %v, want %q", err, part)
				}
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		listen(t, bus, want)
	})
}

func load(t *testing.T, file string, into any, options ...yaml.DecodeOption) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(raw, into, options...); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// serve starts the slave on a line, and names that in cfg.
func serve(t *testing.T, cfg *modbus.Config, line string, s slave) {
	t.Helper()
	if len(s.Answers) == 0 {
		s.Answers = []Reply{s.Reply}
	}
	if line == "" || line == "serial" {
		p, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		cfg.Serial = p.Path
		t.Cleanup(func() { _ = p.Close() })
		go s.speak(p, false, new(int))
		return
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if cfg.TCP = l.Addr().String(); line == "rtu" {
		cfg.Framing = modbus.FramingRTU
	}
	go func() {
		for turn := new(int); ; {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.speak(conn, line == "tcp", turn)
			_ = conn.Close()
		}
	}()
}

// speak answers requests until the line ends or a reply hangs up.
func (s slave) speak(line io.ReadWriter, framed bool, turn *int) {
	size := 8 // of a request
	if framed {
		size = 12
	}
	request := make([]byte, size)
	for {
		if _, err := io.ReadFull(line, request); err != nil {
			return
		}
		r := s.Answers[*turn%len(s.Answers)]
		*turn++
		if r.Request != "" && !strings.HasSuffix(hex.EncodeToString(request), r.Request) {
			continue
		}
		time.Sleep(time.Duration(r.After) * time.Millisecond)
		for i, piece := range append([]string{r.Answer}, r.Pieces...) {
			if i > 1 {
				time.Sleep(50 * time.Millisecond)
			}
			b, err := hex.DecodeString(strings.ReplaceAll(piece, " ", ""))
			if err != nil {
				panic(err)
			}
			if framed && len(b) > 0 {
				header := append(request[:4:4], 0, 0)
				binary.BigEndian.PutUint16(header[4:], uint16(len(b)))
				b = append(header, b...)
			}
			if _, err := line.Write(b); err != nil {
				return
			}
		}
		if r.HangUp {
			return
		}
	}
}

// listen runs a bus until what is expected has come.
func listen(t *testing.T, bus *modbus.Bus, want modbusCase) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	values, errs := want.Values, want.Errors
	samples := 0
	if err := bus.Run(ctx, func(_ string, s runs.Sample, err error) {
		if err != nil {
			left := missing(errs, err.Error())
			if len(want.Errors) == 0 || len(left) == len(errs) && len(errs) > 0 {
				t.Logf("it says: %v", err)
			}
			if errs = left; len(want.Errors) == 0 {
				t.Errorf("unexpected: %v", err)
			}
		} else {
			samples++
			values = check(t, want, values, s)
		}
		if len(values) == 0 && len(errs) == 0 && (samples >= 3 || len(want.Values) == 0) {
			cancel()
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(values) > 0 || len(errs) > 0 {
		t.Errorf("never came: %v %q", values, errs)
	}
}

// missing returns the parts that text does not contain.
func missing(parts []string, text string) (out []string) {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			out = append(out, p)
		}
	}
	return out
}

// check checks the values of a sample, and returns the expected ones that have not
// come yet.
func check(t *testing.T, want modbusCase, left map[string]float64, s runs.Sample) map[string]float64 {
	t.Helper()
	still := map[string]float64{}
	for name, v := range left {
		still[name] = v
	}
	for name, v := range values(s) {
		expected, known := want.Values[name]
		if known && math.Abs(v-expected) > 1e-3 {
			t.Errorf("%s is %g, want %g", name, v, expected)
		}
		for _, absent := range want.Absent {
			if name == absent {
				t.Errorf("%s is %g, and must be absent", name, v)
			}
		}
		delete(still, name)
	}
	return still
}

// values returns the numbers and flags of a sample by name.
func values(s runs.Sample) map[string]float64 {
	out := map[string]float64{}
	for _, n := range fact.Numbers() {
		if p := *n.Of(&s.Values); p != nil {
			out[n.Name] = *p
		}
	}
	for _, f := range fact.Flags() {
		if p := *f.Of(&s.Values); p != nil {
			if out[f.Name] = 0; *p {
				out[f.Name] = 1
			}
		}
	}
	return out
}
