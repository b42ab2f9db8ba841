package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/identity"
)

// before is the folder of the configurations of the version that make build builds as
// bin/gatehouse-earlier.
const before = "testdata/before"

// earlier copies the files of the earlier version into a folder, with the keys that its
// collector would have made.
func earlier(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(before)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "roster.example.csv"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := identity.LoadOrCreateCollectorKey(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.CreateSiteKey(filepath.Join(dir, "site.key")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestConfigurationsOfTheVersionBeforePass(t *testing.T) {
	dir := earlier(t)
	for _, name := range []string{"collect.example.yaml", "agent.example.yaml"} {
		r, err := checkFile(filepath.Join(dir, name), "", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Faults {
			t.Errorf("%s:%d: %s", name, f.Line, f.Text)
		}
	}
	r, err := checkFile(filepath.Join(dir, "agent.example.yaml"), "", time.Now())
	if err != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Text, "gatehouse enrol") {
		t.Errorf("warnings %v, %v", r.Warnings, err)
	}
}

// What the version before allowed and this one does not is said with what to write.
func TestWhatIsRefusedSinceTheVersionBeforeSaysWhatToWrite(t *testing.T) {
	dir := earlier(t)
	for _, name := range []string{"desk.pem", "desk.key", "influx.token"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil { //nolint:gosec // that is it
			t.Fatal(err)
		}
	}
	r, err := checkFile(filepath.Join(dir, "collect-office.yaml"), "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range r.Faults {
		all = append(all, f.Text)
	}
	for _, want := range []string{"write https://10.0.0.5", "chmod 600 " + filepath.Join(dir, "influx.token"),
		"desk.pem is no PEM file"} {
		if !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("%q is not said in\n%s", want, strings.Join(all, "\n"))
		}
	}
	if err := os.Chmod(filepath.Join(dir, "roster.example.csv"), 0o644); err != nil { //nolint:gosec // that is it
		t.Fatal(err)
	}
	r, err = checkFile(filepath.Join(dir, "agent.example.yaml"), "", time.Now())
	if err != nil || len(r.Faults) != 1 || !strings.Contains(r.Faults[0].Text, "chmod 600") {
		t.Errorf("faults %v, %v", r.Faults, err)
	}
}

func TestTheExamplesAreOfTheirKinds(t *testing.T) {
	for name, want := range map[string]string{"collect": "collect", "agent": "agent", "machines": "machines"} {
		text, err := os.ReadFile("../../deploy/" + name + ".example.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if got := guessKind(text); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if guessKind(nil) != "collect" || guessKind([]byte("nothing: 1\n")) != "collect" {
		t.Error("a file without keys is of another kind")
	}
}

func TestOnlyFilesOfTheServicesAreReadAsTheirUser(t *testing.T) {
	for path, want := range map[string]bool{"/etc/gatehouse/collect.yaml": true, "/etc/gatehouse-x/collect.yaml": false,
		"/var/lib/gatehouse/gate/agent.yaml": true, "collect.yaml": false, "/root/collect.yaml": false} {
		if ofServices([]string{path}) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}
