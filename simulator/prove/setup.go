package prove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/simulator/clerk"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/fleet"
	"gatehouse/simulator/program"
	"gatehouse/simulator/world"
)

// upWithin is how long all programs together may take to start.
const upWithin = 60 * time.Second

// prepare writes all files and starts everything but the agents.
func (p *proof) prepare(ctx context.Context) error {
	if err := p.mkdir(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	if err := p.newHardware(); err != nil {
		return err
	}
	listen, err := loopback.Free(ctx)
	if err != nil {
		return err
	}
	p.brokerURL = "tcp://" + listen
	p.agentURL = p.brokerURL
	if err := p.startBroker(ctx, listen); err != nil {
		return err
	}
	if err := p.startDatabase(ctx); err != nil {
		return err
	}
	if p.Machines {
		if err := p.newFleet(ctx); err != nil {
			return err
		}
	}
	return p.startCollector(ctx, listen)
}

func (p *proof) program(name string, argv ...string) *process {
	return &process{Program: program.Program{Name: name, Argv: argv, Log: filepath.Join(p.Dir, name+".log"), Env: p.env,
		Pipe: p.pipedLogs}}
}

// startBroker starts the broker if it is a process of its own.
func (p *proof) startBroker(ctx context.Context, listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return err
	}
	switch {
	case p.Broker == "mosquitto":
		path, err := FindProgram("mosquitto")
		if err != nil {
			return err
		}
		conf := filepath.Join(p.Dir, "mosquitto.conf")
		text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence false\n", port) + p.mosquittoLines
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			return err
		}
		p.broker = p.program("broker", path, "-c", conf)
	case p.separateBroker || slices.Contains(p.Kill, "broker"):
		p.broker = p.program("broker",
			append(slices.Clone(p.brokerArgv), p.Gatehouse, "broker", "--listen", listen, "--dir",
				cmp.Or(p.brokerDir, filepath.Join(p.Dir, "broker")))...)
	default:
		return nil
	}
	if err := p.broker.start(); err != nil {
		return err
	}
	return p.broker.waitFor(ctx, func() bool { return answers(ctx, listen) })
}

// answers reports whether address accepts a connection.
func answers(ctx context.Context, address string) bool {
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// countyDir returns the collector's folder.
func (p *proof) countyDir() string {
	if at := p.elsewhere.Load(); at != nil {
		return *at
	}
	return filepath.Join(p.Dir, "county")
}

func (p *proof) startCollector(ctx context.Context, listen string) error {
	cfg := centre.Config{County: world.CountyID, Dir: p.countyDir(), Sites: filepath.Join(p.Dir, "sites.yaml")}
	sites := world.New(p.Seed).Sites
	if err := writeYAML(cfg.Sites, sites); err != nil {
		return err
	}
	cfg.Retention = p.retention
	if p.Machines {
		cfg.Machines = fleet.Reporters(slices.Concat(fleet.Machines(&sites), fleet.Peers(&sites)))
	}
	deskAddress := ""
	if p.desk {
		var err error
		if deskAddress, err = loopback.Free(ctx); err != nil {
			return err
		}
		p.clerk = clerk.New("http://"+deskAddress, "proof", clerk.ByCommand(p.Gatehouse, p.countyDir()))
		cfg.Desk = &pages.Config{Listen: deskAddress}
	}
	if p.enrolled != nil {
		if err := p.enrolled.setUp(ctx, p, &cfg, listen, deskAddress); err != nil {
			return err
		}
	}
	if in := p.database; in.URL != "" {
		cfg.Influx = &centre.Influx{URL: p.storeURL, Org: in.Org, Bucket: in.Bucket,
			TokenFile: filepath.Join(p.Dir, "influx.token")}
		if err := os.WriteFile(cfg.Influx.TokenFile, []byte(in.Token), 0o600); err != nil {
			return err
		}
	}
	file := filepath.Join(p.Dir, "collect.yaml")
	if err := writeYAML(file, cfg); err != nil {
		return err
	}
	gatehouse := cmp.Or(p.collectorProgram, p.Gatehouse)
	argv := []string{gatehouse, "collect", "--config", file}
	switch {
	case p.broker != nil:
		argv = append(argv, "--broker", p.brokerURL)
	case cfg.Broker.Embedded == nil:
		argv = append(argv, "--listen", listen)
	}
	p.collector = p.program("collector", argv...)
	if err := p.collector.start(); err != nil {
		return err
	}
	return p.collector.waitFor(ctx, func() bool {
		return exists(filepath.Join(p.countyDir(), "site.key")) && answers(ctx, listen) &&
			(!p.desk || answers(ctx, deskAddress))
	})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func writeYAML[T any](path string, v T) error {
	b, err := config.Write(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

// ledger returns the file in which an agent counts its readings.
func (p *proof) ledger(gate string) string { return filepath.Join(p.Dir, gate, "ledger") }

// journalDir returns the folder of an agent's journal.
func (p *proof) journalDir(gate string) string { return filepath.Join(p.Dir, gate, "journal") }

func (p *proof) startAgents(ctx context.Context) error {
	if p.enrolled != nil {
		return p.enrolled.start(ctx, p)
	}
	rules := filepath.Join(p.Dir, "policy.yaml")
	if err := os.WriteFile(rules, world.Policy(), 0o600); err != nil {
		return err
	}
	for i, g := range p.gates {
		dir := filepath.Join(p.Dir, g.ID)
		roster := filepath.Join(dir, "roster.csv")
		if err := os.WriteFile(roster, g.Roster(), 0o600); err != nil {
			return err
		}
		cfg := agent.Config{
			County:       world.CountyID,
			Agent:        g.ID,
			Dir:          p.journalDir(g.ID),
			Broker:       mqtt.Broker{URL: p.agentURL},
			CollectorKey: filepath.Join(p.countyDir(), "collector.pub"),
			SiteKey:      filepath.Join(p.countyDir(), "site.key"),
			Policy:       rules,
			Roster:       roster,
			Station:      station.Config{Devices: p.hw[i].Devices()},
		}
		if p.attended != nil && i == len(p.gates)-1 {
			if err := p.attended.write(dir, &cfg); err != nil {
				return err
			}
		}
		file := filepath.Join(dir, "agent.yaml")
		if err := writeYAML(file, cfg); err != nil {
			return err
		}
		argv := append([]string{p.Gatehouse, "agent", "--config", file, "--ledger", p.ledger(g.ID)}, p.agentArgs...)
		a := p.program(g.ID, argv...)
		p.agents = append(p.agents, a)
		p.agentIDs = append(p.agentIDs, g.ID)
		if err := a.start(); err != nil {
			return err
		}
	}
	if p.fleet != nil {
		return p.startBridges()
	}
	return nil
}

// mkdir creates the folder of the proof.
func (p *proof) mkdir() error {
	if entries, err := os.ReadDir(p.Dir); err == nil && len(entries) > 0 {
		return errors.New("the folder of the proof is not empty: " + p.Dir)
	}
	return os.MkdirAll(p.Dir, 0o700)
}

// startLine makes the line between the agents and the broker at an address.
func (r *rig) startLine(ctx context.Context, broker string) (err error) {
	if r.scheme() == "ssl://" { // packets can't be told apart
		if r.line, err = faults.NewProxy(ctx, broker); err != nil {
			return err
		}
		r.undo = append(r.undo, r.line.Close)
		r.agentURL = "ssl://" + r.line.Addr()
		return nil
	}
	if r.chaos, err = faults.NewChaos(ctx, broker, r.Seed); err != nil {
		return err
	}
	r.undo = append(r.undo, r.chaos.Close)
	r.agentURL = "tcp://" + r.chaos.Addr()
	return nil
}
