package profiles

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/site"
)

const sites = `county: qinghe
name: 清和县
crs: WGS-84
communities:
  - id: c1
    name: 东城社区
    grids: [{id: g1, name: 一, compounds: [{id: k1, name: 丽景苑, gates: [gate-001, gate-002]}]}]
`

const rules = "version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}\n" +
	"classes:\n  resident: {fever: go-home, directions: [in, out]}\n"

func newProfiles(t *testing.T, files map[string]string) *Profiles {
	t.Helper()
	dir := t.TempDir()
	tree, err := site.Parse([]byte(sites))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := identity.LoadOrCreateCollectorKey(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.CreateSiteKey(filepath.Join(dir, "site.key")); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(dir, "enrol", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return New(Options{Dir: filepath.Join(dir, "enrol"), County: "qinghe", Sites: tree, TimeZone: "Asia/Shanghai",
		URLs: []string{"https://a.example"}, Now: time.Now, Ring: func(string, time.Time) (identity.Ring, error) {
			return identity.LoadRing(filepath.Join(dir, "site.key"))
		},
		Collector: filepath.Join(dir, "collector.pub")})
}

const header = "card,class,status,household,from,until\n"

func usual() map[string]string {
	return map[string]string{
		"default/agent.yaml": "broker: {url: \"tcp://127.0.0.1:1883\"}\n" +
			"kiosk: {listen: \"127.0.0.1:8090\", title: ${compound} ${gate}}\n",
		"default/devices.yaml": "devices: []", "default/policy.yaml": rules,
		"default/roster.csv": header, "default/.swp": "x", "default/roster.csv~": "x",
		"gate-002/devices.yaml": "devices: [{name: other}]\n", "gate-002/ca.pem": "x",
	}
}

func TestAGateGetsTheFilesForAllAndItsOwn(t *testing.T) {
	p := newProfiles(t, usual())
	names := map[string]string{}
	for _, agent := range []string{"gate-001", "gate-002"} {
		files, err := p.Files(agent)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			names[agent] += f.Name + " "
			if f.Name != "agent.yaml" {
				continue
			}
			all, err := config.Parse[map[string]any](f.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			kiosk, _ := all["kiosk"].(map[string]any)
			if all["agent"] != agent || all["policy"] != "policy.yaml" || all["guards"] != nil ||
				kiosk["title"] != "丽景苑 "+agent ||
				strings.Contains(string(f.Bytes), "other") != (agent == "gate-002") {
				t.Errorf("%s", f.Bytes)
			}
		}
		if err := p.Check(agent); err != nil {
			t.Error(err)
		}
	}
	const all = "agent.yaml collector.pub policy.yaml roster.csv site.key "
	if names["gate-001"] != all || names["gate-002"] != strings.Replace(all, "coll", "ca.pem coll", 1) {
		t.Errorf("%q", names)
	}
}

func TestFilesThatAreWrongSayWhichAndWhy(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"no folder":         {"", "", "default"},
		"a key twice":       {"default/contacts.yaml", "broker: {url: x}\n", "agent.yaml, made of its parts"},
		"a generated key":   {"default/agent.yaml", "county: other\n", "agent.yaml, made of its parts"},
		"no YAML":           {"default/agent.yaml", "{\n", "agent.yaml, made of its parts"},
		"a wrong policy":    {"default/policy.yaml", "version: 1\n", "policy.yaml"},
		"a wrong roster":    {"gate-001/roster.csv", "card\n1\n", "roster.csv"},
		"a card twice":      {"default/roster.csv", header + strings.Repeat("A1,resident,active,,,\n", 2), "roster"},
		"wrong guards":      {"default/guards.csv", "x\n", "guards.csv"},
		"a name with space": {"default/my file.txt", "", "called"},
		"the gate's key":    {"default/agent.key", "", "agent.key"},
	} {
		files := usual()
		files[c.file] = c.text
		if c.file == "" {
			files = nil
		}
		if err := newProfiles(t, files).Check("gate-001"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	if _, err := New(Options{}).Files("gate-001"); err == nil || !strings.Contains(err.Error(), "enrol: files") {
		t.Errorf("nothing is configured: %v", err)
	}
}
