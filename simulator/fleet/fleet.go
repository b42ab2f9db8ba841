package fleet

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"gatehouse/devices/port/pty"
	"gatehouse/gateway/county/mapping"
	"gatehouse/gateway/county/report"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/bridge"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/site"
)

// Config are the options of a fleet.
type Config struct {
	County string
	Sites  *site.County
	Dir    string // for the names of the serial ports
	Broker string // of the machines that publish by themselves: tcp://host:port
	UDP    string // host:port where the ground station listens
	Times  Times  // of a machine's cycle; each machine begins 1.5 s after the one before
	Peers  bool   // the machines of Peers, too
}

// specs returns the machines of the fleet.
func (c Config) specs() []Spec {
	if c.Peers {
		return slices.Concat(Machines(c.Sites), Peers(c.Sites))
	}
	return Machines(c.Sites)
}

// The ids of the bridges: a ground station for drones, a depot for trucks.
const (
	Station = "station-1"
	Depot   = "depot-1"
)

// The settings of run detection for this fleet, whose cycles are short.
const (
	Idle  = 5 * time.Second
	Pause = 20 * time.Second
)

// Fleet simulates the county's machines. Make it with New and run it with Run.
type Fleet struct {
	cfg       Config
	models    []*model
	emulators []func(ctx context.Context) // each sends one machine's data until ctx is done
}

// New returns the fleet with its serial ports open.
func New(ctx context.Context, cfg Config) (*Fleet, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the folder of the machines' ports: %w", err)
	}
	f := &Fleet{cfg: cfg}
	for i, s := range cfg.specs() {
		t := cfg.Times
		t.First += time.Duration(i) * 1500 * time.Millisecond
		m := newModel(s, t)
		f.models = append(f.models, m)
		if err := f.emulate(ctx, m, byte(i+1)); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// emulate adds the emulators of a machine.
func (f *Fleet) emulate(ctx context.Context, m *model, system byte) error {
	add := func(run func(ctx context.Context)) { f.emulators = append(f.emulators, run) }
	switch m.Language {
	case MAVLinkUDP:
		conn, err := (&net.Dialer{}).DialContext(ctx, "udp4", f.cfg.UDP)
		if err != nil {
			return fmt.Errorf("%s: %w", m.ID, err)
		}
		d, err := newDrone(m, system, conn, false)
		if err != nil {
			return err
		}
		add(func(ctx context.Context) { d.run(ctx); _ = conn.Close() })
	case MAVLinkSerial:
		line, err := f.openPort(m.ID)
		if err != nil {
			return err
		}
		d, err := newDrone(m, system, line, true)
		if err != nil {
			return err
		}
		add(func(ctx context.Context) { d.run(ctx); _ = line.Close() })
	case PLC, VFD:
		bus, err := f.openPort(m.ID + "-bus")
		if err != nil {
			return err
		}
		receiver, err := f.openPort(m.ID + "-gps")
		if err != nil {
			return err
		}
		units := plc(m)
		if m.Language == VFD {
			units = vfd(m)
		}
		add(func(ctx context.Context) { slave(ctx, bus, units, func() bool { return m.read().silent }) })
		add(func(ctx context.Context) { gps(ctx, m, receiver) })
	case JSON, Tasmota, Relay:
		r := &reporter{model: m, county: f.cfg.County, broker: f.cfg.Broker}
		add(r.run)
	}
	return nil
}

// port returns the path of a serial port.
func (f *Fleet) port(name string) string { return filepath.Join(f.cfg.Dir, name) }

func (f *Fleet) openPort(name string) (*pty.PTY, error) {
	p, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, p.Link(f.port(name))
}

// stepEvery is the time step of the simulation.
const stepEvery = 50 * time.Millisecond

// Run simulates the machines until ctx is done.
func (f *Fleet) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, run := range f.emulators {
		wg.Go(func() { run(ctx) })
	}
	t := time.NewTicker(stepEvery)
	defer t.Stop()
	for last := time.Now(); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case now := <-t.C:
			for _, m := range f.models {
				m.step(now, now.Sub(last))
			}
			last = now
		}
	}
	wg.Wait()
}

// Finish starts no new runs and waits for the end of those in progress, or of
// ctx. Run must be running.
func (f *Fleet) Finish(ctx context.Context) {
	for _, m := range f.models {
		m.finish()
	}
	for _, m := range f.models {
		for !m.finished() && retry.Sleep(ctx, 100*time.Millisecond) {
		}
	}
}

// Truth returns what the machines really did, for runs that have ended.
func (f *Fleet) Truth() (out []Truth) {
	for _, m := range f.models {
		out = append(out, m.truth()...)
	}
	return out
}

// Specs returns the machines.
func (f *Fleet) Specs() (out []Spec) {
	for _, m := range f.models {
		out = append(out, m.Spec)
	}
	return out
}

// configOf returns a machine's configuration for run detection.
func configOf(m Spec) machine.Config {
	return machine.Config{
		Machine:  m.ID,
		Name:     m.Name,
		Type:     m.Type,
		Operator: m.Operator,
		TankL:    m.TankL,
		Idle:     Idle,
		Pause:    Pause,
	}
}

// Bridge returns cfg with the machines of the bridge id added.
func (f *Fleet) Bridge(id string, cfg agent.Config) agent.Config {
	cfg.Agent = id
	radio := bridge.MAVLink{UDP: f.cfg.UDP}
	for i, m := range f.models {
		vehicle := bridge.Vehicle{System: uint8(i + 1), Machine: m.ID, PumpServo: pumpServo}
		onBus := func(units ...bridge.ModbusUnit) {
			cfg.Bridge.Modbus = append(cfg.Bridge.Modbus, bridge.Modbus{Serial: f.port(m.ID + "-bus"), Units: units})
			cfg.Bridge.NMEA = append(cfg.Bridge.NMEA, bridge.NMEA{Serial: f.port(m.ID + "-gps"), Machine: m.ID})
		}
		switch {
		case m.Language == MAVLinkUDP && id == Station:
			vehicle.FlowBattery, vehicle.LevelBattery = flowBattery, levelBattery
			radio.Vehicles = append(radio.Vehicles, vehicle)
		case m.Language == MAVLinkSerial && id == Station:
			link := bridge.MAVLink{Serial: f.port(m.ID), Vehicles: []bridge.Vehicle{vehicle}}
			cfg.Bridge.MAVLink = append(cfg.Bridge.MAVLink, link)
		case m.Language == PLC && id == Depot:
			onBus(bridge.ModbusUnit{Unit: 1, Machine: m.ID, Map: "plc-fogger"})
		case m.Language == VFD && id == Depot:
			onBus(bridge.ModbusUnit{
				Unit:    1,
				Machine: m.ID,
				Map:     "vfd-pump",
			}, bridge.ModbusUnit{Unit: 2, Machine: m.ID, Map: "tuf-2000f"})
		default:
			continue
		}
		cfg.Bridge.Machines = append(cfg.Bridge.Machines, configOf(m.Spec))
	}
	if len(radio.Vehicles) > 0 {
		cfg.Bridge.MAVLink = append(cfg.Bridge.MAVLink, radio)
	}
	return cfg
}

// Reporters returns the collector's configuration of those machines that publish
// by themselves.
func Reporters(machines []Spec) (out []report.Machine) {
	for _, s := range machines {
		r := report.Machine{Config: configOf(s)}
		switch s.Language {
		case JSON:
		case Relay:
			r.Topics = []mapping.Topic{{Topic: powerTopic(s.ID), Value: "command"}}
		case Tasmota:
			r.Topics = []mapping.Topic{
				{Topic: powerTopic(s.ID), Value: "command"},
				{
					Topic: sensorTopic,
					Scale: map[string]float64{"flow_lpm": 1.0 / 60},
					Fields: map[string]string{
						"at":       "Time",
						"flow_lpm": "FLOW.Rate",
						"volume_l": "FLOW.Total",
						"lat":      "GPS.Lat",
						"lon":      "GPS.Lon",
					},
				},
			}
		default:
			continue
		}
		out = append(out, r)
	}
	return out
}
