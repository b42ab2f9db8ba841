package influxd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	startTimeout = 2 * time.Minute
	// attempts is how often a server is started: another program may take the port
	// before the server does.
	attempts = 3
)

// Server is a running server.
type Server struct {
	URL    string
	dir    string // empty: it was not started by Start
	cmd    *exec.Cmd
	output bytes.Buffer
	exited chan struct{} // closed when the process has ended
}

// Start starts a server that keeps its files below dir, and creates the database
// in it. The server also ends when this process does.
func Start(ctx context.Context, dir string) (*Server, error) {
	program, err := Find()
	if err != nil {
		return nil, err
	}
	for i := range attempts {
		var s *Server
		if s, err = start(ctx, program, filepath.Join(dir, strconv.Itoa(i))); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func start(ctx context.Context, program, dir string) (*Server, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	conf, url, err := Configure(ctx, dir)
	if err != nil {
		return nil, err
	}
	s, err := Run(ctx, url, []string{program, "run", "-config", conf},
		func(ctx context.Context) error { return CreateDatabase(ctx, url) })
	if err == nil {
		s.dir = dir
	}
	return s, err
}

// Run starts the server at url with the command line argv and waits until setUp
// returns, which must wait until the server answers.
func Run(ctx context.Context, url string, argv []string, setUp func(context.Context) error) (*Server, error) {
	s := &Server{URL: url, cmd: exec.Command(argv[0], argv[1:]...), exited: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	go func() {
		defer close(s.exited)
		_ = s.cmd.Wait() // why it ended is in its output
		cancel()
	}()
	if err := setUp(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("start influxd: %w; its output:\n%s", err, s.output.Bytes())
	}
	return s, nil
}

// Close kills the server.
func (s *Server) Close() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}
