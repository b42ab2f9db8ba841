package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/testkit/loopback"
)

const containers = "../../deploy/container"

var homeVariable = regexp.MustCompile(`\$\{GATEHOUSE_HOME[^}]*\}`)

// compose reads a compose file with the Compose Specification's own library.
func compose(t *testing.T, text string) (model []byte, err error) {
	t.Helper()
	program, err := filepath.Abs("../../.tools/bin/compose-spec")
	must(t, err)
	file := filepath.Join(t.TempDir(), "compose.yaml")
	must(t, os.WriteFile(file, []byte(homeVariable.ReplaceAllString(text, "/srv/gatehouse")), 0o600))
	cmd := exec.CommandContext(t.Context(), program, "-format", "json", file)
	var said bytes.Buffer
	cmd.Stderr = &said
	if model, err = cmd.Output(); err != nil {
		return nil, fmt.Errorf("compose-spec: %w (make tools builds it): %s", err, said.Bytes())
	}
	return model, nil
}

func TestTheComposeFileIsValidAndItsContainersMayLittle(t *testing.T) {
	text, err := os.ReadFile("../../deploy/compose.yaml")
	must(t, err)
	if _, err := compose(t, strings.Replace(string(text), "restart:", "restarts:", 1)); err == nil ||
		!strings.Contains(err.Error(), "restarts") {
		t.Errorf("a key that there is not: %v", err)
	}
	model, err := compose(t, string(text))
	must(t, err)
	var file struct {
		Services map[string]struct {
			Image, User string
			ReadOnly    bool     `json:"read_only"`
			CapDrop     []string `json:"cap_drop"`
			SecurityOpt []string `json:"security_opt"`
			Network     string   `json:"network_mode"`
			Environment map[string]string
		}
	}
	must(t, json.Unmarshal(model, &file))
	if len(file.Services) != 8 {
		t.Errorf("%d services", len(file.Services))
	}
	pinned := regexp.MustCompile(`:v?\d+\.\d+\.\d+$`)
	for name, s := range file.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || s.User == "" || strings.HasPrefix(s.User, "0") ||
			!slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may too much: %+v", name, s)
		}
		if s.Image != "gatehouse:dev" && !pinned.MatchString(s.Image) {
			t.Errorf("%s: the image %s is not pinned", name, s.Image)
		}
		if name != "net" && s.Network != "service:net" {
			t.Errorf("%s has the network %q", name, s.Network)
		}
		for key := range s.Environment {
			secret := strings.Contains(key, "PASSWORD") || strings.Contains(key, "TOKEN")
			if secret && !strings.HasSuffix(key, "__FILE") {
				t.Errorf("%s: a secret in the environment: %s", name, key)
			}
		}
	}
}

// ports returns the environment with ports of this test's own.
func ports(t *testing.T, more ...string) (env []string, port map[string]string) {
	t.Helper()
	port = map[string]string{}
	env = append(os.Environ(), more...)
	for _, name := range []string{"DESK", "BROKER", "INSIDE", "INFLUX", "PROMETHEUS", "DEMO"} {
		address, err := loopback.Free(t.Context())
		must(t, err)
		port[name] = address[strings.LastIndex(address, ":")+1:]
		env = append(env, name+"="+port[name])
	}
	return env, port
}

// Browsers and gates take a certificate for an IP address only if it says that it is one.
func TestTheCertificatesAreForTheNameOrTheAddress(t *testing.T) {
	for _, host := range []string{"desk.example", "10.1.0.5", "fd00::5", "gate1.2.3.4.example"} {
		home := filepath.Join(t.TempDir(), "home")
		cmd := exec.CommandContext(t.Context(), containers+"/prepare.sh", home, host)
		cmd.Env, _ = ports(t, "STORE=sqlite", "ONE_ACCOUNT=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("prepare.sh %s: %v\n%s", host, err, out)
		}
		for _, name := range []string{"secrets/desk.crt", "broker-tls/broker.crt"} {
			cert, err := identity.LoadCertificate(filepath.Join(home, "gatehouse", name))
			must(t, err)
			if err := cert.VerifyHostname(host); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestEverySecretIsAFileOfItsOwnThatStays(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	made := func() map[string]string {
		cmd := exec.CommandContext(t.Context(), containers+"/prepare.sh", home, "desk.example")
		cmd.Env, _ = ports(t)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("prepare.sh: %v\n%s", err, out)
		}
		secrets := map[string]string{}
		must(t, filepath.WalkDir(home, func(path string, e fs.DirEntry, err error) error {
			name := filepath.Base(path)
			if err != nil || e.IsDir() || !regexp.MustCompile(`\.(key|token|password)$`).MatchString(name) {
				return err
			}
			info, err := e.Info()
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s has the mode %v, %v", path, info.Mode(), err)
			}
			text, err := os.ReadFile(path)
			secrets[path] = string(text)
			return err
		}))
		return secrets
	}
	first := made()
	if len(first) < 9 {
		t.Errorf("%d secrets", len(first))
	}
	values := map[string]int{}
	for path, text := range made() {
		if first[path] != text {
			t.Errorf("%s is another one the second time", path)
		}
		values[text]++
	}
	for text, n := range values {
		if n > 1 && text != first[filepath.Join(home, "prometheus/secrets/metrics.token")] {
			t.Errorf("%d files hold the same secret", n)
		}
	}
}

// The folder of the image has all that the program needs, as the account of the image.
func TestTheProgramRunsInTheFolderOfTheImage(t *testing.T) {
	root := filepath.Join(t.TempDir(), "rootfs")
	out, err := exec.CommandContext(t.Context(), containers+"/rootfs.sh", "../../bin/gatehouse", root).CombinedOutput()
	if err != nil {
		t.Fatalf("rootfs.sh: %v (make build)\n%s", err, out)
	}
	for dir := root; dir != "/"; dir = filepath.Dir(dir) { // the test's own folders, for the other account
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&1 == 0 {
			must(t, os.Chmod(dir, info.Mode().Perm()|0o111)) //nolint:gosec // this test's
		}
	}
	cmd := exec.CommandContext(t.Context(), "/usr/bin/gatehouse", "version")
	cmd.Dir = "/gatehouse"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 10001, Gid: 10001}}
	out, err = cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "gatehouse") {
		t.Errorf("%v (chroot needs root): %s", err, out)
	}
}

// withoutContainers starts the script with two simulated gates, and returns where
// Prometheus is. With the test all its programs end.
func withoutContainers(t *testing.T, home string, more ...string) (prometheus, map[string]string) {
	t.Helper()
	cmd := exec.Command(containers+"/without-containers.sh", home, "--demo", "2")
	var port map[string]string
	cmd.Env, port = ports(t, more...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	must(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			t.Error("the script does not end its programs")
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		text, err := os.ReadFile(log.Name())
		must(t, err)
		if strings.Contains(string(text), "\nready: ") {
			return prometheus{"http://127.0.0.1:" + port["PROMETHEUS"]}, port
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the script has ended: %v\n%s", err, text)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("not ready after two minutes:\n%s", text)
		}
	}
}

// awaitStored waits until the demo's gates have delivered, as Prometheus has scraped it.
func (p prometheus) awaitStored(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(250 * time.Millisecond) {
		stored, online := p.ask("gatehouse_committed_records_total", ""), p.ask(`gatehouse_gates{state="online"}`, "")
		if stored[""] >= 5 && online[""] == 2 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%v records are stored, %v gates online", stored, online)
		}
	}
}

// What compose.yaml mounts starts the programs themselves, with SQLite.
func TestTheSetStartsWithoutContainers(t *testing.T) {
	p, _ := withoutContainers(t, filepath.Join(t.TempDir(), "home"), "STORE=sqlite")
	p.awaitStored(t)
	var answer struct {
		Data struct {
			ActiveTargets []struct {
				Labels map[string]string
				Health string
			}
		}
	}
	if !p.get("targets", url.Values{}, &answer) || len(answer.Data.ActiveTargets) != 2 {
		t.Fatalf("targets %+v", answer)
	}
	for _, target := range answer.Data.ActiveTargets {
		if target.Health == "down" { // the other may not have been asked yet
			t.Errorf("%v is %s", target.Labels, target.Health)
		}
	}
	p.testRules(t)
}
