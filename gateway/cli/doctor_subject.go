package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/doctor"
	"gatehouse/gateway/edge/agent"
)

// ofService is a Probe that knows by itself whether a configuration is that of a service.
type ofService interface{ OfService(path string) bool }

// subject returns what a configuration file describes, to be looked at.
func subject(path, kind string, text []byte, p doctor.Probe) doctor.Subject {
	s := doctor.Subject{Trials: configTrials(path, kind, text, p.Now())}
	installed := ofServices([]string{path})
	if is, can := p.(ofService); can {
		installed = is.OfService(path)
	}
	if installed {
		s.Owner = serviceUser
	}
	switch kind {
	case "collect":
		cfg, _ := config.Survey[centre.Config](text)
		cfg.Beside(path)
		ofCollector(&s, cfg, p)
	case "broker":
		cfg, _ := config.Survey[broker.Config](text)
		beside(path, &cfg.Dir, &cfg.TLS.Cert)
		s.Keeps, s.Units = kept(cfg.Dir), unit(s, "gatehouse-broker.service")
		s.Listens = []doctor.Listen{{What: "broker", Address: cfg.Listen}}
		s.Certificates = certificate(nil, "broker", cfg.TLS.Cert)
	default:
		cfg, _ := config.Survey[agent.Config](text)
		beside(path, cfg.Paths()...)
		ofGate(&s, cfg)
	}
	return s
}

// unit returns the service, if the configuration is that of one.
func unit(s doctor.Subject, name string) []string {
	if s.Owner == "" {
		return nil
	}
	return []string{name}
}

func kept(dirs ...string) []string {
	return slices.DeleteFunc(dirs, func(d string) bool { return d == "" })
}

func certificate(list []doctor.Certificate, what, path string, names ...string) []doctor.Certificate {
	if path == "" {
		return list
	}
	return append(list, doctor.Certificate{What: what, Path: path, Names: names})
}

// configTrials are the faults of the file and of the files that it names, one each.
func configTrials(path, kind string, text []byte, now time.Time) (out []doctor.Trial) {
	faults, warnings := configKindOf(kind).check(path, text, now)
	add := func(f config.Fault, warn bool) {
		err := errors.New(f.Text)
		on := path
		if f.Line > 0 {
			on = fmt.Sprintf("%s:%d", path, f.Line)
		}
		out = append(out, doctor.Trial{Check: "config", On: on,
			Why: doctor.Text{ZH: "配置或它用到的文件不对，服务可能启动不了", EN: "the service may not start with this"},
			Cure: doctor.Text{ZH: "改 " + on + "，再查: gatehouse config check " + path,
				EN: "mend " + on + ", then: gatehouse config check " + path},
			Try: func(context.Context) (doctor.Text, error, error) {
				if warn {
					return doctor.Text{}, err, nil
				}
				return doctor.Text{}, nil, err
			}})
	}
	for _, f := range faults {
		add(f, false)
	}
	for _, f := range warnings {
		add(f, true)
	}
	if len(out) == 0 {
		out = append(out, doctor.Trial{Check: "config", On: path,
			Try: func(context.Context) (doctor.Text, error, error) {
				return doctor.Text{ZH: path + " 正确", EN: path + " is right"}, nil, nil
			}})
	}
	return out
}

func ofCollector(s *doctor.Subject, cfg centre.Config, p doctor.Probe) {
	s.Zone, s.Units = cfg.TimeZone, unit(*s, collectUnit)
	s.Keeps = kept(cfg.Dir, cfg.AuthorityDir())
	if at := cfg.Listen(); at != "" {
		s.Listens = append(s.Listens, doctor.Listen{What: "broker", Address: at})
	}
	names := namesOfURLs(cfg)
	if e := cfg.Broker.Embedded; e != nil {
		s.Certificates = certificate(s.Certificates, "broker", e.TLS.Cert, names...)
	}
	if d := cfg.Desk; d != nil {
		s.Listens = append(s.Listens, doctor.Listen{What: "desk", Address: d.Listen})
		s.Certificates = certificate(s.Certificates, "desk", d.TLS.Cert, append(slices.Clone(d.Hosts), names...)...)
		if d.TLS.Cert != "" {
			s.Names = names
		}
	}
	if e := cfg.Broker.External; e != nil {
		s.Certificates = certificate(s.Certificates, "broker.external", e.Cert)
		s.Trials = append(s.Trials, brokerTrial(*e, cfg.County, ""))
		s.Servers = append(s.Servers, server("broker", e.URL)...)
	}
	s.Trials = append(s.Trials, collectorTrials(cfg, p, s.Owner != "")...)
}

// namesOfURLs are the hosts by which gates reach the desk.
func namesOfURLs(cfg centre.Config) (names []string) {
	if cfg.Enrol == nil {
		return nil
	}
	for _, text := range cfg.Enrol.URLs {
		if u, err := url.Parse(text); err == nil && u.Scheme == "https" && !slices.Contains(names, u.Hostname()) {
			names = append(names, u.Hostname())
		}
	}
	return names
}

// server returns the TLS server at a URL.
func server(what, text string) []doctor.Server {
	u, err := url.Parse(text)
	if err != nil || !slices.Contains([]string{"ssl", "wss", "https"}, u.Scheme) {
		return nil
	}
	return []doctor.Server{{What: what, Address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "443"))}}
}

func ofGate(s *doctor.Subject, cfg agent.Config) {
	s.Zone, s.Units, s.Keeps = cfg.TimeZone, unit(*s, agentUnit), kept(cfg.Dir)
	if at := cfg.Kiosk.Listen; at != "" {
		s.Kiosk = true
		s.Listens = []doctor.Listen{{What: "screen", Address: at}}
	}
	s.Desks = cfg.Identity.Desk
	if cfg.Identity.Cert != "" {
		s.Certificates = []doctor.Certificate{{What: "identity", Path: cfg.Identity.Cert, Renews: true}}
	}
	b := cfg.Effective().Broker
	s.Servers = server("broker", b.URL)
	s.Trials = append(s.Trials, brokerTrial(b, cfg.County, cfg.Agent), journalTrial(cfg.Dir))
	for _, d := range cfg.Station.Devices {
		s.Devices = append(s.Devices, deviceOf(d.Name, d.Model, d.Port, d.Baud, d.Pins)...)
	}
	for _, name := range cfg.Bridge.Serial() {
		s.Devices = append(s.Devices, doctor.Device{Name: filepath.Base(name), Port: name, Kind: doctor.Serial,
			Baud: 9600})
	}
}

// deviceOf returns the ports of a device: outputs have a pin each.
func deviceOf(name, model, at string, baud int, pins map[string]string) (out []doctor.Device) {
	m, err := devices.Find(model)
	switch {
	case err != nil:
		return nil // the configuration's check says it
	case m.Bus == "UART":
		return []doctor.Device{{Name: name, Port: at, Kind: doctor.Serial, Baud: cmp.Or(baud, m.Baud)}}
	case m.Kind != devices.KindOutputs:
		return []doctor.Device{{Name: name, Port: at, Kind: doctor.I2C}}
	}
	for role, pin := range pins {
		out = append(out, doctor.Device{Name: name + " " + role, Port: pin, Kind: doctor.GPIO})
	}
	slices.SortFunc(out, func(a, b doctor.Device) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// isThere reports whether a file or folder is there.
func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
