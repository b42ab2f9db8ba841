package enrol

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity"
)

func newCode(t *testing.T, agent string) enrolment.Code {
	t.Helper()
	c, err := enrolment.NewCode("qinghe", agent, []string{"http://127.0.0.1:1"}, [16]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// staged returns a folder whose enrolment has all files, beside a gate of before.
func staged(t *testing.T) folder {
	t.Helper()
	f := folder{filepath.Join(t.TempDir(), "gate")}
	if err := f.make(); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"agent.yaml": "agent: gate-001\n", "roster.csv": "old"} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.begin(newCode(t, "gate-001"), true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := identity.LoadOrCreateKey(f.state(enrolment.KeyFile)); err != nil {
		t.Fatal(err)
	}
	b := enrolment.Bundle{Certificate: []byte("c"), Files: []enrolment.File{
		{Name: "agent.yaml", Bytes: []byte("agent: gate-001 # new\n")}, {Name: "roster.csv", Bytes: []byte("new")}}}
	if err := errors.Join(f.stage(b, []byte("ca"), "secret"), f.ready()); err != nil {
		t.Fatal(err)
	}
	return f
}

func read(t *testing.T, f folder, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

// Wherever the power goes while files are moved: either the configuration is missing, or
// all files beside it are new; and the next call moves the rest.
func TestAPowerCutLeavesNoHalfWrittenGate(t *testing.T) {
	for _, moved := range [][]string{{}, {"agent.key"}, {"roster.csv", "agent.crt"},
		{"agent.key", "agent.crt", "county-ca.crt", "roster.csv"}} {
		f := staged(t)
		main := filepath.Join(f.dir, "agent.yaml")
		if err := os.Rename(main, main+before); err != nil {
			t.Fatal(err)
		}
		for _, name := range moved {
			if err := os.Rename(f.state(filepath.Join(stageDir, name)), filepath.Join(f.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		if !Begun(f.dir) || !f.staged() {
			t.Fatal("the enrolment is forgotten")
		}
		if p, err := f.begin(enrolment.Code{}, false); err != nil || p.code.Agent != "gate-001" {
			t.Fatalf("it does not go on: %v", err)
		}
		if err := f.commit(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(read(t, f, "agent.yaml"), "new") || read(t, f, "roster.csv") != "new" ||
			read(t, f, "agent.yaml"+before) != "agent: gate-001\n" || read(t, f, "agent.key") == "" ||
			read(t, f, "agent.age") != "secret\n" || Begun(f.dir) {
			t.Errorf("after %q were moved the gate is not whole", moved)
		}
	}
}

// The power went when all was moved, and what the enrolment needed was not removed yet.
func TestAPowerCutAtTheVeryEnd(t *testing.T) {
	f := staged(t)
	if err := f.moveAll(); err != nil {
		t.Fatal(err)
	}
	if err := f.commit(); err != nil || read(t, f, "roster.csv") != "new" || Begun(f.dir) {
		t.Errorf("%v", err)
	}
}

func TestAFolderIsOneGates(t *testing.T) {
	f := staged(t)
	if err := f.commit(); err != nil {
		t.Fatal(err)
	}
	if err := f.make(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.begin(newCode(t, "gate-001"), false); !errors.Is(err, ErrThere) {
		t.Errorf("without --again: %v", err)
	}
	if _, err := f.begin(newCode(t, "gate-002"), true); err == nil || !strings.Contains(err.Error(), "gate-002") {
		t.Errorf("another gate: %v", err)
	}
	if _, err := f.begin(enrolment.Code{}, true); err == nil || !strings.Contains(err.Error(), "give the code") {
		t.Errorf("no code: %v", err)
	}
	first, err := f.begin(newCode(t, "gate-001"), true)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.begin(first.code, true); err != nil || again.Secret != first.Secret {
		t.Errorf("the same code does not go on: %v", err)
	}
	other, err := f.begin(newCode(t, "gate-001"), true)
	if err != nil || other.Secret == first.Secret {
		t.Errorf("another code goes on with the first: %v", err)
	}
}
