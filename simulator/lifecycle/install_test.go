//go:build cleanroot

package lifecycle

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"gatehouse/gateway/county/registry"
	"gatehouse/simulator/clerk"
)

// A county and a gate are installed, set up and used, and purged.
func TestInstalledSetUpUsedAndPurged(t *testing.T) {
	r := newRig(t)
	deb := today(t)["gatehouse"]
	for _, c := range []*computer{r.county, r.gate} {
		c.install(deb)
		c.installed()
	}
	r.plug()
	r.setUp()
	collect := r.county.start("gatehouse-collect")
	clerk := r.clerk()
	await(t, "the desk", []*service{collect}, func() bool { return clerk.SignUp(t.Context()) == nil })

	r.enrol(clerk, collect)
	agent := r.gate.start("gatehouse-agent", "--ledger", counted)
	seen := 0
	var err error
	await(t, "a passage on the desk", []*service{collect, agent}, func() bool {
		if seen == 0 {
			r.pass(1)
		}
		seen, err = clerk.Passages(t.Context(), gateID)
		return err == nil && seen > 0
	})
	agent.stop()
	collect.stop()
	n, err := r.tally()
	if err != nil || n.lost > 0 || n.twice > 0 || n.gaps > 0 || n.completed == 0 {
		t.Errorf("%s; %v", n, err)
	}
	for _, c := range []*computer{r.county, r.gate} {
		out := c.run("root", "dpkg", "--remove", "gatehouse")
		if !strings.Contains(out, "/var/lib/gatehouse stays") {
			t.Errorf("removal does not say what stays: %s", out)
		}
		out = c.run("root", "dpkg", "--purge", "gatehouse")
		if !strings.Contains(out, "purge removes /var/lib/gatehouse") {
			t.Errorf("purge does not say what it removes: %s", out)
		}
		c.purged()
	}
}

// enrol puts the gate into service with a code of the desk.
func (r *rig) enrol(clerk *clerk.Clerk, collect *service) {
	t := r.t
	t.Helper()
	code, err := clerk.Code(t.Context(), gateID)
	if err != nil {
		t.Fatal(err)
	}
	enrol := r.gate.Command(t.Context(), "root", "gatehouse", "enrol", "--tpm", "off")
	enrol.Stdin = strings.NewReader(code + "\n\n")
	var said strings.Builder
	enrol.Stdout, enrol.Stderr = &said, &said
	if err := enrol.Start(); err != nil {
		t.Fatal(err)
	}
	var waiting []registry.Waiting
	await(t, "the gate's request", []*service{collect}, func() bool {
		list, err := clerk.Enrolments(t.Context())
		waiting = list.Waiting
		return err == nil && len(waiting) == 1
	})
	if err := clerk.Approve(t.Context(), waiting[0]); err != nil {
		t.Fatal(err)
	}
	if err := enrol.Wait(); err != nil {
		t.Fatalf("enrol: %v\n%s", err, said.String())
	}
}

// installed checks what the package has made, and that nothing is started or enabled by it.
func (c *computer) installed() {
	c.t.Helper()
	files, err := c.Files()
	if err != nil {
		c.t.Fatal(err)
	}
	id := c.run("root", "sh", "-c", "printf %s:%s $(id -u gatehouse) $(id -g gatehouse)")
	group := id[strings.Index(id, ":")+1:]
	for name, want := range map[string]string{
		"/usr/bin/gatehouse":                                    "-rwxr-xr-x 0:0",
		"/usr/lib/systemd/system/gatehouse-agent.service":       "-rw-r--r-- 0:0",
		"/usr/share/man/man1/gatehouse-collect.1.gz":            "-rw-r--r-- 0:0",
		"/usr/share/bash-completion/completions/gatehouse":      "-rw-r--r-- 0:0",
		"/usr/share/doc/gatehouse/deploy/collect.example.yaml":  "-rw-r--r-- 0:0",
		"/usr/share/doc/gatehouse/copyright":                    "-rw-r--r-- 0:0",
		"/etc/default/gatehouse-agent":                          "-rw-r--r-- 0:0",
		"/etc/gatehouse":                                        "drwxr-x--- 0:" + group,
		"/var/lib/gatehouse":                                    "drwxr-x--- " + id,
		"/etc/systemd/system/multi-user.target.wants/gatehouse": "",
	} {
		if files[name] != want {
			c.t.Errorf("%s: %s is %q, want %q", c.name, name, files[name], want)
		}
	}
	for name := range files {
		if strings.HasPrefix(name, "/etc/systemd/system/") && strings.Contains(name, "gatehouse") {
			c.t.Errorf("%s: %s is enabled by the installation", c.name, name)
		}
	}
	if groups := c.run("root", "id", "-nG", "gatehouse"); !strings.Contains(groups, "dialout") {
		c.t.Errorf("%s: groups %s", c.name, groups)
	}
	if pids, err := c.Processes(); err != nil || len(pids) > 0 {
		c.t.Errorf("%s: processes %v, %v after the installation", c.name, pids, err)
	}
	if out := c.run("root", "gatehouse", "version"); !strings.Contains(out, "linux") {
		c.t.Errorf("%s: %s", c.name, out)
	}
}

// setUp sets the county up by a file of answers, as its IT person would by typing them.
func (r *rig) setUp() {
	r.t.Helper()
	for name, text := range map[string]string{
		"sites.yaml":   sites,
		"policy.yaml":  policy,
		"roster.csv":   roster,
		"devices.yaml": r.devices(),
		"answers.yaml": fmt.Sprintf("county: qinghe\nsites: sites.yaml\nports: {desk: %s, broker: %s}\n"+
			"gates: {policy: policy.yaml, devices: devices.yaml, roster: roster.csv}\n", port(r.desk), port(r.broker)),
	} {
		if err := os.WriteFile(r.county.Path("tmp/"+name), []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	out := r.county.run("root", "gatehouse", "setup", "--answers", "/tmp/answers.yaml")
	if !strings.Contains(out, "systemctl enable --now gatehouse-collect") {
		r.t.Errorf("setup does not say how the service is started: %s", out)
	}
	out, err := r.county.Run(r.t.Context(), "root", "gatehouse", "setup", "--answers", "/tmp/answers.yaml")
	if err == nil {
		r.t.Errorf("setup replaces a configuration: %s", out)
	}
	r.county.run("gatehouse", "gatehouse", "config", "check", "/etc/gatehouse/collect.yaml")
}
