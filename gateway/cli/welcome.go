package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	"gatehouse/devices/port"
	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/retire"
	"gatehouse/gateway/edge/welcome"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/proxied"
	"gatehouse/gateway/web"
)

// firstScreen is where the first page is served, and where agents of the county's
// examples serve the guard's screen.
const firstScreen = "127.0.0.1:8090"

// scannerBaud is of scanners as they are delivered.
const scannerBaud = 9600

// welcome serves the first page until this computer has a configuration. It returns at
// once when there is one.
func (f *agentFlags) welcome(ctx context.Context, log *slog.Logger, s *gateService) error {
	if _, err := os.Stat(f.file); !errors.Is(err, os.ErrNotExist) {
		return nil // what is wrong with it is said when it is read
	}
	address := f.screen
	if address == "" {
		address = firstScreen
	}
	switch {
	case filepath.Base(f.file) != enrolment.AgentFile:
		return usageError{fmt.Errorf("--enrol writes %s: give --config a path that ends so", enrolment.AgentFile)}
	case !web.Loopback(address):
		return usageError{fmt.Errorf("--kiosk %s: the first page has no password, and is for this computer only: "+
			"give an address such as %s", address, firstScreen)}
	}
	if err := proxied.Check(f.first.proxy); err != nil {
		return usageError{err}
	}
	if err := checkTPM(f.first.tpm); err != nil {
		return err
	}
	if was, err := retire.Tidy(f.file); err != nil {
		return err
	} else if was != "" {
		log.Info("the gate of this computer was taken out of service for good", "agent", was)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("serve the first page: %w", web.Unheard(address, err))
	}
	w := welcome.New(welcome.Options{Dir: filepath.Dir(f.file), Proxy: f.first.proxy, Check: checkEnrolled,
		Screen: f.nextScreen, TPM: f.first.tpm, Log: log})
	ctx, cancel := context.WithCancel(ctx)
	var scanning sync.WaitGroup
	defer scanning.Wait()
	defer cancel()
	if f.first.scanner != "" {
		p, err := port.NewHost().Serial(f.first.scanner, scannerBaud)
		if err != nil {
			return errors.Join(fmt.Errorf("open the scanner: %w", err), l.Close())
		}
		defer p.Close()
		scanning.Go(func() { w.Scan(ctx, p) })
	}
	url := "http://" + l.Addr().String()
	log.Info("this computer is no gate yet: scan or type the county's code", "url", url, "file", f.file)
	s.first.Store(&url)
	defer s.first.Store(nil)
	return w.Serve(ctx, l)
}

// nextScreen returns the address of the gate's own screen; empty: it has none.
func (f *agentFlags) nextScreen() string {
	at := f.screen
	if cfg, err := config.Load[agent.Config](f.file); err == nil && at == "" {
		at = cfg.Kiosk.Listen
	}
	if at == "" {
		return ""
	}
	return "http://" + at + "/"
}
