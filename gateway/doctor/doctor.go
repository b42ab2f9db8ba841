// Package doctor looks for what is wrong around a collector or a gate: its computer, its
// folders, its network, its devices, its services. Each finding says what is wrong, why it
// matters, and what to type. The checks are pure: what they ask the computer goes through a
// Probe, and what only other packages can try is a Trial.
package doctor

import (
	"cmp"
	"context"
	"crypto/x509"
	"io/fs"
	"slices"
	"time"
)

// Verdict is what a finding says.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Warn    Verdict = "warn"    // it works, and may not for long
	Fail    Verdict = "fail"    // something does not work
	Unknown Verdict = "unknown" // it can't be seen here
)

// Text is said to people.
type Text struct{ ZH, EN string }

// In returns the text in Chinese or English.
func (t Text) In(chinese bool) string {
	if chinese {
		return cmp.Or(t.ZH, t.EN)
	}
	return t.EN
}

// Finding is what one check has found about one thing.
type Finding struct {
	Check   string // like disk.room
	On      string // the folder, address, device or file
	Verdict Verdict
	What    Text
	Why     Text // why it matters; empty when it is ok
	Cure    Text // what to do, with the command
}

// Subject is what is to be looked at, as the configuration says.
type Subject struct {
	Owner        string // the account that the service runs as; empty: not known
	Zone         string // time zone of the county
	Keeps        []string
	Listens      []Listen
	Certificates []Certificate
	Servers      []Server
	Names        []string // names that must lead to this computer
	Desks        []string // addresses of the desk, from a gate
	Devices      []Device
	Kiosk        bool // a guard's screen belongs to it
	Units        []string
	Trials       []Trial
}

// Listen is an address on which a part of the program listens.
type Listen struct{ What, Address string }

// Certificate is one in a file that this computer serves or shows.
type Certificate struct {
	What, Path string
	Names      []string // for which it must be; empty: any
	Renews     bool     // the program renews it by itself
}

// Server is a TLS server elsewhere.
type Server struct{ What, Address string }

// Device is hardware of a gate.
type Device struct {
	Name, Port string
	Kind       DeviceKind
	Baud       int
}

// DeviceKind is how a device is connected.
type DeviceKind string

// The kinds.
const (
	Serial DeviceKind = "serial"
	I2C    DeviceKind = "i2c"
	GPIO   DeviceKind = "gpio"
)

// Trial tries something that only another package can. Try returns what is found, and an
// error whose text says what to do, unless Cure does.
type Trial struct {
	Check, On string
	Why, Cure Text
	Try       func(ctx context.Context) (good Text, warning error, err error)
}

// Folder is what a folder is.
type Folder struct {
	Owner     string // name of the account
	Mode      fs.FileMode
	Strangers []string // files in it that belong to another account
}

// Room is how much a disk holds.
type Room struct{ Free, Total, FreeFiles, Files uint64 }

// Holder is who listens on an address.
type Holder struct {
	Program string // empty: it can't be seen
	PID     int
}

// Unit is a service of systemd.
type Unit struct {
	Enabled, Active string // as systemctl says it
}

// Probe asks the computer.
type Probe interface {
	Now() time.Time
	Synchronised() bool
	HostZone() *time.Location
	HostName() string
	Folder(path string) (Folder, error)
	FileSystem(path string) (warning string, err error)
	Room(path string) (Room, error)
	Sync(ctx context.Context, path string) (time.Duration, error) // of one small write with fsync
	Memory() (available, total uint64, err error)                 // bytes
	Holder(address string) (h Holder, taken bool, err error)
	Certificate(path string) (*x509.Certificate, error)
	Served(ctx context.Context, address string) (*x509.Certificate, error)
	Here(ctx context.Context, name string) (bool, error) // whether a name leads to this computer
	Date(ctx context.Context, url string) (time.Time, error)
	Open(d Device) error
	Running(programs ...string) []string
	Found(programs ...string) string // path of the first that is installed
	Screens() (connected int, err error)
	Sounds() (cards int, err error)
	Unit(ctx context.Context, name string) (Unit, error)
}

// exam is one run.
type exam struct {
	Subject
	p   Probe
	all []Finding
}

func (e *exam) add(f Finding) { e.all = append(e.all, f) }

// good adds a finding that something is all right.
func (e *exam) good(check, on, zh, en string) {
	e.add(Finding{Check: check, On: on, Verdict: OK, What: Text{zh, en}})
}

// unseen adds a finding that something can't be seen here.
func (e *exam) unseen(check, on string, err error) {
	e.add(Finding{Check: check, On: on, Verdict: Unknown, What: Text{"看不到: " + err.Error(),
		"can't be seen: " + err.Error()},
		Why:  Text{"不知道就不能说没问题", "what is not known may be wrong"},
		Cure: Text{"用 root 再查一次: sudo gatehouse doctor", "look again as root: sudo gatehouse doctor"}})
}

// Examine looks at everything, and returns the findings in a fixed order. It may take some
// seconds, and ends early with ctx.
func Examine(ctx context.Context, s Subject, p Probe) []Finding {
	e := &exam{Subject: s, p: p}
	for _, check := range []func(context.Context){
		e.trials, e.clock, e.county, e.folders, e.disks, e.memory, e.ports, e.certificates, e.served, e.names,
		e.devices, e.greedy, e.kiosk, e.units,
	} {
		if ctx.Err() == nil {
			check(ctx)
		}
	}
	return e.all
}

// Try makes the trials of a subject only.
func Try(ctx context.Context, s Subject) []Finding {
	e := &exam{Subject: s}
	e.trials(ctx)
	return e.all
}

// Worst returns the gravest verdict: fail before warn before unknown before ok.
func Worst(all []Finding) Verdict {
	order := []Verdict{OK, Unknown, Warn, Fail}
	worst := 0
	for _, f := range all {
		worst = max(worst, slices.Index(order, f.Verdict))
	}
	return order[worst]
}

func (e *exam) trials(ctx context.Context) {
	for _, t := range e.Trials {
		good, warning, err := t.Try(ctx)
		f := Finding{Check: t.Check, On: t.On, Verdict: OK, What: good}
		if bad := cmp.Or(err, warning); bad != nil {
			f.Verdict, f.What, f.Why, f.Cure = Warn, Text{EN: bad.Error()}, t.Why, t.Cure
		}
		if err != nil {
			f.Verdict = Fail
		}
		e.add(f)
	}
}
