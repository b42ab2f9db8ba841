package county

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/help"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/retry"
)

// Standalone selects the gate whose agent runs as a process of its own, as in
// production, with the guard's screen, so that it can be killed.
type Standalone struct {
	Gate    string // its id; empty: none
	Program string // path of gatehouse
	Kiosk   string // address of its screen
}

// restartAfter is how long after its end a standalone agent is started again.
const restartAfter = 30 * time.Second

// program runs one agent as a process.
type program struct {
	argv    []string
	logFile string
	pidFile string
	log     *slog.Logger

	mu  sync.Mutex
	cmd *exec.Cmd
}

// newProgram writes the agent's configuration, with the serial devices only:
// outputs and I²C of a simulated gate are inside this process.
func newProgram(s Standalone, dir string, cfg agent.Config, log *slog.Logger) (*program, error) {
	var serial []station.Device
	for _, d := range cfg.Station.Devices {
		m, err := devices.Find(d.Model)
		if err != nil {
			return nil, err
		}
		if m.Kind == devices.KindOutputs || m.Kind == devices.KindDisplay {
			continue
		}
		if m.Bus != "UART" {
			return nil, fmt.Errorf("%s is not serial: choose another gate to run standalone", d.Model)
		}
		serial = append(serial, d)
	}
	cfg.Station.Devices = serial
	for _, p := range []*string{&cfg.Dir, &cfg.CollectorKey, &cfg.SiteKey, &cfg.Policy, &cfg.Roster} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return nil, err
		}
		*p = abs
	}
	b, err := config.Write(cfg)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "agent.yaml")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return nil, err
	}
	return &program{
		argv:    []string{s.Program, "agent", "--config", file},
		logFile: filepath.Join(dir, "agent.log"),
		pidFile: filepath.Join(dir, "agent.pid"),
		log:     log,
	}, nil
}

// Run runs the process until ctx is done, and starts it again when it has ended
// before.
func (p *program) Run(ctx context.Context) error {
	for {
		cmd, err := p.start(ctx)
		if err != nil {
			return err
		}
		err = cmd.Wait()
		if ctx.Err() != nil {
			return nil //nolint:nilerr // ended by ctx
		}
		p.log.Warn("the standalone agent has ended", "err", err, "restart in", restartAfter)
		if !retry.Sleep(ctx, restartAfter) {
			return nil
		}
	}
}

func (p *program) start(ctx context.Context) (*exec.Cmd, error) {
	log, err := os.OpenFile(p.logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own descriptor
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s (run make build first): %w", p.argv[0], err)
	}
	p.mu.Lock()
	p.cmd = cmd
	p.mu.Unlock()
	return cmd, os.WriteFile(p.pidFile, []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o600)
}

// kill kills the process with SIGKILL.
func (p *program) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Kill() // it may have ended already
	}
}

// contacts are offices that nobody has: the numbers are in no use.
func contacts() []help.Contact {
	return []help.Contact{
		{Role: fact.RoleDoctor, Phone: "0000 000 1120"},
		{Role: fact.RoleGrid, Phone: "0000 000 1130"},
		{Role: fact.RoleCommunity, Phone: "0000 000 1140"},
		{Role: fact.RoleCounty, Phone: "0000 000 1100"},
		{Role: fact.RoleIT, Phone: "0000 000 1150"},
	}
}
