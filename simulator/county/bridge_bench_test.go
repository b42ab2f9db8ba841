package county

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialect"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/frame"
	"github.com/bluenviron/gomavlib/v3/pkg/message"
	"github.com/bluenviron/gomavlib/v3/pkg/streamwriter"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/bridge"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/mqtt"
)

// The load of BenchmarkBridge.
const (
	vehicles = 200
	perTick  = 5 // messages of each vehicle, of which it sends two ten times a second
)

// BenchmarkBridge runs the real program with 200 drones that spray and send 20
// messages a second each over UDP, and reports its share of a core and its memory.
func BenchmarkBridge(b *testing.B) {
	dir := b.TempDir()
	program := buildProgram(b, dir)
	collector, _ := keys(b, dir)
	listen, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := listen.LocalAddr().String()
	listen.Close()
	cfg := agent.Config{
		County:       "c",
		Agent:        "station",
		Dir:          filepath.Join(dir, "journal"),
		Broker:       mqtt.Broker{URL: "tcp://127.0.0.1:1"},
		CollectorKey: collector,
		Bridge:       bridge.Config{MAVLink: []bridge.MAVLink{{UDP: address}}},
	}
	for i := range vehicles {
		id := fmt.Sprintf("drone-%d", i+1)
		drone := machine.Config{Machine: id, Name: id, Type: "drone", TankL: 16}
		cfg.Bridge.Machines = append(cfg.Bridge.Machines, drone)
		cfg.Bridge.MAVLink[0].Vehicles = append(cfg.Bridge.MAVLink[0].Vehicles, bridge.Vehicle{
			System:      uint8(i + 1),
			Machine:     id,
			PumpServo:   9,
			FlowBattery: 2,
		})
	}
	text, err := config.Write(cfg)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "agent.yaml"), text, 0o600); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer func() { cancel(); wg.Wait() }()
	for i := range vehicles {
		wg.Go(func() { fly(ctx, b, address, byte(i+1)) })
	}
	for b.Loop() {
		measureAgent(b, program, dir)
		b.ReportMetric(0, "ns/op")
	}
	v, err := journal.Look(cfg.Dir)
	if err != nil || v.Last < vehicles*20 {
		b.Fatalf("the bridge recorded only %d records: %v", v.Last, err)
	}
	v.Close()
}

// fly sends what a spraying drone sends, until ctx is done.
func fly(ctx context.Context, b *testing.B, address string, system byte) {
	conn, err := net.Dial("udp4", address)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close()
	d := &dialect.ReadWriter{Dialect: ardupilotmega.Dialect}
	frames := &frame.Writer{ByteWriter: conn, DialectRW: d}
	w := &streamwriter.Writer{FrameWriter: frames, Version: streamwriter.V2, SystemID: system, ComponentID: 1}
	for _, err := range []error{d.Initialize(), frames.Initialize(), w.Initialize()} {
		if err != nil {
			b.Error(err)
			return
		}
	}
	t := time.NewTicker(time.Second / 10)
	defer t.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		<-t.C
		out := [perTick]message.Message{
			&common.MessageGlobalPositionInt{
				Lat:         359000000 + int32(n)*100,
				Lon:         1151100000,
				RelativeAlt: 3000,
				Vx:          500,
			},
			&common.MessageServoOutputRaw{Servo9Raw: 1700},
			&common.MessageBatteryStatus{
				Id:               2,
				CurrentBattery:   6000,
				CurrentConsumed:  int32(n * 2),
				BatteryRemaining: 50,
			},
			&common.MessageAttitude{Roll: 0.1},
			&common.MessageVfrHud{Groundspeed: 5},
		}
		for i := range 2 {
			_ = w.Write(out[(2*n+i)%perTick]) // fails while the program does not run
		}
	}
}
