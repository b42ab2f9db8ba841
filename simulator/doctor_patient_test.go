package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/doctor"
	"gatehouse/gateway/doctor/host"
)

// patient is the real computer, but for what a test says about it. The programs of the rig
// run in this process, whose name is not gatehouse, and the test's folder may be in memory.
type patient struct {
	host.Host

	unit            doctor.Unit
	service         bool // the configuration is that of a service
	greedy          []string
	screens, sounds int
	memory          uint64
	sync            time.Duration
	disk            string // folder whose file system counts as it is
}

// healthy is a computer of which nothing is to be said.
func healthy() patient {
	return patient{Host: host.Host{Clock: shift{0, true}, Zone: time.FixedZone("CST", 8*3600)},
		unit: doctor.Unit{Enabled: "enabled", Active: "active"}, screens: 1, sounds: 1, memory: 1 << 30}
}

func (p patient) Unit(context.Context, string) (doctor.Unit, error) { return p.unit, nil }
func (p patient) OfService(string) bool                             { return p.service }
func (p patient) Running(...string) []string                        { return p.greedy }
func (p patient) Sounds() (int, error)                              { return p.sounds, nil }
func (p patient) Memory() (free, all uint64, err error)             { return p.memory, 2 << 30, nil }
func (p patient) Found(...string) string                            { return "/usr/bin/chromium" }

// Screens returns an error, as of a computer without graphics, when screens is negative.
func (p patient) Screens() (int, error) {
	if p.screens < 0 {
		return 0, errors.New("no graphics")
	}
	return p.screens, nil
}

func (p patient) Sync(ctx context.Context, path string) (time.Duration, error) {
	took, err := p.Host.Sync(ctx, path)
	if err == nil {
		took = p.sync // this machine's disk may be busy
	}
	return took, err
}

func (p patient) FileSystem(path string) (string, error) {
	warning, err := p.Host.FileSystem(path)
	if p.disk == "" || !strings.HasPrefix(path, p.disk) {
		warning = ""
	}
	return warning, err
}

func (p patient) Room(path string) (doctor.Room, error) {
	r, err := p.Host.Room(path)
	if p.disk == "" || !strings.HasPrefix(path, p.disk) {
		r.Free, r.FreeFiles = r.Total, r.Files
	}
	return r, err
}

// me is the name of this process's program, as the kernel shortens it.
func me() string {
	name := filepath.Base(os.Args[0])
	return name[:min(len(name), 15)]
}

func (p patient) Holder(address string) (doctor.Holder, bool, error) {
	h, taken, err := p.Host.Holder(address)
	if h.Program == me() {
		h.Program = "gatehouse"
	}
	return h, taken, err
}

func (p patient) Open(d doctor.Device) error {
	err := p.Host.Open(d)
	const same = "in use by another device of this gate" // the agent of the rig is in this process
	if err != nil && strings.Contains(err.Error(), same) {
		return errors.New(strings.Replace(err.Error(), same, "in use by gatehouse", 1))
	}
	return err
}

// shift is a clock that stands apart from the computer's.
type shift struct {
	by     time.Duration
	synced bool
}

func (s shift) Now() clock.Moment  { return clock.System{}.Now().Add(s.by) }
func (s shift) Synchronised() bool { return s.synced }
