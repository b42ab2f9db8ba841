//go:build cleanroot

package lifecycle

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The programs for gate computers with ARM processors run, emulated: they say their version, check a
// configuration, and deliver readings from ports.
func TestProgramsForARM(t *testing.T) {
	r := newRig(t)
	deb := today(t)["gatehouse"]
	r.county.install(deb)
	r.gate.install(deb)
	r.writeByHand()
	collect := r.county.start("gatehouse-collect")
	r.copyKeys(collect)
	for _, arch := range []struct{ name, qemu string }{
		{"arm64", "qemu-aarch64-static"},
		{"arm", "qemu-arm-static"},
	} {
		program := buildFor(t, arch.name)
		tool(t, "cp", program, r.gate.Path("usr/local/bin/gatehouse-"+arch.name))
		qemu, err := exec.LookPath(arch.qemu)
		if err != nil {
			t.Fatalf("%v: run make tools", err)
		}
		tool(t, "cp", qemu, r.gate.Path("usr/local/bin/"+arch.qemu))
		r.gate.runs = []string{"/usr/local/bin/" + arch.qemu, "/usr/local/bin/gatehouse-" + arch.name}
		if out := r.gate.run("gatehouse", r.gate.runs[0], r.gate.runs[1], "version"); !strings.Contains(out,
			"linux/"+arch.name) {
			t.Errorf("version of %s: %s", arch.name, out)
		}
		r.gate.run("gatehouse", r.gate.runs[0], r.gate.runs[1], "config", "check", gateIn+"/agent.yaml")
		before, began := r.recorded(), time.Now()
		agent := r.gate.start("gatehouse-agent", "--ledger", counted)
		await(t, "a reading", []*service{agent}, func() bool {
			r.pass(1)
			return r.recorded() > before
		})
		t.Logf("%s, emulated: %s from start to the first reading", arch.name, time.Since(began).Round(time.Second/10))
		r.delivered(collect, agent)
		agent.stop()
	}
	collect.stop()
}

// buildFor builds gatehouse for another kind of computer, as make cross does, and returns its path.
func buildFor(t *testing.T, arch string) string {
	t.Helper()
	to := t.TempDir() + "/gatehouse"
	c := exec.CommandContext(t.Context(), "go", "build", "-o", to, "./gateway")
	c.Dir = top(t)
	c.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "GOARM=7", "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build for %s: %v\n%s", arch, err, out)
	}
	return to
}
