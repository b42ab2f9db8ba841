package threats

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"gatehouse/gateway/retry"
	"gatehouse/simulator/program"
)

// countyID is the id of the counties.
const countyID = "qinghe"

// Those who have passwords at the broker.
const (
	watcher  = "watcher"                     // a reader
	fogger   = "fogger-9"                    // a machine
	byHand   = "gate-009"                    // an agent without a certificate
	password = "salt over the left shoulder" //nolint:gosec // of a county that lives for a minute
)

// county is a county whose programs run.
type county struct {
	where     setting
	gatehouse string
	dir       string
	broker    string // address
	desk      string // address
	url       string // of the desk
	collector *program.Program
	outside   *program.Program // the broker, where it is not the collector's
	gates     []*gate
	admin     *browser
	end       context.CancelFunc
	hardware  sync.WaitGroup
}

// upWithin is how long a program may take to start.
const upWithin = 60 * time.Second

// newCounty starts a county with two gates, and a user of its desk.
func newCounty(ctx context.Context, gatehouse, dir string, where setting) (_ *county, err error) {
	if gatehouse, err = filepath.Abs(gatehouse); err != nil {
		return nil, err
	}
	c := &county{where: where, gatehouse: gatehouse, dir: dir}
	ctx, c.end = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	up, cancel := context.WithTimeout(ctx, 2*upWithin)
	defer cancel()
	if err := c.write(up); err != nil {
		return nil, err
	}
	if err := c.start(up); err != nil {
		return nil, err
	}
	if err := c.signUp(up); err != nil {
		return nil, fmt.Errorf("become a user of the desk: %w", err)
	}
	for _, id := range []string{"gate-001", "gate-002"} {
		if err := c.putIntoService(up, ctx, id); err != nil {
			return nil, fmt.Errorf("put %s into service: %w", id, err)
		}
	}
	return c, nil
}

// close ends all programs.
func (c *county) close() {
	for _, g := range c.gates {
		g.agent.End(syscall.SIGTERM, 10*time.Second)
	}
	for _, p := range []*program.Program{c.collector, c.outside} {
		if p != nil {
			p.End(syscall.SIGTERM, 20*time.Second)
		}
	}
	c.end()
	c.hardware.Wait()
}

// lives returns an error when a program has ended by itself.
func (c *county) lives() error {
	for _, p := range c.programs() {
		if p.Died() {
			return fmt.Errorf("%s has ended: %s", p.Name, p.Tail())
		}
	}
	return nil
}

func (c *county) programs() []*program.Program {
	all := []*program.Program{c.collector}
	if c.outside != nil {
		all = append(all, c.outside)
	}
	for _, g := range c.gates {
		all = append(all, g.agent)
	}
	return all
}

func (c *county) path(name ...string) string {
	return filepath.Join(append([]string{c.dir}, name...)...)
}

// put writes a file for its owner only.
func (c *county) put(name, text string) error {
	path := c.path(name)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	return err
}

func (c *county) program(name string, args ...string) *program.Program {
	return &program.Program{Name: name, Argv: append([]string{c.gatehouse}, args...), Log: c.path(name + ".log")}
}

// run runs a command of gatehouse to its end and returns what it prints.
func (c *county) run(ctx context.Context, args ...string) (string, error) {
	return output(ctx, c.gatehouse, args...)
}

// start starts broker and collector.
func (c *county) start(ctx context.Context) error {
	args := []string{"collect", "--config", c.path("collect.yaml"), "--log-level", "debug"}
	if c.where != own {
		c.outside = c.program("broker", "broker", "--listen", c.broker, "--dir", c.path("broker"))
		if _, err := c.outside.Start(); err != nil {
			return err
		}
		if err := c.outside.WaitFor(ctx, func() bool { return answers(ctx, c.broker) }); err != nil {
			return err
		}
	}
	c.collector = c.program("collect", args...)
	if _, err := c.collector.Start(); err != nil {
		return err
	}
	return c.collector.WaitFor(ctx, func() bool { return answers(ctx, c.broker) && answers(ctx, c.desk) })
}

// answers reports whether an address accepts a connection.
func answers(ctx context.Context, address string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// await calls is every 20 ms until it returns true, for the time within at most. It reports
// whether is has returned true.
func await(ctx context.Context, within time.Duration, is func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for !is() {
		if !retry.Sleep(ctx, 20*time.Millisecond) {
			return false
		}
	}
	return true
}

// scheme is that of the broker's and the desk's address.
func (c *county) scheme() (broker, desk string) {
	if c.where == own {
		return "ssl", "https"
	}
	return "tcp", "http"
}

// first returns the first of texts that is not empty.
func first(texts ...string) string { return cmp.Or(texts...) }
