package bridge

import (
	"context"
	"fmt"

	"gatehouse/devices"
	"gatehouse/firmware-bridge/mavlink"
	"gatehouse/firmware-bridge/nmea"
	"gatehouse/firmware-bridge/runs"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/wire"
)

// source is one link, bus or receiver.
type source struct {
	name string // for the log
	run  func(ctx context.Context, out func(machine string, s runs.Sample, err error)) error
}

// languages are the names of the protocols in which machines report, by machine,
// in the order of the configuration.
type languages map[string][]string

func (l languages) add(machine, language string) {
	if have := l[machine]; len(have) == 0 || have[len(have)-1] != language {
		l[machine] = append(have, language)
	}
}

// sources makes the sources of a configuration.
func sources(cfg Config, ports devices.Ports, signed *stamps) (out []source, langs languages, err error) {
	langs = languages{}
	for _, m := range cfg.MAVLink {
		link, err := newLink(m, ports, signed)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, source{"mavlink " + m.UDP + m.Serial, link.Run})
		for _, v := range m.Vehicles {
			langs.add(v.Machine, wire.SourceMAVLink)
		}
	}
	for _, m := range cfg.Modbus {
		bus, err := newBus(m, ports)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, source{"modbus " + m.Serial + m.TCP, bus.Run})
		for _, u := range m.Units {
			langs.add(u.Machine, wire.SourceModbus)
		}
	}
	for _, n := range cfg.NMEA {
		receiver := nmea.Config{Serial: n.Serial, Baud: n.Baud, Machine: n.Machine}
		run := func(ctx context.Context, out func(string, runs.Sample, error)) error {
			return nmea.Run(ctx, receiver, ports, out)
		}
		out = append(out, source{"nmea " + n.Serial, run})
		langs.add(n.Machine, wire.SourceNMEA)
	}
	return out, langs, nil
}

// newMachines makes the machines of a configuration.
func newMachines(list []machine.Config, langs languages, bootID string) (out []*bridged) {
	for _, m := range list {
		out = append(out, &bridged{
			Watch:   machine.NewWatch(m, machine.Source(langs[m.Machine]...), bootID),
			unheard: troubles{},
		})
	}
	return out
}

func newLink(m MAVLink, ports devices.Ports, signed *stamps) (*mavlink.Link, error) {
	cfg := m.link()
	if m.KeyFile != "" {
		text, err := secret.Text(m.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("mavlink: read the signing key: %w", err)
		}
		cfg.Key, cfg.Stamps = mavlink.ParseKey(string(text)), signed
	}
	return mavlink.New(cfg, ports)
}
