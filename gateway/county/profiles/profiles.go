// Package profiles has what a gate gets when it is put into service, besides its
// certificate: the files of a folder of the county, and a configuration that names them.
package profiles

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/secret"
	"gatehouse/gateway/site"
)

// Options are those of New.
type Options struct {
	Dir    string // with the folder default, and one for each gate that differs
	County string
	Sites  *site.County
	URLs   []string // of the desk, for renewals
	Now    func() time.Time
	// Ring returns the keys for pseudonyms of a gate.
	Ring      func(agent string, now time.Time) (identity.Ring, error)
	Collector string // file: the collector's public key
	TimeZone  string // of the county; empty: the default
	// Rules returns the files by which a gate decides, as the county has approved them: they
	// take the place of those in Dir. nil, and no files: it has approved none.
	Rules func(agent string) (map[string][]byte, error)
}

// Profiles are the county's. The methods may be called from any goroutine; each call reads
// the files again.
type Profiles struct{ opts Options }

// New returns the profiles of a folder.
func New(opts Options) *Profiles { return &Profiles{opts} }

// Names of files with a meaning. All others are handed over as they are.
const (
	shared     = "default"
	policyFile = "policy.yaml"
	rosterFile = "roster.csv"
	guardsFile = "guards.csv"
	keyFile    = "site.key"
	publicFile = "collector.pub"
)

// parts are the files of which a gate's agent.yaml is made, in this order: each may be the
// gate's own or the one for all.
var parts = []string{enrolment.AgentFile, "contacts.yaml", "devices.yaml"}

// Limits of a gate's files, in bytes.
const (
	mostFile = 66 << 20 // a roster of 60,000
	mostAll  = 70 << 20
)

// Files implements registry.Files.
func (p *Profiles) Files(agent string) ([]enrolment.File, error) {
	if p.opts.Dir == "" {
		return nil, errors.New("what do gates get? name a folder as enrol: files in the collector's configuration")
	}
	found, err := p.read(agent)
	if err != nil {
		return nil, fmt.Errorf("the files for %s: %w", agent, err)
	}
	if p.opts.Rules != nil {
		rules, err := p.opts.Rules(agent)
		if err != nil {
			return nil, fmt.Errorf("the rules for %s: %w", agent, err)
		}
		maps.Copy(found, rules)
	}
	text, err := p.compose(agent, found)
	if err != nil {
		return nil, fmt.Errorf("the files for %s: %w", agent, err)
	}
	for _, name := range parts {
		delete(found, name)
	}
	found[enrolment.AgentFile] = text
	ring, err := p.opts.Ring(agent, p.opts.Now())
	found[keyFile] = ring.Format()
	if err == nil {
		found[publicFile], err = os.ReadFile(p.opts.Collector)
	}
	if err != nil {
		return nil, fmt.Errorf("the files for %s: %w", agent, err)
	}
	var out []enrolment.File
	all := 0
	for name, b := range found {
		out = append(out, enrolment.File{Name: name, Bytes: b})
		all += len(b)
	}
	if all > mostAll {
		return nil, fmt.Errorf("the files for %s have %d MB, at most %d fit", agent, all>>20, mostAll>>20)
	}
	slices.SortFunc(out, func(a, b enrolment.File) int { return strings.Compare(a.Name, b.Name) })
	return out, enrolment.CheckFiles(out)
}

// Check implements registry.Files.
func (p *Profiles) Check(agent string) error {
	files, err := p.Files(agent)
	if err != nil {
		return err
	}
	by := map[string][]byte{}
	for _, f := range files {
		by[f.Name] = f.Bytes
	}
	text := by[policyFile]
	if text == nil {
		return nil // a bridge to machines has no gate
	}
	rules, err := policy.Parse(text)
	if err != nil {
		return fmt.Errorf("the files for %s: %s:\n%w", agent, policyFile, err)
	}
	ring, err := p.opts.Ring(agent, p.opts.Now())
	if err != nil {
		return err
	}
	if _, err := policy.ParseRosterText(rules, by[rosterFile], ring.Named(p.opts.Now())); err != nil {
		return fmt.Errorf("the files for %s: %s: %w", agent, rosterFile, err)
	}
	if guards := by[guardsFile]; guards != nil {
		if _, err := policy.ParseGuards(guards); err != nil {
			return fmt.Errorf("the files for %s: %s: %w", agent, guardsFile, err)
		}
	}
	return nil
}

// read returns the files for a gate by name: its own, and those for all that it has none of.
func (p *Profiles) read(agent string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, dir := range []string{agent, shared} {
		list, err := os.ReadDir(filepath.Join(p.opts.Dir, dir))
		if errors.Is(err, os.ErrNotExist) && dir == agent {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			name := e.Name()
			if e.IsDir() || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || out[name] != nil {
				continue
			}
			if out[name], err = readFile(filepath.Join(p.opts.Dir, dir, name)); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// private reports whether a file of a profile is for nobody else: keys, passwords and tokens.
func private(name string) bool {
	ending := filepath.Ext(name)
	return slices.Contains([]string{".key", ".age", ".token"}, ending) ||
		strings.Contains(name, "password")
}

// readFile returns what is in a file; never nil without an error.
func readFile(path string) ([]byte, error) {
	switch name := filepath.Base(path); {
	case name == rosterFile || name == guardsFile:
		return secret.List(path, mostFile)
	case private(name):
		return secret.ReadMost(path, mostFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	if err != nil {
		return nil, err
	}
	if len(b) > mostFile {
		return nil, fmt.Errorf("%s has more than %d MB", path, mostFile>>20)
	}
	return b, nil
}

// compose returns a gate's agent.yaml: what is the same for each gate of the county, and
// then the parts of its profile.
func (p *Profiles) compose(agent string, found map[string][]byte) ([]byte, error) {
	var own strings.Builder
	for _, name := range parts {
		if found[name] == nil {
			continue
		}
		text, err := config.Text(found[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(&own, "\n# From the county's profile, %s:\n%s", name, text)
		if !strings.HasSuffix(own.String(), "\n") {
			own.WriteByte('\n')
		}
	}
	body := p.names(agent).Replace(own.String())
	var out strings.Builder
	fmt.Fprintf(&out, `# This gate was put into service by gatehouse enrol, which wrote this file: a next enrolment
# writes it again. gatehouse-agent.service starts it; by hand: gatehouse agent --config agent.yaml
# Relative paths are relative to this folder. An unknown key is an error.
county: %s
agent: %s
dir: journal                   # what the gate has recorded; must survive restarts
collector_key: %s   # by which the county's answers are known
identity:                      # the gate's own key never leaves this folder; the certificate is renewed by itself
  key: %s
  cert: %s
  ca: %s
  desk:
`, p.opts.County, agent, publicFile, enrolment.KeyFile, enrolment.CertificateFile, enrolment.AuthorityFile)
	for _, url := range p.opts.URLs {
		fmt.Fprintf(&out, "    - %s\n", url)
	}
	fmt.Fprintf(&out, "site_key: %s             # makes pseudonyms of cards\n", keyFile)
	for _, f := range []struct{ key, name string }{
		{"policy", policyFile}, {"roster", rosterFile}, {"guards", guardsFile},
	} {
		if found[f.name] != nil {
			fmt.Fprintf(&out, "%s: %s\n", f.key, f.name)
		}
	}
	if p.opts.TimeZone != "" {
		fmt.Fprintf(&out, "time_zone: %s\n", p.opts.TimeZone)
	}
	out.WriteString(body)
	if _, err := config.Parse[map[string]any]([]byte(out.String())); err != nil {
		return nil, fmt.Errorf("agent.yaml, made of its parts:\n%w", err)
	}
	return []byte(out.String()), nil
}

// names replaces what a profile for all gates says of the gate.
func (p *Profiles) names(agent string) *strings.Replacer {
	community, _, compound, _ := p.opts.Sites.Place(agent)
	for _, c := range p.opts.Sites.Communities {
		if c.ID == community {
			community = c.Name
		}
	}
	for _, c := range p.opts.Sites.Compounds() {
		if c.ID == compound {
			compound = c.Name
		}
	}
	return strings.NewReplacer("${gate}", agent, "${compound}", compound, "${community}", community)
}
