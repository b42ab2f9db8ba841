package prove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/epochs"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/retry"
	"gatehouse/simulator/faults"
	"gatehouse/simulator/selfsigned"
	"gatehouse/simulator/world"
)

// enrolled is how the gates of a county were put into service: each by a code of the desk.
// All that they have, they have from the county.
type enrolled struct {
	// certificates: the broker is the collector's own, and lets gates in by their
	// certificates only. Otherwise it is a program of its own, without TLS.
	certificates bool
	epochs       *epochs.Config // nil: one key for all gates

	line *faults.Proxy // between the gates and the desk
}

// byCodes has all gates of a county enrol.
func byCodes(e enrolled) func(context.Context, *rig) error {
	return func(_ context.Context, r *rig) error {
		own := e // a row may run several times at once
		r.enrolled, r.separateBroker = &own, !own.certificates
		r.undo = append(r.undo, r.enrolled.close)
		return nil
	}
}

// close ends the line between the gates and the desk.
func (e *enrolled) close() {
	if e.line != nil {
		e.line.Close()
	}
}

// brokerCert returns the path of the broker's certificate, which gates get.
func (p *proof) brokerCert() string { return filepath.Join(p.Dir, "enrol", "default", "broker.crt") }

// scheme returns that of the broker's URL.
func (p *proof) scheme() string {
	if p.enrolled != nil && p.enrolled.certificates {
		return "ssl://"
	}
	return "tcp://"
}

// setUp lets the collector put gates into service, which reach the desk at an address
// through a line that can be cut. listen is the broker's address.
func (e *enrolled) setUp(ctx context.Context, p *proof, cfg *centre.Config, listen, desk string) error {
	var err error
	if e.line, err = faults.NewProxy(context.WithoutCancel(ctx), desk); err != nil { // close ends it
		return err
	}
	cfg.Enrol = &centre.Enrol{URLs: []string{"http://" + e.line.Addr()}, Files: filepath.Join(p.Dir, "enrol")}
	cfg.Epochs = e.epochs
	if err := os.MkdirAll(filepath.Join(cfg.Enrol.Files, "default"), 0o700); err != nil {
		return err
	}
	if !e.certificates {
		return nil
	}
	t := broker.TLS{Cert: p.brokerCert(), Key: filepath.Join(p.Dir, "broker.key")}
	cfg.Broker.Embedded = &broker.Config{Listen: listen, TLS: t}
	return selfsigned.Write(t.Cert, t.Key)
}

// profiles writes what the gates get with a code.
func (e *enrolled) profiles(p *proof) error {
	type profile struct {
		Broker mqtt.Broker `yaml:"broker"`
	}
	shared := profile{mqtt.Broker{URL: p.agentURL}}
	if e.certificates {
		shared.Broker.CA = filepath.Base(p.brokerCert())
	}
	dir := filepath.Join(p.Dir, "enrol", "default")
	if err := errors.Join(writeYAML(filepath.Join(dir, "agent.yaml"), shared),
		os.WriteFile(filepath.Join(dir, "policy.yaml"), world.Policy(), 0o600)); err != nil {
		return err
	}
	for i, g := range p.gates {
		dir := filepath.Join(p.Dir, "enrol", g.ID)
		devices, err := config.Write(map[string][]station.Device{"devices": p.hw[i].Devices()})
		if err == nil {
			err = os.MkdirAll(dir, 0o700)
		}
		if err == nil {
			err = errors.Join(os.WriteFile(filepath.Join(dir, "devices.yaml"), devices, 0o600),
				os.WriteFile(filepath.Join(dir, "roster.csv"), g.Roster(), 0o600))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// start puts all gates into service at once, and starts their agents.
func (e *enrolled) start(ctx context.Context, p *proof) error {
	if err := e.profiles(p); err != nil {
		return err
	}
	var gates []string
	for _, g := range p.gates {
		gates = append(gates, g.ID)
	}
	if err := p.enrolGates(ctx, gates...); err != nil {
		return err
	}
	for _, gate := range gates {
		argv := append([]string{p.Gatehouse, "agent", "--config", filepath.Join(p.Dir, gate, "agent.yaml"),
			"--ledger", p.ledger(gate)}, p.agentArgs...)
		a := p.program(gate, argv...)
		p.agents, p.agentIDs = append(p.agents, a), append(p.agentIDs, gate)
		if err := a.start(); err != nil {
			return err
		}
	}
	return nil
}

// enrolWithin is how long gates may take to be put into service.
const enrolWithin = time.Minute

// enrolGates puts gates into service with codes of the desk, those that are for the first
// time and those that were before, whose agents may run meanwhile.
func (p *proof) enrolGates(ctx context.Context, gates ...string) error {
	ctx, cancel := context.WithTimeout(ctx, enrolWithin)
	defer cancel()
	errs := make([]error, len(gates)+1)
	var wg sync.WaitGroup
	for i, gate := range gates {
		code, err := p.clerk.Code(ctx, gate)
		if err != nil {
			cancel()
			wg.Wait()
			return err
		}
		wg.Go(func() {
			argv := []string{"enrol", "--again", "--dir", filepath.Join(p.Dir, gate), code}
			out, err := exec.CommandContext(ctx, p.Gatehouse, argv...).CombinedOutput()
			if err != nil {
				errs[i] = fmt.Errorf("enrol %s: %w:\n%s", gate, err, out)
				cancel()
			}
		})
	}
	wg.Go(func() {
		if errs[len(gates)] = p.approve(ctx, gates); errs[len(gates)] != nil {
			cancel()
		}
	})
	wg.Wait()
	return errors.Join(errs...)
}

// approve approves the requests of gates as they come.
func (p *proof) approve(ctx context.Context, gates []string) error {
	for left := len(gates); left > 0; {
		list, err := p.clerk.Enrolments(ctx)
		if err != nil {
			return err
		}
		for _, w := range list.Waiting {
			if !slices.Contains(gates, w.Agent) {
				continue
			}
			if err := p.clerk.Approve(ctx, w); err != nil {
				return err
			}
			left--
		}
		if !retry.Sleep(ctx, 50*time.Millisecond) {
			return fmt.Errorf("%d of %d gates have not asked for a certificate: %w", left, len(gates), ctx.Err())
		}
	}
	return nil
}

// reader returns how somebody who may read everything reaches the broker.
func (p *proof) reader(ctx context.Context) (mqtt.Broker, error) {
	b := mqtt.Broker{URL: p.brokerURL}
	if p.enrolled == nil || !p.enrolled.certificates {
		return b, nil
	}
	b.CA, b.Cert, b.Key = p.brokerCert(), filepath.Join(p.Dir, "prove.crt"), filepath.Join(p.Dir, "prove.key")
	out, err := exec.CommandContext(ctx, p.Gatehouse, "identity", "issue", "prove", "--kind", "reader", "--config",
		filepath.Join(p.Dir, "collect.yaml"), "--out", p.Dir).CombinedOutput()
	if err != nil {
		return b, fmt.Errorf("issue a reader's certificate: %w:\n%s", err, out)
	}
	return b, nil
}
