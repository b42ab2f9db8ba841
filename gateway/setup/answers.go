// Package setup turns answers to a few questions into the files of a county's collector: a
// configuration with comments, the sites file, what gates get when they are enrolled, and
// the certificates of its servers. It decides; Write writes.
package setup

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
)

// Answers are what somebody has answered, in a terminal, on the first page or in a file.
// What is empty has a default. Relative paths are of the file's own folder.
type Answers struct {
	County   string `yaml:"county"              json:"county"`              // id, like qinghe
	Name     string `yaml:"name,omitempty"      json:"name,omitempty"`      // for people; default: of the sites file
	Address  string `yaml:"address,omitempty"   json:"address,omitempty"`   // of this computer; empty: itself only
	TLS      TLS    `yaml:"tls,omitempty"       json:"tls,omitzero"`        // where the certificates come from
	Sites    string `yaml:"sites,omitempty"     json:"sites,omitempty"`     // path; empty: begin with one gate
	TimeZone string `yaml:"time_zone,omitempty" json:"time_zone,omitempty"` // default Asia/Shanghai
	Influx   Influx `yaml:"influx,omitempty"    json:"influx,omitzero"`     // empty: SQLite
	Broker   string `yaml:"broker,omitempty"    json:"broker,omitempty"`    // URL of another broker; empty: the own one
	Ports    Ports  `yaml:"ports,omitempty"     json:"ports,omitzero"`      //
	Gates    Gates  `yaml:"gates,omitempty"     json:"gates,omitzero"`      // what gates get
}

// TLS says how the desk and the broker are protected.
type TLS struct {
	Mode Mode   `yaml:"mode,omitempty" json:"mode,omitempty"` // default: made, or none without an address
	Cert string `yaml:"cert,omitempty" json:"cert,omitempty"` // own: path of the certificate, with its chain
	Key  string `yaml:"key,omitempty"  json:"key,omitempty"`  // own: path of its key
	CA   string `yaml:"ca,omitempty"   json:"ca,omitempty"`   // own: of its authority, if gates don't know it
}

// Mode is where the servers' certificates come from.
type Mode string

// The modes.
const (
	Made  Mode = "made"  // by an authority that set-up makes for this computer
	Own   Mode = "own"   // the county has one
	Proxy Mode = "proxy" // a web server on this computer does the desk's TLS; the broker's is made
	None  Mode = "none"  // everything stays on this computer
)

// Modes returns all modes.
func Modes() []Mode { return []Mode{Made, Own, Proxy, None} }

// Influx is an InfluxDB for telemetry.
type Influx struct {
	URL       string `yaml:"url,omitempty"        json:"url,omitempty"`
	Org       string `yaml:"org,omitempty"        json:"org,omitempty"`        // InfluxDB 2.x
	Bucket    string `yaml:"bucket,omitempty"     json:"bucket,omitempty"`     // 1.8: database/retention-policy
	TokenFile string `yaml:"token_file,omitempty" json:"token_file,omitempty"` // path
}

// Ports are the ports of the servers.
type Ports struct {
	Desk   int `yaml:"desk,omitempty"   json:"desk,omitempty"`   // default 8443 with TLS, else 8080
	Broker int `yaml:"broker,omitempty" json:"broker,omitempty"` // default 8883 with TLS, else 1883
}

// Gates are files of which the folder default of enrol is made; empty: set-up's own.
type Gates struct {
	URLs     []string `yaml:"urls,omitempty"     json:"urls,omitempty"` // of the desk for gates; default: of address
	Policy   string   `yaml:"policy,omitempty"   json:"policy,omitempty"`
	Devices  string   `yaml:"devices,omitempty"  json:"devices,omitempty"`
	Roster   string   `yaml:"roster,omitempty"   json:"roster,omitempty"`
	Contacts string   `yaml:"contacts,omitempty" json:"contacts,omitempty"`
}

// Mode returns where the certificates come from.
func (a Answers) Mode() Mode {
	if a.Address == "" {
		return cmp.Or(a.TLS.Mode, None)
	}
	return cmp.Or(a.TLS.Mode, Made)
}

// Open reports whether others than this computer reach the desk directly.
func (a Answers) open() bool { return a.Mode() == Made || a.Mode() == Own }

// Paths returns all paths in the answers.
func (a *Answers) Paths() []*string {
	return []*string{
		&a.TLS.Cert,
		&a.TLS.Key,
		&a.TLS.CA,
		&a.Sites,
		&a.Influx.TokenFile,
		&a.Gates.Policy,
		&a.Gates.Devices,
		&a.Gates.Roster,
		&a.Gates.Contacts,
	}
}

func (a Answers) deskPort() int {
	if a.open() {
		return cmp.Or(a.Ports.Desk, 8443)
	}
	return cmp.Or(a.Ports.Desk, 8080)
}

func (a Answers) brokerPort() int {
	if a.Mode() == None {
		return cmp.Or(a.Ports.Broker, 1883)
	}
	return cmp.Or(a.Ports.Broker, 8883)
}

// Desk returns the address of the desk in browsers.
func (a Answers) Desk() string {
	port := fmt.Sprint(a.deskPort())
	switch a.Mode() {
	case None:
		return "http://" + net.JoinHostPort("127.0.0.1", port)
	case Proxy:
		return "https://" + hostOf(a.Address)
	default:
		return "https://" + net.JoinHostPort(a.Address, port)
	}
}

// DeskAddress returns where the desk is reached, as host:port.
func (a Answers) DeskAddress() string { return net.JoinHostPort(a.Address, fmt.Sprint(a.deskPort())) }

// Listens returns the addresses on which desk and broker listen.
func (a Answers) Listens() []string {
	at := func(open bool, port int) string {
		if open {
			return net.JoinHostPort("0.0.0.0", fmt.Sprint(port))
		}
		return net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	}
	out := []string{at(a.open(), a.deskPort())}
	if a.Broker == "" {
		out = append(out, at(a.Mode() != None, a.brokerPort()))
	}
	return out
}

// hostOf returns an address as it stands in a URL.
func hostOf(address string) string {
	if at, err := netip.ParseAddr(address); err == nil && at.Is6() {
		return "[" + address + "]"
	}
	return address
}
