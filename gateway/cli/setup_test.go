package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/county/profiles"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/lockfile"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/setup"
	"gatehouse/gateway/site"
)

var discard = slog.New(slog.DiscardHandler)

// setUp runs setup with a file of answers.
func setUp(t *testing.T, dir, answers string, flags ...string) (code int, out, errOut string) {
	t.Helper()
	file := filepath.Join(dir, "answers.yaml")
	if err := os.WriteFile(file, []byte(answers), 0o600); err != nil {
		t.Fatal(err)
	}
	var o, e bytes.Buffer
	args := append([]string{"setup", "--answers", file, "--dir", filepath.Join(dir, "etc"),
		"--data", filepath.Join(dir, "var")}, flags...)
	code = Run(t.Context(), args, nil, &o, &e)
	return code, o.String(), e.String()
}

// What set-up writes passes config check, and what it gives to gates makes a gate's
// configuration that passes too, for each way in which a county can be reached.
func TestWhatSetupWritesIsRight(t *testing.T) {
	pair := t.TempDir()
	by, err := setup.NewAuthority("x", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	own, err := setup.NewServer(by, []string{"desk.example"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"own.pem": own.Cert, "own.key": own.Key, "ca.pem": by.Cert,
		"token": []byte("secret\n")} {
		if err := os.WriteFile(filepath.Join(pair, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, answers := range map[string]string{
		"one computer": "county: qinghe\n",
		"made":         "county: qinghe\naddress: 127.0.0.1\nname: 清和县\n",
		"proxy":        "county: qinghe\naddress: localhost\ntls: {mode: proxy}\n",
		"own": fmt.Sprintf("county: qinghe\naddress: localhost\ntls: {mode: own, cert: %[1]s/own.pem, "+
			"key: %[1]s/own.key, ca: %[1]s/ca.pem}\n", pair),
		"influx": fmt.Sprintf("county: qinghe\ninflux: {url: \"http://127.0.0.1:8086\", org: o, bucket: b, "+
			"token_file: %s/token}\ntime_zone: Asia/Urumqi\n", pair),
		"another broker": "county: qinghe\nbroker: tcp://127.0.0.1:1\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			code, out, errOut := setUp(t, dir, answers, "-o", "json")
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, errOut)
			}
			var said struct{ Config string }
			if err := json.Unmarshal([]byte(out), &said); err != nil {
				t.Fatal(err)
			}
			r, err := checkFile(said.Config, "", time.Now())
			if err != nil || !r.OK || r.Kind != "collect" || len(r.Warnings) > 0 {
				t.Errorf("%+v, %v", r, err)
			}
			gateOf(t, said.Config)
		})
	}
}

// gateOf makes the files of a gate as the collector would, and checks them.
func gateOf(t *testing.T, file string) {
	t.Helper()
	cfg, err := config.Load[centre.Config](file)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Beside(file)
	sites, err := site.Load(cfg.Sites)
	if err != nil {
		t.Fatal(err)
	}
	keys := t.TempDir()
	if _, _, err := identity.LoadOrCreateCollectorKey(keys); err != nil {
		t.Fatal(err)
	}
	p := profiles.New(profiles.Options{Dir: cfg.Enrol.Files, County: cfg.County, Sites: sites, URLs: cfg.Enrol.URLs,
		Now: time.Now, Collector: filepath.Join(keys, "collector.pub"), TimeZone: cfg.TimeZone,
		Ring: func(agent string, now time.Time) (identity.Ring, error) {
			return identity.NewRing(identity.GateKey(make([]byte, 32), agent, now, now.Add(time.Hour))), nil
		}})
	if err := p.Check("gate-001"); err != nil {
		t.Errorf("what gates get: %v", err)
	}
	files, err := p.Files("gate-001")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name != "agent.yaml" {
			continue
		}
		c, faults := config.Survey[agent.Config](f.Bytes)
		if len(faults) > 0 || c.Check() != nil {
			t.Errorf("agent.yaml: %v, %v in\n%s", faults, c.Check(), f.Bytes)
		}
	}
}

func TestSetupDoesNotReplaceWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	if code, _, errOut := setUp(t, dir, "county: qinghe\n"); code != 0 {
		t.Fatal(errOut)
	}
	file := filepath.Join(dir, "etc", "collect.yaml")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	code, _, errOut := setUp(t, dir, "county: beihe\n")
	after, _ := os.ReadFile(file)
	if code != 1 || !strings.Contains(errOut, "--again") || !bytes.Equal(before, after) {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	if code, _, errOut := setUp(t, dir, "conty: beihe\naddress: 'a b'\n"); code != 2 ||
		!strings.Contains(errOut, "answers.yaml:1: conty: unknown key: write county") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}

func TestSetupNoticesACollectorOfTheSameFolder(t *testing.T) {
	dir := t.TempDir()
	county := filepath.Join(dir, "var", "county")
	if err := os.MkdirAll(county, 0o700); err != nil {
		t.Fatal(err)
	}
	held, err := lockfile.Take(filepath.Join(county, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	code, _, errOut := setUp(t, dir, "county: qinghe\n")
	if code != 1 || !strings.Contains(errOut, "a collector runs on this computer") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	if _, err := os.Stat(filepath.Join(dir, "etc")); err == nil {
		t.Error("it has written something")
	}
}

// withoutDesk returns the configuration that setUp has written, without a desk.
func withoutDesk(t *testing.T, dir string) centre.Config {
	t.Helper()
	file := filepath.Join(dir, "etc", "collect.yaml")
	cfg, err := config.Load[centre.Config](file)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Beside(file)
	cfg.Desk, cfg.Enrol = nil, nil
	return cfg
}

// A second collector, with keys of its own, that somebody has installed by mistake.
func TestASecondCollectorIsNoticedAtTheBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	b, err := broker.Start(t.Context(), broker.Config{Listen: address, Dir: t.TempDir()}, discard)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	url := "tcp://" + address
	first := t.TempDir()
	if code, _, errOut := setUp(t, first, "county: qinghe\nbroker: "+url+"\nports: {desk: 1}\n"); code != 0 {
		t.Fatal(errOut)
	}
	second := t.TempDir()
	if code, _, errOut := setUp(t, second, "county: qinghe\nbroker: "+url+"\n"); code != 0 {
		t.Fatal(errOut)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	one := withoutDesk(t, first)
	running.Go(func() {
		if err := centre.Run(ctx, one, "test", discard); err != nil {
			t.Errorf("the first collector: %v", err)
		}
	})
	third := t.TempDir()
	const want = "another collector, with keys of its own, serves the county qinghe"
	for end := time.Now().Add(30 * time.Second); ; {
		code, _, errOut := setUp(t, third, "county: qinghe\nbroker: "+url+"\n", "--again")
		if code == 1 && strings.Contains(errOut, want) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("setup: exit code %d: %s", code, errOut)
		}
	}
	err = centre.Run(t.Context(), withoutDesk(t, second), "test", discard)
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--take-over") {
		t.Errorf("collect: %v", err)
	}
	public, err := identity.LoadCollectorPublic(filepath.Join(first, "var", "county", "collector.pub"))
	if err != nil {
		t.Fatal(err)
	}
	if other, err := collect.Another(t.Context(), mqtt.Broker{URL: url}, "qinghe", public); other != nil || err != nil {
		t.Errorf("a collector is another one than itself: %v, %v", other, err)
	}
}
