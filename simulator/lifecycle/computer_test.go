//go:build cleanroot

package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/simulator/cleanroot"
)

// patience is how long a test waits for what must come.
const patience = 90 * time.Second

// computer is a clean Debian on which packages are installed and services run.
type computer struct {
	*cleanroot.Root
	t      *testing.T
	name   string
	before map[string]string // its files before anything was installed
	runs   []string          // instead of /usr/bin/gatehouse, when it is not nil
}

func newComputer(t *testing.T, name string) *computer {
	t.Helper()
	root, err := cleanroot.Unpack(t.Context(), "../../.tools", filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	before, err := root.Files()
	if err != nil {
		t.Fatal(err)
	}
	return &computer{Root: root, t: t, name: name, before: before}
}

// run runs a program to its end and returns what it printed.
func (c *computer) run(user, program string, args ...string) string {
	c.t.Helper()
	out, err := c.Run(c.t.Context(), user, program, args...)
	if err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
	return out
}

// install installs a package over what there is.
func (c *computer) install(deb string) {
	c.t.Helper()
	if err := c.Install(c.t.Context(), deb); err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
}

// write writes a file for the services, which only owner and group may read.
func (c *computer) write(name, owner, text string) {
	c.t.Helper()
	if err := os.MkdirAll(filepath.Dir(c.Path(name)), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(c.Path(name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.run("root", "chmod", "640", name)
	if owner == "gatehouse" {
		c.run("root", "chmod", "600", name)
	}
	c.run("root", "chown", owner+":gatehouse", name)
}

// service is a unit whose ExecStart runs under its user, as systemd would start it.
type service struct {
	t    *testing.T
	unit string
	cmd  *exec.Cmd
	log  *os.File
	done chan error
}

// start starts a unit by what its file says. more are further arguments.
func (c *computer) start(unit string, more ...string) *service {
	c.t.Helper()
	u, err := readUnit(c.Root, unit)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.runs != nil {
		u.argv = append(slices.Clone(c.runs), u.argv[1:]...)
	}
	log, err := os.CreateTemp(c.t.TempDir(), unit)
	if err != nil {
		c.t.Fatal(err)
	}
	argv := append([]string{"-c", `umask 0077; exec "$@"`, "sh"}, append(u.argv, more...)...)
	// Not ended with the test's context: the clean-up ends it, and waits.
	s := &service{t: c.t, unit: unit, log: log, done: make(chan error, 1),
		cmd: c.Command(context.WithoutCancel(c.t.Context()), u.user, "sh", argv...)}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() { s.done <- s.cmd.Wait() }()
	c.t.Cleanup(func() { s.end(); log.Close() })
	return s
}

// end ends the service as systemd does, and returns its error.
func (s *service) end() error {
	s.t.Helper()
	if s.done == nil {
		return nil
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case err := <-s.done:
		s.done = nil
		return err
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		s.t.Errorf("%s did not end:\n%s", s.unit, s.printed())
		<-s.done
		s.done = nil
		return errors.New("killed")
	}
}

// stop ends the service; that must go well.
func (s *service) stop() {
	s.t.Helper()
	if err := s.end(); err != nil {
		s.t.Errorf("%s ended with %v:\n%s", s.unit, err, s.printed())
	}
}

func (s *service) printed() string {
	b, _ := os.ReadFile(s.log.Name()) // it is for a message
	return string(b)
}

// unit is what a unit's file says of its program.
type unit struct {
	user string
	argv []string
}

// readUnit reads a unit, and the file of its EnvironmentFile.
func readUnit(root *cleanroot.Root, name string) (u unit, err error) {
	text, err := os.ReadFile(root.Path("usr/lib/systemd/system/" + name + ".service"))
	if err != nil {
		return u, fmt.Errorf("read the unit: %w", err)
	}
	env, exec := map[string]string{}, ""
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "User":
			u.user = value
		case "ExecStart":
			exec = value
		case "Environment":
			k, v, _ := strings.Cut(value, "=")
			env[k] = v
		case "EnvironmentFile":
			more, err := os.ReadFile(root.Path(strings.TrimPrefix(value, "-")))
			if err != nil {
				return u, fmt.Errorf("read what the unit names: %w", err)
			}
			for line := range bytes.Lines(more) {
				if k, v, ok := strings.Cut(string(bytes.TrimSpace(line)), "="); ok && !strings.HasPrefix(k, "#") {
					env[k] = v
				}
			}
		}
	}
	for word := range strings.FieldsSeq(exec) {
		u.argv = append(u.argv, os.Expand(word, func(k string) string { return env[k] }))
	}
	if u.user == "" || len(u.argv) == 0 {
		return u, fmt.Errorf("%s: user %q, program %q", name, u.user, exec)
	}
	return u, nil
}

// purged checks that nothing of the packages runs or is left.
func (c *computer) purged() {
	c.t.Helper()
	after, err := c.Files()
	if err != nil {
		c.t.Fatal(err)
	}
	for name, is := range after {
		if was, ok := c.before[name]; !ok {
			c.t.Errorf("%s: %s is left (%s)", c.name, name, is)
		} else if was != is {
			c.t.Errorf("%s: %s is %s, was %s", c.name, name, is, was)
		}
	}
	for name := range c.before {
		if _, ok := after[name]; !ok {
			c.t.Errorf("%s: %s is gone", c.name, name)
		}
	}
	for _, name := range []string{"etc/passwd", "etc/group"} {
		text, err := os.ReadFile(c.Path(name))
		if err != nil || bytes.Contains(text, []byte("gatehouse")) {
			c.t.Errorf("%s: %s: %v: %s", c.name, name, err, text)
		}
	}
	if pids, err := c.Processes(); err != nil || len(pids) > 0 {
		c.t.Errorf("%s: processes %v, %v", c.name, pids, err)
	}
}

// await waits until done, or fails with what the services have printed.
func await(t *testing.T, what string, services []*service, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			for _, s := range services {
				t.Logf("%s: %s", s.unit, s.printed())
			}
			t.Fatalf("%s did not come", what)
		}
	}
}
