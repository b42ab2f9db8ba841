package setup

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/site"
)

// Place is where the files go.
type Place struct {
	Dir  string // of the configuration: /etc/gatehouse
	Data string // of what the services keep: /var/lib/gatehouse
	Host string // this computer's name
}

// Names of files and folders of a configuration.
const (
	ConfigFile = "collect.yaml"
	sitesFile  = "sites.yaml"
	enrolDir   = "enrol"
	tlsDir     = "tls"
	tokenFile  = "influx.token"
)

// File is a file to write.
type File struct {
	Name   string // relative to the folder of the configuration, with slashes
	Text   []byte
	Secret bool // for the service alone (0600), else for its group, too (0640)
	Root   bool // for root alone: the service does not need it
	Keep   bool // people change it: one that is there stays
}

// Reader reads files that the answers name, and those of the folder of the configuration
// that are there already.
type Reader struct {
	Open   func(path string) ([]byte, error)
	Secret func(path string) ([]byte, error) // keys, tokens and lists of people
}

func (r Reader) by(secret bool) func(string) ([]byte, error) {
	if secret {
		return r.Secret
	}
	return r.Open
}

// Plan returns the files of the answers, the configuration last.
func Plan(a Answers, p Place, now time.Time, read Reader) ([]File, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	var files []File
	for _, part := range []func(Answers, Place, time.Time, Reader) ([]File, error){
		sites, certificates, store, gates,
	} {
		more, err := part(a, p, now, read)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	if a.Name == "" {
		a.Name = nameIn(files, a.County)
	}
	return append(files, File{Name: ConfigFile, Text: text(a, p, now)}), nil
}

// nameIn returns the county's name in the sites file that is to be written.
func nameIn(files []File, county string) string {
	for _, f := range files {
		if f.Name == sitesFile {
			if c, err := site.Parse(f.Text); err == nil && c.Name != "" {
				return c.Name
			}
		}
	}
	return county
}

func sites(a Answers, _ Place, _ time.Time, read Reader) ([]File, error) {
	if a.Sites == "" {
		return []File{{Name: sitesFile, Text: firstSites(a), Keep: true}}, nil
	}
	b, err := read.Open(a.Sites)
	if err != nil {
		return nil, fmt.Errorf("sites: %w", err)
	}
	_, text, faults := Sites(a.Sites, b, a.County, a.Name)
	if len(faults) > 0 {
		return nil, fmt.Errorf("sites: %s:%d: %s", a.Sites, faults[0].Line, faults[0].Text)
	}
	return []File{{Name: sitesFile, Text: text}}, nil
}

// firstSites returns a sites file of one gate, with which a county begins.
func firstSites(a Answers) []byte {
	name := a.Name
	if name == "" {
		name = a.County
	}
	return fmt.Appendf(
		nil,
		`# 县、社区、网格、小区和门岗。gatehouse collect 读这个文件；改后 systemctl restart gatehouse-collect。
# The county and its gates. Ids appear in the store, names on screens; a gate's id is that of its agent.
# A polygon: points [longitude, latitude] in WGS-84; leave it away if it is not known.
county: %s
name: %q
crs: WGS-84
communities:
  - id: community-1
    name: 第一社区
    grids:
      - id: grid-01
        name: 第一网格
        compounds:
          - id: compound-001
            name: 第一小区
            gates: [gate-001]
`,
		a.County,
		name,
	)
}

func certificates(a Answers, p Place, now time.Time, read Reader) ([]File, error) {
	switch a.Mode() {
	case None:
		return nil, nil
	case Own:
		return ownPair(a, read)
	case Made, Proxy:
	}
	dir := filepath.Join(p.Dir, tlsDir)
	by := Pair{}
	var err error
	switch by.Cert, err = read.Open(filepath.Join(dir, "ca.crt")); {
	case errors.Is(err, fs.ErrNotExist):
		if by, err = NewAuthority(a.County, now); err != nil {
			return nil, err
		}
	case err == nil:
		by.Key, err = read.Secret(filepath.Join(dir, "ca.key"))
	}
	if err != nil { // gates and browsers trust this one, and would not trust another
		return nil, fmt.Errorf("the servers' authority: %w: mend that, bring ca.key back, or remove %s for a new "+
			"authority, which gates and browsers have to be given", err, dir)
	}
	names := slices.Compact([]string{a.Address, p.Host, "localhost", "127.0.0.1", "::1"})
	server, err := NewServer(by, names, now)
	if err != nil {
		return nil, err
	}
	return []File{
		{Name: path.Join(tlsDir, "ca.key"), Text: by.Key, Secret: true, Root: true},
		{Name: path.Join(tlsDir, "ca.crt"), Text: by.Cert},
		{Name: path.Join(tlsDir, "server.key"), Text: server.Key, Secret: true},
		{Name: path.Join(tlsDir, "server.crt"), Text: server.Cert},
		{Name: path.Join(enrolDir, "default", "broker-ca.crt"), Text: by.Cert},
	}, nil
}

func ownPair(a Answers, read Reader) (files []File, err error) {
	for _, f := range []struct {
		from, to string
		secret   bool
	}{
		{a.TLS.Key, path.Join(tlsDir, "server.key"), true}, {a.TLS.Cert, path.Join(tlsDir, "server.crt"), false},
		{a.TLS.CA, path.Join(enrolDir, "default", "broker-ca.crt"), false},
	} {
		if f.from == "" {
			continue
		}
		b, err := read.by(f.secret)(f.from)
		if err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
		files = append(files, File{Name: f.to, Text: b, Secret: f.secret})
	}
	return files, nil
}

func store(a Answers, _ Place, _ time.Time, read Reader) ([]File, error) {
	if a.Influx.TokenFile == "" {
		return nil, nil
	}
	b, err := read.Secret(a.Influx.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("influx: %w", err)
	}
	return []File{{Name: tokenFile, Text: b, Secret: true}}, nil
}

//go:embed files/policy.yaml
var policy []byte

//go:embed files/devices.yaml
var devices []byte

//go:embed files/contacts.yaml
var contacts []byte

// gates returns what gates get when they are enrolled.
func gates(a Answers, _ Place, _ time.Time, read Reader) (files []File, err error) {
	add := func(name string, b []byte, secret bool) {
		files = append(
			files,
			File{Name: path.Join(enrolDir, "default", name), Text: b, Secret: secret, Keep: true},
		)
	}
	add("agent.yaml", agent(a), false)
	for _, f := range []struct {
		name, from string
		usual      []byte
		secret     bool
	}{
		{"policy.yaml", a.Gates.Policy, policy, false},
		{"devices.yaml", a.Gates.Devices, devices, false},
		{"contacts.yaml", a.Gates.Contacts, contacts, false},
		{"roster.csv", a.Gates.Roster, []byte("card,class,status,household,from,until\n"), true},
	} {
		if f.from != "" {
			if f.usual, err = read.by(f.secret)(f.from); err != nil {
				return nil, fmt.Errorf("gates: %w", err)
			}
		}
		add(f.name, f.usual, f.secret)
	}
	return files, nil
}

// agent returns what is the same in the configurations of all gates.
func agent(a Answers) []byte {
	var b strings.Builder
	b.WriteString("# 所有门岗共有的配置；县、门岗号、钥匙在注册时自动加上。见 ENROL.md。\n" +
		"# What is the same at every gate; county, agent and keys are added when it is enrolled.\n")
	switch {
	case a.Broker != "":
		fmt.Fprintf(&b, "broker: {url: %q}\n", a.Broker)
	case a.Mode() == None:
		fmt.Fprintf(&b, "broker: {url: \"tcp://127.0.0.1:%d\"}\n", a.brokerPort())
	default:
		fmt.Fprintf(&b, "broker:\n  url: ssl://%s:%d\n", hostOf(a.Address), a.brokerPort())
		if a.Mode() != Own || a.TLS.CA != "" {
			b.WriteString("  ca: broker-ca.crt            # lies beside this file\n")
		}
	}
	b.WriteString(
		"kiosk:                         # the guard's screen\n  listen: 127.0.0.1:8090\n" +
			"  title: ${compound} · ${gate}\n" +
			"keep_days: 7                   # how long delivered records stay at the gate\n",
	)
	return []byte(b.String())
}
