//go:build cleanroot

package lifecycle

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/edge/upgrade"
	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/repository"
)

// put writes a program.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// crashing is the package of a version that does not come up.
func crashing(t *testing.T) string {
	t.Helper()
	return remade(t, today(t)["gatehouse"], "crashes", func(dir string) {
		put(t, dir+"/usr/bin/gatehouse", "#!/bin/sh\necho broken >&2\nexit 1\n")
	})
}

// A gate of an earlier version, with its configuration and with records waiting, is upgraded under its own systemd
// when the agent asks for it, though the upgrade is killed on the way. A version that crashes is taken back.
func TestABootedGateIsUpgradedAndTakenBack(t *testing.T) {
	t.Parallel()
	old, now, broken := packEarlier(t), today(t)["gatehouse"], crashing(t)
	r := newRig(t)
	r.county.install(now)
	r.gate.install(old)
	r.writeByHand()
	collect := r.county.start("gatehouse-collect")
	r.copyKeys(collect)
	g := r.bootGate(old, now, broken)
	r.pass(2)
	r.delivered(collect)

	collect.stop()
	r.pass(2)
	g.ask("to-today", version(t, now))
	g.phase("to-today", upgrade.Checking)
	g.do("systemctl", "kill", "--kill-whom=main", "--signal=KILL", upgrader)
	r.pass(1)
	collect = r.county.start("gatehouse-collect")
	g.phase("to-today", upgrade.Done)
	g.runs(version(t, now))
	r.delivered(collect)

	g.ask("broken", version(t, broken))
	if s := g.phase("broken", upgrade.Back); !strings.Contains(s.Why, "start the agent anew") {
		t.Errorf("why: %s", s.Why)
	}
	g.runs(version(t, now))
	r.pass(1)
	r.delivered(collect)
	collect.stop()
}

// What the agent may not have is refused, and why is kept for the county: packages of another key, an earlier
// version, or a configuration that others may change. Root can have the earlier one.
func TestABootedGateRefusesWhatItMayNotHave(t *testing.T) {
	t.Parallel()
	old, now := today(t)["gatehouse"], later(t)
	r := newRig(t)
	r.county.install(old)
	r.gate.install(now)
	r.writeByHand()
	collect := r.county.start("gatehouse-collect")
	r.copyKeys(collect)
	g := r.bootGate(old, now)
	r.pass(1)
	r.delivered(collect)
	refused := func(id, asked, why string) {
		t.Helper()
		g.ask(id, asked)
		if s := g.phase(id, upgrade.Unchanged); !strings.Contains(s.Why, why) {
			t.Errorf("%s: %s, not %s", id, s.Why, why)
		}
	}

	refused("earlier", version(t, old), "a downgrade must be asked for")
	signed := filepath.Join(g.packages.Dir, repository.SignedFile)
	right, err := os.ReadFile(signed)
	if err != nil {
		t.Fatal(err)
	}
	g.signByAnother(signed)
	refused("another-key", version(t, now)+".1", "InRelease")
	if err := os.WriteFile(signed, right, 0o600); err != nil {
		t.Fatal(err)
	}
	g.do("chown", "gatehouse", "/etc/gatehouse/upgrade.yaml")
	refused("not-roots", version(t, now)+".1", "chown")
	g.do("chown", "root", "/etc/gatehouse/upgrade.yaml")
	if out, err := g.m.Run(t.Context(), "gatehouse", "upgrade", version(t, old)); err == nil {
		t.Errorf("downgraded without being asked to: %s", out)
	}
	g.runs(version(t, now))
	g.do("gatehouse", "upgrade", version(t, old), "--allow-downgrade")
	g.runs(version(t, old))
	r.pass(1)
	r.delivered(collect)
	collect.stop()
}

// signByAnother signs the index by another key.
func (g *bootedGate) signByAnother(signed string) {
	g.t.Helper()
	key, err := openpgp.NewKey("gatehouse somewhere", time.Now().Add(-time.Minute))
	if err != nil {
		g.t.Fatal(err)
	}
	other := repository.Folder{Dir: g.t.TempDir()}
	signer := repository.Signer{County: "somewhere", Key: key, Now: time.Now()}
	if _, err := other.Add(signer, []string{today(g.t)["gatehouse"]}); err != nil {
		g.t.Fatal(err)
	}
	tool(g.t, "cp", filepath.Join(other.Dir, repository.SignedFile), signed)
}

// A version that comes up and delivers nothing is taken back, also when the power fails meanwhile.
func TestABootedGateLeavesAVersionThatDeliversNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	now, mute := today(t)["gatehouse"], r.mute()
	r.county.install(now)
	r.gate.install(now)
	r.writeByHand()
	collect := r.county.start("gatehouse-collect")
	r.copyKeys(collect)
	g := r.bootGate(now, mute)
	r.pass(1)
	r.delivered(collect)

	g.ask("mute", version(t, mute))
	g.phase("mute", upgrade.Checking)
	r.pass(1)
	if err := g.m.Halt(); err != nil {
		t.Fatal(err)
	}
	g.boot()
	if s := g.phase("mute", upgrade.Back); !strings.Contains(s.Why, "acknowledged nothing") {
		t.Errorf("why: %s", s.Why)
	}
	g.runs(version(t, now))
	r.pass(1)
	r.delivered(collect)
	collect.stop()
}

// program is the program of a later version, built once.
var program struct {
	once sync.Once
	path string
}

// later makes the package of a later version.
func later(t *testing.T) string { return laterWith(t, "", "") }

// laterWith makes the package of a later version whose program is wrapped in a script of sh, which calls it by $real,
// and which runs another one before dpkg unpacks it.
func laterWith(t *testing.T, script, before string) string {
	t.Helper()
	program.once.Do(func() {
		dir, err := os.MkdirTemp("", "later-")
		if err != nil {
			t.Fatal(err)
		}
		tool(t, "go", "build", "-ldflags", "-X gatehouse/gateway/version.String="+
			version(t, today(t)["gatehouse"])+".later", "-o", dir+"/gatehouse", "./gateway")
		program.path = dir + "/gatehouse"
	})
	if program.path == "" {
		t.Fatal("the later version could not be built")
	}
	return remade(t, today(t)["gatehouse"], "later", func(dir string) {
		to := dir + "/usr/bin/gatehouse"
		if script != "" {
			wrapped := "/usr/libexec/gatehouse/real"
			put(t, to, "#!/bin/sh\nreal="+wrapped+"\n"+script+"\nexec $real \"$@\"\n")
			to = dir + wrapped
			tool(t, "install", "-d", filepath.Dir(to))
		}
		tool(t, "install", "-m", "755", program.path, to)
		if before != "" {
			put(t, dir+"/DEBIAN/preinst", "#!/bin/sh\n"+before)
		}
	})
}

// mute makes the package of a version whose agent works, and does not find the broker.
func (r *rig) mute() string {
	r.t.Helper()
	return laterWith(r.t, "if [ \"$1\" = agent ]; then\ncd /var/lib/gatehouse/gate\n"+
		"sed s/"+r.broker+"/127.0.0.1:1/ agent.yaml >mute.yaml\nshift 3\n"+
		"exec $real agent --config mute.yaml \"$@\"\nfi", "")
}

// A disk that becomes full while dpkg works: the former version goes on meanwhile, and when there is room again the
// upgrade goes on by itself.
func TestABootedGateIsUpgradedOverAFullDisk(t *testing.T) {
	t.Parallel()
	old := today(t)["gatehouse"]
	full := laterWith(t, "", "[ -e /run/was-full ] && exit 0\ntouch /run/was-full\n"+
		"dd if=/dev/zero of=/var/filler bs=64K\ndd if=/dev/zero of=/var/filler2 bs=1\nexit 0\n")
	r := newRig(t)
	r.county.install(old)
	r.gate.install(old)
	r.writeByHand()
	collect := r.county.start("gatehouse-collect")
	r.copyKeys(collect)
	r.smallDisk()
	g := r.bootGate(old, full)
	r.pass(1)
	r.delivered(collect)

	g.ask("full", version(t, full))
	g.phase("full", upgrade.Installing)
	await(t, "the full disk", []*service{collect}, func() bool {
		_, err := os.Stat(r.gate.Path("var/filler2"))
		return err == nil
	})
	// The service fails because it can't write how far it has come, and is started again.
	await(t, "another start of the upgrade", []*service{collect}, func() bool {
		n, err := g.m.Property(t.Context(), upgrader, "NRestarts")
		return err == nil && n != "0" && n != ""
	})
	g.do("rm", "/var/filler", "/var/filler2")
	// One that has just failed may have room to say so, and goes back.
	s := g.phase("full", upgrade.Done, upgrade.Back)
	g.runs(map[upgrade.Phase]string{upgrade.Done: version(t, full), upgrade.Back: version(t, old)}[s.Phase])
	r.pass(1)
	r.delivered(collect)
	collect.stop()
}

// smallDisk gives the gate's computer a small disk of its own for /var.
func (r *rig) smallDisk() {
	r.t.Helper()
	disk, at := filepath.Join(r.t.TempDir(), "disk"), r.t.TempDir()
	tool(r.t, "truncate", "-s", "500M", disk)
	tool(r.t, "mkfs.ext4", "-q", "-F", disk)
	tool(r.t, "mount", "-o", "loop", disk, at)
	tool(r.t, "cp", "-a", r.gate.Path("var")+"/.", at)
	tool(r.t, "umount", at)
	tool(r.t, "mount", "-o", "loop", disk, r.gate.Path("var"))
	r.t.Cleanup(func() { // not by tool: the test's context has ended
		if out, err := exec.Command("umount", r.gate.Path("var")).CombinedOutput(); err != nil {
			r.t.Errorf("%v: %s", err, out)
		}
	})
}
