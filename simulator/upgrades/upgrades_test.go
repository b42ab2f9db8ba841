//go:build cleanroot

package upgrades

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"gatehouse/gateway/edge/upgrade"
)

// At whatever step the upgrade is killed, or dpkg with it, the next start goes on, and one of
// both versions is installed whole: the new one, or the former if the new one fails.
func TestAnUpgradeThatIsCutOffGoesOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at   string // where it is killed
		fail bool   // the new version can't be configured
		want upgrade.Phase
	}{
		{"", false, upgrade.Done},
		{"fetch", false, upgrade.Done},
		{"before", false, upgrade.Done},
		{"preinst-2.0", false, upgrade.Done},
		{"postinst-2.0", false, upgrade.Done},
		{"after", false, upgrade.Done},
		{"restart", false, upgrade.Done},
		{"", true, upgrade.Back},
		{"preinst-1.0", true, upgrade.Back},
		{"postinst-1.0", true, upgrade.Back},
	} {
		t.Run(strings.TrimSpace(c.at+" "+string(c.want)), func(t *testing.T) {
			g := newGate(t, version{number: "2.0", fails: c.fail})
			g.write("/etc/default/gatehouse-agent", "# written by hand\n", 0o644)
			g.arm(c.at)
			out, err := g.upgrade("2.0", "-o", "json")
			if c.at != "" {
				if err == nil || !killed(err) {
					t.Fatalf("it was to be killed: %v\n%s", err, out)
				}
				if s := g.state(); s.Phase.Ended() {
					t.Fatalf("killed, and %s", s.Phase)
				}
				g.fetch = nil
				out, err = g.upgrade("--resume", "-o", "json")
			}
			s := g.state()
			if s.Phase != c.want || (err == nil) != (c.want == upgrade.Done) {
				t.Fatalf("%s: %s, %v\n%s", s.Phase, s.Why, err, out)
			}
			want := map[upgrade.Phase]string{upgrade.Done: "2.0 installed, 2.0",
				upgrade.Back: "1.0 installed, 1.0"}[c.want]
			if got := g.has(); got != want {
				t.Errorf("%s, and there is %q", s.Phase, got)
			}
			b, err := os.ReadFile(g.Path("/etc/default/gatehouse-agent"))
			if err != nil || string(b) != "# written by hand\n" {
				t.Errorf("the file that somebody wrote: %q, %v", b, err)
			}
			if out, err := g.Run(t.Context(), "root", "dpkg", "--audit"); err != nil || out != "" {
				t.Errorf("dpkg --audit: %v\n%s", err, out)
			}
		})
	}
}

// killed reports whether a program was.
func killed(err error) bool {
	return strings.Contains(err.Error(), "killed") || strings.Contains(err.Error(), "137")
}

// arm has the upgrade killed at a step.
func (g *gate) arm(at string) {
	if at != "fetch" {
		g.write("/kill", at+"\n", 0o644)
		return
	}
	g.fetch = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "_2.0_amd64.deb") {
			return false
		}
		_, _ = w.Write([]byte("!<arch>\n"))
		w.(http.Flusher).Flush() //nolint:forcetypeassert // of a test's server
		if err := g.running.Load().Process.Kill(); err != nil {
			g.t.Error(err)
		}
		panic(http.ErrAbortHandler)
	}
}

func (g *gate) state() upgrade.State {
	g.t.Helper()
	s, ok, err := upgrade.Read(g.Path(upgrade.Dir))
	if err != nil || !ok {
		g.t.Fatal(ok, err)
	}
	return s
}

// A version that comes up and delivers nothing, or does not come up, is taken back after two
// minutes, without anybody's help.
func TestAVersionThatDoesNotDeliverIsTakenBack(t *testing.T) {
	t.Parallel()
	for what, v := range map[string]version{"mute": {number: "2.0", mute: true},
		"late": {number: "2.0", deferred: true}} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			g := newGate(t, v)
			out, err := g.upgrade("2.0")
			if err == nil || !strings.Contains(err.Error(), "1.0 runs again") || g.state().Phase != upgrade.Back {
				t.Errorf("%+v, %v\n%s", g.state(), err, out)
			}
			if got := g.has(); got != "1.0 installed, 1.0" {
				t.Errorf("there is %q", got)
			}
		})
	}
}

// What the agent asks for is done by the service; nothing but a version counts in it.
func TestTheServiceDoesWhatTheAgentAsksFor(t *testing.T) {
	t.Parallel()
	g := newGate(t, version{number: "2.0"})
	if out, err := g.upgrade("--service"); err != nil {
		t.Fatalf("nothing is asked for: %v\n%s", err, out)
	}
	g.write("/var/lib/gatehouse/upgrade/request.json", `{"id":"command-00000001","version":"0.5"}`, 0o600)
	out, err := g.upgrade("--service")
	if s := g.state(); err != nil || s.ID != "command-00000001" || s.Phase != upgrade.Unchanged ||
		g.has() != "1.0 installed, 1.0" {
		t.Errorf("a version that is not there: %+v, %v\n%s", s, err, out)
	}
	g.write("/var/lib/gatehouse/upgrade/request.json", `{"id":"command-00000002","version":"2.0"}`, 0o600)
	out, err = g.upgrade("--service")
	if err != nil || g.state().Phase != upgrade.Done || g.has() != "2.0 installed, 2.0" {
		t.Errorf("%+v, %v\n%s", g.state(), err, out)
	}
}
