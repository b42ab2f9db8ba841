package threats

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store/books"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/program"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// resident may pass at each gate.
var resident = bench.Person{Screening: 3650, Reader: "reader", Card: "62E3086CED"}

// gate is a gate in service.
type gate struct {
	id, dir, kiosk string
	hw             *bench.Hardware
	agent          *program.Program
	codes          []string // with which it was enrolled
}

// putIntoService enrols a gate with a code, as people do, and starts it.
func (c *county) putIntoService(ctx, life context.Context, id string) error {
	g := &gate{id: id, dir: c.path(id)}
	var err error
	if g.kiosk, err = loopback.Free(ctx); err != nil {
		return err
	}
	g.hw, err = bench.New(c.path("ports", id), bench.Spec{Thermometer: "gy-mcu90614", Offset: 320, Ambient: 2000,
		Readers: []bench.Reader{
			{Name: "reader", Model: "rdm6300", Direction: fact.DirectionIn},
			{Name: "scanner", Model: "qr-scanner", Direction: fact.DirectionIn},
		}})
	if err != nil {
		return err
	}
	c.hardware.Go(func() { g.hw.Run(life) })
	if err := c.putGateFiles(g); err != nil {
		return err
	}
	if err := c.enrol(ctx, g, false); err != nil {
		return err
	}
	g.agent = c.program(id, "agent", "--config", filepath.Join(g.dir, "agent.yaml"), "--log-level", "debug")
	if _, err := g.agent.Start(); err != nil {
		return err
	}
	c.gates = append(c.gates, g)
	return g.agent.WaitFor(ctx, func() bool { return answers(ctx, g.kiosk) })
}

// enrol puts a gate's folder into service with a code.
func (c *county) enrol(ctx context.Context, g *gate, again bool) error {
	code, err := c.admin.code(ctx, g.id)
	if err != nil {
		return err
	}
	g.codes = append(g.codes, code)
	args := []string{"enrol", "--tpm", "off", "--dir", g.dir, code}
	if again {
		args = append(args, "--again")
	}
	p := c.program("enrol-"+g.id, args...)
	if _, err := p.Start(); err != nil {
		return err
	}
	defer p.End(syscall.SIGKILL, 0)
	if err := c.admin.approve(ctx, g.id); err != nil {
		return err
	}
	if ok := await(ctx, 30*time.Second, p.Died); !ok {
		return fmt.Errorf("enrol does not end: %s", p.Tail())
	}
	if _, err := os.Stat(filepath.Join(g.dir, "agent.yaml")); err != nil {
		return fmt.Errorf("enrol: %s", p.Tail())
	}
	return nil
}

// pair returns the certificate and key of a gate, as who has its disk has them.
func (g *gate) pair() (tls.Certificate, error) {
	return tls.LoadX509KeyPair(filepath.Join(g.dir, "agent.crt"), filepath.Join(g.dir, "agent.key"))
}

// journal returns the id of the gate's journal and its last record.
func (g *gate) journal() (jid string, last uint64, err error) {
	v, err := journal.Look(filepath.Join(g.dir, "journal"))
	if err != nil {
		return "", 0, err
	}
	defer v.Close()
	return v.JID, v.Last, nil
}

// stored returns up to which record the county has a journal.
func (c *county) stored(ctx context.Context, jid string) uint64 {
	b, err := books.OpenReadOnly(c.path("county", centre.StoreFile))
	if err != nil {
		return 0
	}
	defer b.Close()
	pos, err := b.Position(ctx, jid)
	if err != nil {
		return 0
	}
	return pos.Through
}

// passes lets a resident pass, and returns when the gate's journal holds it.
func (g *gate) passes(ctx context.Context) error {
	_, before, err := g.journal()
	if err != nil {
		return err
	}
	if err := g.hw.Present(ctx, resident); err != nil {
		return err
	}
	if ok := await(ctx, 20*time.Second, func() bool {
		_, last, err := g.journal()
		return err == nil && last > before
	}); !ok {
		return errors.New("nobody can pass any more")
	}
	return nil
}

// delivers lets a resident come to a gate and pass, and returns after how long the county
// has everything of it.
func (c *county) delivers(ctx context.Context, g *gate) (time.Duration, error) {
	begin := time.Now()
	err := g.passes(ctx)
	if err == nil {
		err = c.delivered(ctx, g)
	}
	return time.Since(begin), err
}

// delivered waits until the county has everything of a gate.
func (c *county) delivered(ctx context.Context, g *gate) error {
	jid, last, err := g.journal()
	if err != nil {
		return err
	}
	if ok := await(ctx, 30*time.Second, func() bool { return c.stored(ctx, jid) >= last }); !ok {
		return fmt.Errorf("%s does not deliver any more: %s", g.id, g.agent.Tail())
	}
	return nil
}
