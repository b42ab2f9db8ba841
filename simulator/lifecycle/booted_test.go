//go:build cleanroot

package lifecycle

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/edge/upgrade"
	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/repository"
	"gatehouse/simulator/booted"
)

// upgrader is the unit that upgrades a gate.
const upgrader = "gatehouse-upgrade.service"

// bootedGate is the gate's computer of a rig, whose own systemd runs the services.
type bootedGate struct {
	*rig

	m        *booted.Machine
	packages repository.Folder // offered to it by a server of the test
	signer   repository.Signer
	binds    map[string]string
}

// bootGate boots the gate's computer, which has a version installed and its files, and starts the agent and what
// upgrades it. The packages are offered to it.
func (r *rig) bootGate(offered ...string) *bootedGate {
	r.t.Helper()
	g := &bootedGate{rig: r, packages: repository.Folder{Dir: r.t.TempDir()}, binds: map[string]string{}}
	for _, d := range r.hw.Devices() {
		tty, err := filepath.EvalSymlinks(d.Port)
		if err != nil {
			r.t.Fatal(err)
		}
		g.binds[strings.TrimPrefix(d.Port, r.gate.Dir)] = tty
	}
	key, err := openpgp.NewKey("gatehouse qinghe", time.Now().Add(-time.Minute))
	if err != nil {
		r.t.Fatal(err)
	}
	public, err := key.Public()
	if err != nil {
		r.t.Fatal(err)
	}
	g.signer = repository.Signer{County: "qinghe", Key: key, Now: time.Now()}
	g.offer(offered...)
	server := httptest.NewServer(http.FileServer(http.Dir(g.packages.Dir)))
	r.t.Cleanup(server.Close)
	r.gate.write("etc/gatehouse/upgrade.yaml", "root", "url: "+server.URL+"\n")
	r.gate.write("etc/gatehouse/packages.asc", "root", string(public))
	// Both versions know these arguments.
	drop := "etc/systemd/system/gatehouse-agent.service.d/counted.conf"
	r.gate.write(drop, "root", "[Service]\nExecStart=\nExecStart=/usr/bin/gatehouse agent --config ${CONFIG} --ledger "+
		counted+"\n")
	r.gate.run("root", "systemd-machine-id-setup")
	// The earlier version can't upgrade itself: today's program does.
	r.gate.run("root", "install", "-d", "-m", "755", upgrade.Dir)
	tool(r.t, "install", "-m", "700", "bin/gatehouse", r.gate.Path(upgrade.Dir+"/gatehouse"))
	r.gate.run("root", "systemctl", "enable", "gatehouse-agent", upgrader, "gatehouse-upgrade.path")
	g.boot()
	return g
}

// boot boots the gate's computer.
func (g *bootedGate) boot() {
	g.t.Helper()
	m, err := booted.Boot(g.t.Context(), g.gate.Dir, booted.Options{Network: true, Busy: true, Binds: g.binds})
	if err != nil {
		g.t.Fatal(err)
	}
	g.m = m
	g.t.Cleanup(func() { _ = m.Halt() }) // it may have been
}

// offer adds packages to those that are offered.
func (g *bootedGate) offer(debs ...string) {
	g.t.Helper()
	if _, err := g.packages.Add(g.signer, debs); err != nil {
		g.t.Fatal(err)
	}
}

// do runs a program on the gate's computer, which must succeed.
func (g *bootedGate) do(args ...string) string {
	g.t.Helper()
	out, err := g.m.Run(g.t.Context(), args...)
	if err != nil {
		g.t.Fatalf("%v\n%s", err, g.log())
	}
	return out
}

// log returns what the services have said last.
func (g *bootedGate) log() string {
	out, _ := g.m.Run(g.t.Context(), "journalctl", "--no-pager", "-n150", "-o", "short-precise")
	return out
}

// ask has the user of the agent ask for a version, as the agent does.
func (g *bootedGate) ask(id, version string) {
	g.t.Helper()
	text, err := json.Marshal(upgrade.Request{ID: id, Version: version})
	if err != nil {
		g.t.Fatal(err)
	}
	g.do("setpriv", "--reuid=gatehouse", "--regid=gatehouse", "--clear-groups", "sh", "-ec",
		`mkdir -p /var/lib/gatehouse/upgrade; cd /var/lib/gatehouse/upgrade; printf %s "$1" >new; mv new request.json`,
		"sh", string(text))
}

// phase waits until an upgrade has come to one of the phases.
func (g *bootedGate) phase(id string, want ...upgrade.Phase) (s upgrade.State) {
	g.t.Helper()
	end := time.Now().Add(2*upgrade.HealthLimit + patience)
	for ; time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		s, _, err = upgrade.Read(g.gate.Path(upgrade.Dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			g.t.Fatal(err)
		}
		for _, p := range want {
			if s.ID == id && s.Phase == p {
				return s
			}
		}
		if s.ID == id && s.Phase.Ended() {
			break
		}
	}
	g.t.Fatalf("upgrade %s is %s (%s), not %v\n%s", id, s.Phase, s.Why, want, g.log())
	return s
}

// runs checks which version is installed, and that the service runs it.
func (g *bootedGate) runs(version string) {
	g.t.Helper()
	if got := g.do("dpkg-query", "--show", "--showformat", "${Version} ${db:Status-Status}",
		"gatehouse"); got != version+" installed" {
		g.t.Errorf("there is %q, not %s", got, version)
	}
	if out := g.do("dpkg", "--audit"); out != "" {
		g.t.Errorf("dpkg --audit: %s", out)
	}
	pid := strings.TrimSpace(g.do("systemctl", "show", "--value", "--property", "MainPID", "gatehouse-agent"))
	running := g.do("sh", "-c", `readlink "/proc/$1/exe"; cmp "/proc/$1/exe" /usr/bin/gatehouse`, "sh", pid)
	if strings.TrimSpace(running) != "/usr/bin/gatehouse" {
		g.t.Errorf("the service runs %s", running)
	}
}

// version returns that of a package.
func version(t *testing.T, deb string) string {
	t.Helper()
	return tool(t, "dpkg-deb", "--field", deb, "Version")
}

// remade makes another version of a package: its version has a word more, and its files are changed by edit.
func remade(t *testing.T, deb, word string, edit func(dir string)) (path string) {
	t.Helper()
	dir := t.TempDir()
	tool(t, "dpkg-deb", "--raw-extract", deb, dir)
	tool(t, "sed", "-i", "s/^Version: .*/&."+word+"/", dir+"/DEBIAN/control")
	edit(dir)
	tool(t, "rm", dir+"/DEBIAN/md5sums")
	to := filepath.Join(t.TempDir(), "gatehouse_"+word+".deb")
	tool(t, "dpkg-deb", "--root-owner-group", "-Zgzip", "--uniform-compression", "--build", dir, to)
	return to
}
