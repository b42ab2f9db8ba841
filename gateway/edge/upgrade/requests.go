package upgrade

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/repository"
	"gatehouse/gateway/wire"
)

// Place is where a running agent finds what it needs to ask for upgrades of its computer. In
// the zero value there is nothing: the agent asks for none.
type Place struct {
	Dir      string // root's: the state of the last upgrade
	AgentDir string // the agent's: its request comes here
	Config   string // root's: from where is upgraded, and by whose key
	Packages string // dpkg's list of what is installed
	Wants    string // what is there when systemd waits for requests
	Program  string // as the package installs it
	Running  string // this program; another one than Program was not installed as a package
	Alive    string // file in which the agent says how it does; empty: none
}

// Here returns the place of this computer. alive is the file in which the agent says how it
// does, or empty.
func Here(alive string) Place {
	self, err := os.Executable()
	if err != nil {
		self = "" // it was not installed as a package, as far as is known
	}
	return Place{Dir: Dir, AgentDir: AgentDir, Config: DefaultConfig, Packages: "/var/lib/dpkg/status",
		Wants:   "/etc/systemd/system/multi-user.target.wants/gatehouse-upgrade.path",
		Program: "/usr/bin/gatehouse", Running: self, Alive: alive}
}

// lookEvery is how often is looked whether the computer can be upgraded.
const lookEvery = time.Minute

// Requests are what the county asks an agent's computer for. The methods may be called from
// any goroutine.
type Requests struct {
	place Place

	mu        sync.Mutex
	looked    time.Time
	installed string // version of the package; empty: none is
	lacks     fact.CommandWhy
	detail    string // of lacks
}

// NewRequests returns the requests of a place; nil where there is nothing.
func NewRequests(p Place) *Requests {
	if p.AgentDir == "" {
		return nil
	}
	return &Requests{place: p}
}

// look finds out at now whether the computer can be upgraded; mu is held.
func (r *Requests) look(now time.Time) {
	r.looked, r.lacks, r.detail = now, "", ""
	var err error
	if r.installed, err = installed(r.place.Packages); err != nil || r.place.Running != r.place.Program {
		r.lacks, r.installed = fact.CommandNoPackage, ""
		return
	}
	if _, err := Load(r.place.Config); err != nil {
		r.lacks, r.detail = fact.CommandNoKey, err.Error()
		return
	}
	if _, err := os.Lstat(r.place.Wants); err != nil {
		r.lacks = fact.CommandNoService
	}
}

// Ask asks for a version of the packages, for the command with an id. Where it returns a
// reason nothing was asked for.
func (r *Requests) Ask(now time.Time, id, version string) (why fact.CommandWhy, detail string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.look(now)
	if r.lacks != "" {
		return r.lacks, r.detail
	}
	if err := repository.CheckVersion(version); err != nil {
		return fact.CommandVersion, err.Error()
	}
	s, ok, err := Read(r.place.Dir)
	switch c := repository.Compare(version, r.installed); {
	case err != nil:
		return fact.CommandUpgrading, err.Error() // how far the last one came is not known
	case ok && !s.Phase.Ended(), r.waits():
		return fact.CommandUpgrading, ""
	case c == 0:
		return fact.CommandSame, ""
	case c < 0:
		return fact.CommandEarlier, version + " < " + r.installed
	}
	if err := Ask(r.place.AgentDir, Request{ID: id, Version: version}); err != nil {
		return fact.CommandDisk, err.Error()
	}
	return "", ""
}

// waits reports whether a request was not taken yet.
func (r *Requests) waits() bool {
	_, err := os.Lstat(filepath.Join(r.place.AgentDir, requestFile))
	return err == nil
}

// Report returns how the computer stands to upgrades.
func (r *Requests) Report(now time.Time) wire.Upgrade {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.looked).Abs() >= lookEvery {
		r.look(now)
	}
	u := wire.Upgrade{Package: r.installed, Lacks: r.lacks}
	if q, at, ok := r.asked(); ok {
		u.ID, u.From, u.To, u.State, u.At = q.ID, r.installed, q.Version, fact.UpgradeAsked, new(wire.At(at))
		return u
	}
	if s, ok, err := Read(r.place.Dir); err == nil && ok {
		u.ID, u.From, u.To, u.State, u.At = s.ID, s.From, s.To, fact.UpgradeState(s.Phase), new(wire.At(s.Changed))
		u.Why = wire.OneLine(s.Why)
	}
	return u
}

// asked returns the request that was not taken yet, and when it was made.
func (r *Requests) asked() (q Request, at time.Time, ok bool) {
	f, err := os.OpenFile(filepath.Join(r.place.AgentDir, requestFile), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return q, at, false
	}
	defer f.Close()
	q, err = decodeRequest(f)
	info, err2 := f.Stat()
	if err != nil || err2 != nil {
		return q, at, false
	}
	return q, info.ModTime(), true
}

// installed returns the version of the package gatehouse in dpkg's list, which has a
// paragraph for each package. The error wraps fs.ErrNotExist when there is none.
func installed(list string) (string, error) {
	f, err := os.Open(list)
	if err != nil {
		return "", err
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, 64<<10)
	in, whole, version := false, false, ""
	for {
		line, err := lines.ReadString('\n')
		line = strings.TrimRight(line, "\n")
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "":
			if in && whole && version != "" {
				return version, nil
			}
			in, whole, version = false, false, ""
		case name == "Package":
			in = value == "gatehouse"
		case name == "Status":
			whole = strings.HasPrefix(value, "install ") && !strings.HasSuffix(value, " not-installed")
		case name == "Version":
			version = value
		}
		if errors.Is(err, io.EOF) && line == "" {
			return "", fmt.Errorf("the package gatehouse: %w", fs.ErrNotExist)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
	}
}
