package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/doctor"
	"gatehouse/gateway/sealed"
)

// clinic is a county and a gate that are in order.
type clinic struct {
	*enrolRig

	county, gate string // paths of their configurations
}

// newClinic puts a gate into service, makes a backup, and waits until records are stored.
func newClinic(t *testing.T) *clinic {
	t.Helper()
	_, recipient, err := sealed.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	r := startEnrolRig(t, true, "backup: {dir: backups, recipients: ["+recipient+"]}\n")
	c := &clinic{enrolRig: r, county: r.path("collect.yaml"), gate: r.path("gate/agent.yaml")}
	ended := r.start("enrol", "enrol", "--dir", r.path("gate"), r.newCode("gate-001"))
	r.approve("enrol")
	if got := r.code("enrol", ended); got != 0 {
		t.Fatalf("exit code %d: %s", got, r.output["enrol"])
	}
	r.start("agent", "agent", "--config", c.gate)
	if err := os.MkdirAll(r.path("backups"), 0o700); err != nil {
		t.Fatal(err)
	}
	if code := cli.Run(t.Context(), []string{"backup", "--config", c.county}, nil, r.output["agent"],
		r.output["agent"]); code != 0 {
		t.Fatalf("backup: %s", r.output["agent"])
	}
	r.await("the gate at the broker", func() bool {
		var gates struct{ Gates []struct{ Agent string } }
		return r.get("/api/enrol", &gates) == http.StatusOK && len(gates.Gates) > 0
	})
	return c
}

// sound fails when doctor finds something; the gate may still be on its way to the broker.
func (c *clinic) sound(t *testing.T) {
	t.Helper()
	for _, file := range []string{c.county, c.gate} {
		var bad []found
		for end := time.Now().Add(40 * time.Second); time.Now().Before(end); {
			code := 0
			if code, bad = c.look(t, file, healthy(), "en"); code == 0 && len(bad) == 0 {
				break
			}
		}
		for _, f := range bad {
			t.Errorf("%s is sound, and doctor finds %+v", file, f)
		}
	}
}

// found is a finding as doctor prints it.
type found struct {
	Check, On, What, Why, Cure string
	Verdict                    doctor.Verdict
}

// look runs doctor, and returns what is not ok.
func (c *clinic) look(t *testing.T, file string, p patient, language string) (code int, bad []found) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = cli.Doctor(t.Context(), p, []string{"--config", file, "-o", "json", "--language", language}, &out, &errOut)
	var all []found
	if err := json.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatalf("%v: %s%s", err, out.Bytes(), errOut.Bytes())
	}
	for _, f := range all {
		if f.Verdict != doctor.OK {
			bad = append(bad, f)
		}
	}
	return code, bad
}

// fault is one that is planted.
type fault struct {
	name    string
	plant   func(t *testing.T, c *clinic, p *patient) (file string)
	check   string
	verdict doctor.Verdict
	cure    string // that doctor names
}

// Done when: doctor finds each planted fault and names the cure, and finds none where
// there is none.
func TestDoctorFindsPlantedFaultsAndNamesTheirCures(t *testing.T) {
	c := newClinic(t)
	c.sound(t)
	all := slices.Concat(configFaults(), diskFaults(), networkFaults(), storeFaults(), gateFaults(), hostFaults())
	if len(all) < 20 {
		t.Fatalf("only %d faults", len(all))
	}
	for _, f := range all {
		t.Run(f.name, func(t *testing.T) {
			p := healthy()
			file := f.plant(t, c, &p)
			for _, language := range []string{"en", "zh"} {
				code, bad := c.look(t, file, p, language)
				i := slices.IndexFunc(bad, func(x found) bool { return x.Check == f.check && x.Verdict == f.verdict })
				if i < 0 {
					t.Fatalf("%s is not found: exit code %d, %+v", f.check, code, bad)
				}
				x := bad[i]
				if x.What == "" || x.Why == "" || !strings.Contains(x.Cure+x.What, f.cure) {
					t.Errorf("what %q, why %q, cure %q, want %q in it", x.What, x.Why, x.Cure, f.cure)
				}
				if want := map[bool]int{true: 1, false: 0}[f.verdict == doctor.Fail]; code < want {
					t.Errorf("exit code %d", code)
				}
			}
		})
	}
	c.sound(t)
}
