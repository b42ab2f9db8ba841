//go:build cleanroot

package booted

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/simulator/cleanroot"
)

const tools = "../../.tools"

// prepared returns a clean root with the program and the units where the packages put them, and
// a folder that is to be its /var/lib/gatehouse.
func prepared(t *testing.T) (root *cleanroot.Root, state string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "root")
	root, err := cleanroot.Unpack(t.Context(), tools, dir)
	if err != nil {
		t.Fatal(err)
	}
	run(t, "install", "-D", program(t), root.Path("usr/bin/gatehouse"))
	for from, to := range map[string]string{
		"systemd/gatehouse-agent.service":   "usr/lib/systemd/system/gatehouse-agent.service",
		"systemd/gatehouse-collect.service": "usr/lib/systemd/system/gatehouse-collect.service",
		"systemd/gatehouse-broker.service":  "usr/lib/systemd/system/gatehouse-broker.service",
		"systemd/gatehouse.sysusers":        "usr/lib/sysusers.d/gatehouse.conf",
		"systemd/gatehouse.tmpfiles":        "usr/lib/tmpfiles.d/gatehouse.conf",
	} {
		run(t, "install", "-D", "-m644", filepath.Join(deploy, from), root.Path(to))
	}
	for _, args := range [][]string{{"systemd-sysusers"}, {"install", "-d", "-o", "root", "-g", "gatehouse", "-m750",
		"/etc/gatehouse"}, {"install", "-d", "-o", "gatehouse", "-g", "gatehouse", "-m750", "/var/lib/gatehouse"},
		{"systemd-machine-id-setup"}} {
		if out, err := root.Run(t.Context(), "root", args[0], args[1:]...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(root.Path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("etc/gatehouse/collect.yaml", "county: qinghe\ndir: /var/lib/gatehouse/county\nsites: sites.yaml\n"+
		"ca_dir: /var/lib/gatehouse/county-ca\ndesk: {listen: 127.0.0.1:8080}\n")
	run(t, "install", "-m644", deploy+"/sites.example.yaml", root.Path("etc/gatehouse/sites.yaml"))
	put("etc/gatehouse/broker.yaml", "listen: 127.0.0.1:1884\ndir: /var/lib/gatehouse/broker\n")
	// Sooner than a gate has it.
	if err := os.MkdirAll(root.Path("etc/systemd/system/gatehouse-agent.service.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	put("etc/systemd/system/gatehouse-agent.service.d/soon.conf",
		"[Service]\nWatchdogSec=4s\nTimeoutAbortSec=1s\nRestartSec=100ms\n")
	state = filepath.Join(t.TempDir(), "state")
	run(t, "cp", "-a", root.Path("var/lib/gatehouse"), state)
	return root, state
}

// rig is a machine in which somebody works.
type rig struct {
	*Machine

	t   *testing.T
	ctx context.Context
}

// do runs a program that must succeed.
func (r rig) do(args ...string) string {
	r.t.Helper()
	out, err := r.Run(r.ctx, args...)
	if err != nil {
		log, _ := r.Run(r.ctx, "journalctl", "--no-pager", "-n60")
		r.t.Fatalf("%v\n%s", err, log)
	}
	return out
}

func (r rig) property(unit, name string) string {
	r.t.Helper()
	out, err := r.Property(r.ctx, unit, name)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// await waits until a property of a unit contains a text.
func (r rig) await(unit, name, want string) {
	r.t.Helper()
	got := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if got = r.property(unit, name); strings.Contains(got, want) {
			return
		}
	}
	r.t.Fatalf("%s of %s is %q, not %q\n%s", name, unit, got, want, r.do("journalctl", "--no-pager", "-n60"))
}

// refused checks that the user of a service can't do what a shell command does in its namespace.
func (r rig) refused(unit, command, why string) {
	r.t.Helper()
	pid := r.property(unit, "MainPID")
	out, err := r.Run(r.ctx, "nsenter", "--target", pid, "--mount", "setpriv", "--reuid=gatehouse", "--regid=gatehouse",
		"--init-groups", "--no-new-privs", "--bounding-set=-all", "sh", "-c", command)
	if err == nil || !strings.Contains(out, why) {
		r.t.Errorf("%s in the sandbox of %s: %v\n%s", command, unit, err, out)
	}
}

func TestTheServicesRunOnAReadOnlyRootAndAStoppedAgentIsStartedAgain(t *testing.T) {
	root, state := prepared(t)
	ctx := t.Context()
	machine, err := Boot(ctx, root.Dir, Options{State: state})
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Halt()
	r := rig{machine, t, ctx}
	r.refusedOutside()

	// The collector makes the county's keys at its first start, and is ready when it serves.
	r.do("systemctl", "start", "gatehouse-collect", "gatehouse-broker")
	for _, unit := range []string{"gatehouse-collect", "gatehouse-broker"} {
		r.await(unit, "ActiveState", "active")
	}
	r.await("gatehouse-collect", "StatusText", "collects")
	r.await("gatehouse-broker", "StatusText", "answers")

	// Without a configuration the agent waits for a code, and that is no fault.
	r.do("systemctl", "start", "gatehouse-agent")
	r.await("gatehouse-agent", "StatusText", "no gate yet")
	r.do("systemctl", "stop", "gatehouse-agent")
	r.gate()
	r.do("systemctl", "start", "gatehouse-agent")
	r.await("gatehouse-agent", "StatusText", "the county answers")
	r.sandboxed()
	r.words()
	r.stopped()

	r.do("systemctl", "stop", "gatehouse-agent", "gatehouse-collect", "gatehouse-broker")
	for _, unit := range []string{"gatehouse-agent", "gatehouse-collect", "gatehouse-broker"} {
		if got := r.property(unit, "Result"); got != "success" {
			t.Errorf("%s ended with %q", unit, got)
		}
	}
}

// refusedOutside checks that the root is read-only for everybody.
func (r rig) refusedOutside() {
	r.t.Helper()
	for _, dir := range []string{"/etc/gatehouse", "/usr/bin", "/var/lib", "/home"} {
		if out, err := r.Run(r.ctx, "touch", dir+"/x"); err == nil || !strings.Contains(out, "Read-only") {
			r.t.Errorf("%s can be written: %v %s", dir, err, out)
		}
	}
}

// gate puts a gate into service by hand.
func (r rig) gate() {
	r.t.Helper()
	for name, text := range map[string]string{
		"policy.yaml": "version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}\n" +
			"classes:\n  resident: {fever: go-home, directions: [in, out]}\n",
		"roster.csv": "card,class,status,household,from,until\n62E3086CED,resident,active,,,\n",
		"agent.yaml": "county: qinghe\nagent: gate-001\ndir: journal\nbroker: {url: \"tcp://127.0.0.1:1883\"}\n" +
			"collector_key: collector.pub\nsite_key: site.key\npolicy: policy.yaml\nroster: roster.csv\n" +
			"kiosk: {listen: 127.0.0.1:8090}\ndevices:\n  - {name: reader, model: rdm6300, port: /dev/absent}\n",
	} {
		r.do("sh", "-ec", `mkdir -p /var/lib/gatehouse/gate; printf %s "$1" >"/var/lib/gatehouse/gate/$2"`,
			"sh", text, name)
	}
	r.do("sh", "-ec", `cd /var/lib/gatehouse
cp county/collector.pub county/site.key gate/
chown -R gatehouse:gatehouse gate
chmod 750 gate
chmod 600 gate/*`)
}

// sandboxed checks what the service may not do, by the kernel's word and by trying.
func (r rig) sandboxed() {
	r.t.Helper()
	for _, unit := range []string{"gatehouse-agent", "gatehouse-collect", "gatehouse-broker"} {
		status := r.do("cat", "/proc/"+r.property(unit, "MainPID")+"/status")
		for _, want := range []string{"Seccomp:\t2", "NoNewPrivs:\t1", "CapEff:\t0000000000000000",
			"CapBnd:\t0000000000000000"} {
			if !strings.Contains(status, want+"\n") {
				r.t.Errorf("%s: %q is missing in\n%s", unit, want, status)
			}
		}
		if strings.Contains(status, "Uid:\t0") {
			r.t.Errorf("%s runs as root", unit)
		}
		for line := range strings.Lines(status) {
			if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "RssAnon") {
				r.t.Logf("%s %s", unit, strings.TrimSpace(line))
			}
		}
		r.refused(unit, "touch /etc/gatehouse/x", "Read-only")
		r.refused(unit, "touch /usr/bin/x", "Read-only")
		r.refused(unit, "ls /root", "ermission denied")
		r.refused(unit, "echo 1 >/proc/sys/kernel/sysrq", "")
		r.refused(unit, "ls /proc/1/root", "")
	}
	r.refused("gatehouse-collect", "ls /dev/ttyS0 /dev/kmsg /dev/tpmrm0", "No such file")
}

// words checks what the journal has of the services.
func (r rig) words() {
	r.t.Helper()
	open := false
	for line := range strings.Lines(r.do("journalctl", "--no-pager", "-o", "json", "-u", "gatehouse-agent")) {
		var e struct {
			Priority string `json:"PRIORITY"`
			Message  string `json:"MESSAGE"`
			From     string `json:"_COMM"`
		}
		if json.Unmarshal([]byte(line), &e) != nil || e.From != "gatehouse" {
			continue
		}
		if strings.Contains(e.Message, "time=") || strings.Contains(e.Message, "level=") || e.Message[0] == '<' {
			r.t.Errorf("a line says twice what the journal knows: %s", e.Message)
		}
		if strings.Contains(e.Message, "gate is open") {
			open = true
			if e.Priority != "6" {
				r.t.Errorf("priority %s: %s", e.Priority, e.Message)
			}
		}
	}
	if !open {
		r.t.Error("the journal has not that the gate is open")
	}
}

// stopped stops the agent as a hang does, and waits until systemd has started it again.
func (r rig) stopped() {
	r.t.Helper()
	before := r.property("gatehouse-agent", "MainPID")
	r.do("sh", "-c", "kill -STOP "+before)
	r.await("gatehouse-agent", "NRestarts", "1")
	r.await("gatehouse-agent", "StatusText", "the county answers")
	if after := r.property("gatehouse-agent", "MainPID"); after == before || after == "0" {
		r.t.Errorf("its process is %s, it was %s", after, before)
	}
	log := r.do("journalctl", "--no-pager", "-u", "gatehouse-agent")
	if !strings.Contains(log, "Watchdog timeout") {
		r.t.Errorf("the journal does not name the watchdog:\n%s", log)
	}
}

// program builds the gateway for one test.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gatehouse")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", path, "gatehouse/gateway")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	var out bytes.Buffer
	build.Stdout, build.Stderr = &out, &out
	if err := build.Run(); err != nil {
		t.Fatalf("build gatehouse: %v\n%s", err, out.String())
	}
	return path
}
