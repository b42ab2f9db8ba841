//go:build cleanroot

package upgrades

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/repository"
	"gatehouse/gateway/testkit/debs"
	"gatehouse/simulator/cleanroot"
)

const tools = "../../.tools"

// program is the gatehouse that upgrades, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gatehouse-upgrades-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "gatehouse")
	cmd := exec.Command("go", "build", "-o", path, "gatehouse/gateway")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// installed is the program of a package: it says its version, and as an agent what comes up
// with it.
const installed = `#!/bin/sh
[ "$1" = agent ] || { echo "gatehouse VERSION (shell, linux/amd64)"; exit 0; }
mkdir -p /run/gatehouse
sleep SECONDS
echo '{"run":"VERSION-'$$'","version":"VERSION","recording":true,"linked":true,"delivers":DELIVERS}' \
	>/run/gatehouse/alive.json
`

// systemctl starts the agent at once, and lets the upgrade be killed when it has.
const systemctl = `#!/bin/sh
case "$*" in
show*ActiveState*) echo active; exit 0 ;;
*restart*) rm -f /run/gatehouse/alive.json; setsid /usr/bin/gatehouse agent >/dev/null 2>&1 & ;;
esac
if grep -qx restart /kill 2>/dev/null; then rm /kill; kill -9 $PPID; sleep 1; fi
exit 0
`

// dpkg is the real one; the upgrade can be killed before it begins and after it has ended.
const dpkg = `#!/bin/sh
at() { if grep -qx "$1" /kill 2>/dev/null; then rm /kill; kill -9 $PPID; exit 1; fi; }
case "$*" in
*--install*)
	echo $PPID >/upgrade.pid
	at before
	/usr/bin/dpkg "$@"
	code=$?
	at after
	exit $code ;;
esac
exec /usr/bin/dpkg "$@"
`

// script is of a package: it kills dpkg and the upgrade, as a power cut does.
const script = `#!/bin/sh
if grep -qx NAME-VERSION /kill 2>/dev/null; then
	rm /kill
	kill -9 $(cat /upgrade.pid) 2>/dev/null
	kill -9 $PPID # dpkg: other tests run theirs beside this one
	exit 1
fi
FAILS
exit 0
`

// gate is a gate's computer in a clean root, with version 1.0 installed.
type gate struct {
	*cleanroot.Root

	t       *testing.T
	running atomic.Pointer[exec.Cmd]                          // the upgrade
	fetch   func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
}

// version says what a version does.
type version struct {
	number         string
	fails          bool // its postinst
	mute, deferred bool // nothing is delivered; it takes for ever to come up
}

func newGate(t *testing.T, offered ...version) *gate {
	t.Helper()
	root, err := cleanroot.Unpack(t.Context(), tools, filepath.Join(t.TempDir(), "root"))
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{Root: root, t: t}
	key, err := openpgp.NewKey("gatehouse qinghe", time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	folder := repository.Folder{Dir: t.TempDir()}
	for _, v := range append([]version{{number: "1.0"}}, offered...) {
		deb := v.build(t)
		signer := repository.Signer{County: "qinghe", Key: key, Now: time.Now()}
		if _, err := folder.Add(signer, []string{deb}); err != nil {
			t.Fatal(err)
		}
		if v.number == "1.0" {
			if err := root.Install(t.Context(), deb); err != nil {
				t.Fatal(err)
			}
		}
	}
	files := http.FileServer(http.Dir(folder.Dir))
	county := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.fetch == nil || !g.fetch(w, r) {
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(county.Close)
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	g.write("/etc/gatehouse/upgrade.yaml", "url: "+county.URL+"\n", 0o644)
	g.write("/etc/gatehouse/packages.asc", string(public), 0o644)
	g.write("/usr/local/sbin/dpkg", dpkg, 0o755)
	g.write("/usr/local/sbin/systemctl", systemctl, 0o755)
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g.write("/opt/gatehouse", string(b), 0o755)
	if out, err := root.Run(t.Context(), "root", "/usr/bin/gatehouse", "agent"); err != nil {
		t.Fatal(out, err)
	}
	return g
}

func (g *gate) write(path, text string, mode os.FileMode) {
	g.t.Helper()
	at := g.Path(path)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), mode); err != nil {
		g.t.Fatal(err)
	}
}

// build makes the package of a version.
func (v version) build(t *testing.T) string {
	t.Helper()
	seconds := "0"
	if v.deferred {
		seconds = "1000"
	}
	fill := strings.NewReplacer("VERSION", v.number, "DELIVERS", fmt.Sprint(!v.mute), "SECONDS", seconds,
		"FAILS", map[bool]string{true: "exit 1"}[v.fails])
	of := func(name string) string { return strings.ReplaceAll(fill.Replace(script), "NAME", name) }
	files := map[string]string{"usr/bin/gatehouse": fill.Replace(installed), "DEBIAN/postinst": of("postinst"),
		"DEBIAN/preinst":              strings.Replace(of("preinst"), "exit 1\nexit 0", "exit 0", 1),
		"etc/default/gatehouse-agent": "# as it came with " + v.number + "\n",
		"DEBIAN/conffiles":            "/etc/default/gatehouse-agent\n"}
	return debs.Make(t, t.TempDir(), "x.deb", debs.Control("gatehouse", v.number, "amd64"), files)
}

// upgrade runs the program once, and returns what it said.
func (g *gate) upgrade(args ...string) (string, error) {
	// Not by Run: there it would be the first process, which nothing in the root can kill.
	cmd := g.Command(g.t.Context(), "root", g.program(), append([]string{"upgrade"}, args...)...)
	g.running.Store(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return string(out), err
}

// program is the copy that goes on after a power cut, or else the one that begins.
func (g *gate) program() string {
	if _, err := os.Stat(g.Path("/var/lib/gatehouse-upgrade/gatehouse")); err == nil {
		return "/var/lib/gatehouse-upgrade/gatehouse"
	}
	return "/opt/gatehouse"
}

// has returns what is installed, as dpkg and as the program say it.
func (g *gate) has() string {
	g.t.Helper()
	out, err := g.Run(g.t.Context(), "root", "dpkg-query", "--show", "--showformat",
		"${Version} ${db:Status-Status}", "gatehouse")
	if err != nil {
		g.t.Fatal(out, err)
	}
	says, err := g.Run(g.t.Context(), "root", "/usr/bin/gatehouse", "version")
	if err != nil {
		return out + ", and the program: " + err.Error()
	}
	return out + ", " + strings.Fields(says)[1]
}
