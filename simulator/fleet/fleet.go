package fleet

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gatehouse/devices/port/pty"
	"gatehouse/gateway/county/report"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/bridge"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/site"
)

// Config says which fleet plays.
type Config struct {
	County string
	Sites  *site.County
	Dir    string // for the ends of the serial lines
	Broker string // of the machines that publish by themselves: tcp://host:port
	UDP    string // where the ground station listens
	Times  Times  // of a machine's cycle; the machines begin one after the other
}

// The bridges: a ground station for drones, a depot for trucks.
const (
	Station = "station-1"
	Depot   = "depot-1"
)

// What run detection is told for this fleet, whose cycles are short.
const (
	Idle  = 5 * time.Second
	Pause = 20 * time.Second
)

// Fleet plays all machines. Make it with New, run it with Run.
type Fleet struct {
	cfg    Config
	models []*model
	players
}

// players let the machines speak.
type players []func(ctx context.Context)

// New makes the fleet and plugs in its serial lines.
func New(ctx context.Context, cfg Config) (*Fleet, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the fleet's folder: %w", err)
	}
	f := &Fleet{cfg: cfg}
	for i, s := range Machines(cfg.Sites) {
		t := cfg.Times
		t.First += time.Duration(i) * 1500 * time.Millisecond
		m := newModel(s, t)
		f.models = append(f.models, m)
		if err := f.player(ctx, m, byte(i+1)); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *Fleet) player(ctx context.Context, m *model, system byte) error {
	add := func(p func(ctx context.Context)) { f.players = append(f.players, p) }
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
		line, err := f.plug(m.ID)
		if err != nil {
			return err
		}
		d, err := newDrone(m, system, line, true)
		if err != nil {
			return err
		}
		add(func(ctx context.Context) { d.run(ctx); _ = line.Close() })
	case PLC, VFD:
		bus, err := f.plug(m.ID + "-bus")
		if err != nil {
			return err
		}
		receiver, err := f.plug(m.ID + "-gps")
		if err != nil {
			return err
		}
		units := plc(m)
		if m.Language == VFD {
			units = vfd(m)
		}
		add(func(ctx context.Context) { slave(ctx, bus, units, func() bool { return m.look().silent }) })
		add(func(ctx context.Context) { gps(ctx, m, receiver) })
	case JSON, Tasmota:
		r := &reporter{model: m, county: f.cfg.County, broker: f.cfg.Broker}
		add(r.run)
	}
	return nil
}

// port is the name of a serial line.
func (f *Fleet) port(name string) string { return filepath.Join(f.cfg.Dir, name) }

func (f *Fleet) plug(name string) (*pty.PTY, error) {
	p, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, p.Link(f.port(name))
}

// stepEvery is the fineness of the machines' time.
const stepEvery = 50 * time.Millisecond

// Run plays until ctx ends.
func (f *Fleet) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, p := range f.players {
		wg.Go(func() { p(ctx) })
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

// Finish lets the runs under way be the last and waits for their end.
func (f *Fleet) Finish(ctx context.Context) {
	for _, m := range f.models {
		m.finish()
	}
	for _, m := range f.models {
		for !m.rests() && pause(ctx, 100*time.Millisecond) {
		}
	}
}

// Truth is what the machines truly did, in runs that are over.
func (f *Fleet) Truth() (out []Truth) {
	for _, m := range f.models {
		out = append(out, m.truth()...)
	}
	return out
}

// Specs are the machines.
func (f *Fleet) Specs() (out []Spec) {
	for _, m := range f.models {
		out = append(out, m.Spec)
	}
	return out
}

func known(m Spec) machine.Config {
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

// Bridge fills in what the agent of a bridge must know of the machines.
func (f *Fleet) Bridge(id string, cfg agent.Config) agent.Config {
	cfg.Agent = id
	radio := bridge.MAVLink{UDP: f.cfg.UDP}
	for i, m := range f.models {
		vehicle := bridge.Vehicle{System: uint8(i + 1), Machine: m.ID, PumpServo: pumpServo}
		onBus := func(units ...bridge.ModbusUnit) {
			cfg.Modbus = append(cfg.Modbus, bridge.Modbus{Serial: f.port(m.ID + "-bus"), Units: units})
			cfg.NMEA = append(cfg.NMEA, bridge.NMEA{Serial: f.port(m.ID + "-gps"), Machine: m.ID})
		}
		switch {
		case m.Language == MAVLinkUDP && id == Station:
			vehicle.FlowBattery, vehicle.LevelBattery = flowBattery, levelBattery
			radio.Vehicles = append(radio.Vehicles, vehicle)
		case m.Language == MAVLinkSerial && id == Station:
			cfg.MAVLink = append(cfg.MAVLink, bridge.MAVLink{Serial: f.port(m.ID), Vehicles: []bridge.Vehicle{vehicle}})
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
		cfg.Machines = append(cfg.Machines, known(m.Spec))
	}
	if len(radio.Vehicles) > 0 {
		cfg.MAVLink = append(cfg.MAVLink, radio)
	}
	return cfg
}

// Reporters are what the collector must know of machines that publish by
// themselves.
func Reporters(sites *site.County) (out []report.Machine) {
	for _, s := range Machines(sites) {
		r := report.Machine{Config: known(s)}
		switch s.Language {
		case JSON:
		case Tasmota:
			r.Topics = []report.Topic{
				{Topic: powerTopic, Value: "command"},
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
