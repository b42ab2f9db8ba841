package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/testkit/swtpm"
)

// A gate whose key lies in a TPM comes to the broker by it, signs what it sends, and renews
// its certificate. A copy of its folder is of no use at another computer.
func TestAGateKeepsItsKeyInTheTPM(t *testing.T) {
	tpm := swtpm.Start(t)
	r := newEnrolRig(t)
	folder := r.path("gate")
	ended := r.start("enrol", "enrol", "--tpm", tpm.Path, "--dir", folder, r.newCode("gate-001"))
	r.approve("enrol")
	if got := r.code("enrol", ended); got != 0 ||
		!strings.Contains(r.output["enrol"].String(), "made in the TPM "+tpm.Path) {
		t.Fatalf("exit code %d: %s", got, r.output["enrol"])
	}
	r.private(folder)
	file := filepath.Join(folder, "agent.yaml")
	running := r.start("agent", "agent", "--config", file)
	r.await("the first passage", func() bool {
		if err := r.hw.Present(t.Context(), resident); err != nil {
			t.Fatal(err)
		}
		return r.passages("gate-001") > 0
	})
	r.renews(file)
	r.stop["agent"]()
	if got := r.code("agent", running); got != 0 {
		t.Errorf("agent: exit code %d: %s", got, r.output["agent"])
	}

	// The disk in another computer: its TPM has other secrets.
	tpm.Clear(t)
	if got := r.code("check", r.start("check", "agent", "--check", "--config", file)); got != 1 ||
		!strings.Contains(r.output["check"].String(), "enrol --again") {
		t.Errorf("a copied folder: exit code %d: %s", got, r.output["check"])
	}
	ended = r.start("again", "enrol", "--again", "--tpm", tpm.Path, "--dir", folder, r.newCode("gate-001"))
	r.approve("again")
	if got := r.code("again", ended); got != 0 {
		t.Fatalf("enrolled again: exit code %d: %s", got, r.output["again"])
	}
	if got := r.code("check", r.start("check", "agent", "--check", "--config", file)); got != 0 {
		t.Errorf("with its new key: exit code %d: %s", got, r.output["check"])
	}
}

// renews has the desk renew the certificate of a gate, as when somebody had changed it on
// the disk.
func (r *enrolRig) renews(file string) {
	r.t.Helper()
	cfg, err := config.Load[agent.Config](file)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, p := range cfg.Paths() {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(file), *p)
		}
	}
	before, err := os.ReadFile(cfg.Identity.Cert)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.Remove(cfg.Identity.Cert); err != nil {
		r.t.Fatal(err)
	}
	collector, err := identity.LoadCollectorPublic(cfg.CollectorKey)
	if err != nil {
		r.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	renewer := enrol.NewRenewer(cfg.Identity, cfg.County, cfg.Agent, collector, log)
	if err := renewer.Once(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if after, err := os.ReadFile(cfg.Identity.Cert); err != nil || !bytes.Equal(before, after) {
		r.t.Errorf("the certificate was not brought back: %v", err)
	}
}

// A TPM that is named and is not there is an error; one that is only looked for is not.
func TestATPMThatIsNotThere(t *testing.T) {
	r := newEnrolRig(t)
	got := r.code("enrol", r.start("enrol", "enrol", "--tpm", r.path("none"), "--dir", r.path("gate"),
		r.newCode("gate-001")))
	if got != 1 || !strings.Contains(r.output["enrol"].String(), "switched off in the computer's firmware") {
		t.Errorf("exit code %d: %s", got, r.output["enrol"])
	}
	if got := r.code("word", r.start("word", "enrol", "--tpm", "on", "--dir", r.path("gate"), "1")); got != 2 {
		t.Errorf("--tpm on: exit code %d: %s", got, r.output["word"])
	}
	before := time.Now()
	ended := r.start("goes on", "enrol", "--dir", r.path("gate"))
	r.approve("goes on")
	if got := r.code("goes on", ended); got != 0 {
		t.Errorf("after %s: exit code %d: %s", time.Since(before), got, r.output["goes on"])
	}
}
