package threats

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// secrets are accounts of the same computer that read what is not theirs.
func secrets() []Row {
	return append([]Row{
		{
			ID: "T41", Name: "file-modes", Title: "another account reads what the programs have written",
			Control: "0600 in 0700", try: fileModes,
		},
		{
			ID: "T42", Name: "readable-secrets",
			Title:   "a secret that the configuration names can be read by others",
			Control: "refused at the start, with the command that mends it", try: readableSecrets,
		},
		{
			ID: "T43", Name: "influx-token", Title: "the token of InfluxDB is searched for in logs and files",
			Control: "it is read from a file of its own, and goes nowhere else", try: influxToken,
		},
		{
			ID: "T44", Name: "authority-in-backup",
			Title:   "the county's folder, which is backed up, is read by others",
			Control: "the authority's key lies apart; passwords, sessions and tokens as hashes", try: authorityApart,
		},
	}, revocations()...)
}

// public are files that others may read.
var public = []string{"collector.pub", "agent.crt", "county-ca.crt", "server.crt", "ca.crt", "authority.crt"}

func fileModes(_ context.Context, c *county) (string, error) {
	n := 0
	for _, dir := range append([]string{"county", "county-ca"}, c.gates[0].id, c.gates[1].id) {
		err := filepath.WalkDir(c.path(dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // files go while programs run
			}
			info, err := d.Info()
			if err != nil || !d.IsDir() && !d.Type().IsRegular() {
				return nil //nolint:nilerr // likewise
			}
			n++
			inside := strings.Contains(path, filepath.Join("county", "broker")) // below a folder 0700
			if info.Mode().Perm()&0o077 != 0 && !inside && !slices.Contains(public, filepath.Base(path)) {
				return fmt.Errorf("%s has mode %v", path, info.Mode())
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d files and folders, none for others", n), nil
}

// readableSecrets starts collector and agent with each secret readable by others.
func readableSecrets(ctx context.Context, c *county) (string, error) {
	copied := c.path("readable")
	if err := os.CopyFS(copied, os.DirFS(c.path(c.gates[0].id))); err != nil {
		return "", err
	}
	if err := os.RemoveAll(filepath.Join(copied, "journal")); err != nil { // the rules of before lie there
		return "", err
	}
	for _, name := range []string{"server.key", "users"} {
		if err := copyFile(c.path(name), filepath.Join(copied, name)); err != nil {
			return "", err
		}
	}
	if err := c.putReadable(copied); err != nil {
		return "", err
	}
	agentFile, collectFile := filepath.Join(copied, "agent.yaml"), filepath.Join(copied, "collect.yaml")
	secrets := map[string][]string{
		"agent.key":   {"agent", "--config", agentFile},
		"site.key":    {"agent", "--config", agentFile},
		"users":       {"collect", "--config", collectFile},
		"server.key":  {"collect", "--config", collectFile},
		"token":       {"collect", "--config", collectFile},
		"scrape":      {"collect", "--config", collectFile},
		"desk.key":    {"collect", "--config", collectFile},
		"mavlink.key": {"agent", "--config", filepath.Join(copied, "machines.yaml")},
	}
	var taken []string
	for name, args := range secrets {
		path := filepath.Join(copied, name)
		for _, mode := range []os.FileMode{0o640, 0o604} {
			if err := os.Chmod(path, mode); err != nil {
				return "", err
			}
			if err := c.refusesToStart(ctx, name, "chmod 600", append(args, "--log-level", "error")...); err != nil {
				taken = append(taken, err.Error())
				break
			}
		}
		if err := os.Chmod(path, 0o600); err != nil {
			return "", err
		}
	}
	if len(taken) > 0 {
		slices.Sort(taken)
		return "", fmt.Errorf("taken although others may read it: %s", strings.Join(taken, ", "))
	}
	return fmt.Sprintf("%d secrets at 0640 and 0604, all refused", len(secrets)), nil
}

// putReadable writes the configurations that name secrets.
func (c *county) putReadable(dir string) error {
	if err := copyFile(filepath.Join(dir, "server.key"), filepath.Join(dir, "desk.key")); err != nil {
		return err
	}
	own, err := os.ReadFile(filepath.Join(dir, "agent.yaml"))
	if err != nil {
		return err
	}
	rel := func(name string) string { return filepath.Join("readable", name) }
	for name, text := range map[string]string{
		"token": "secret-token", "scrape": "secret-scrape-token-of-24", "mavlink.key": "secret passphrase",
		"agent.yaml": strings.Replace(string(own), c.gates[0].kiosk, "127.0.0.1:0", 1),
		"machines.yaml": "county: qinghe\nagent: drones\ndir: drones\nbroker: {url: \"tcp://127.0.0.1:1\"}\n" +
			"collector_key: collector.pub\nmachines: [{machine: drone-1, type: drone, name: 一号}]\n" +
			"mavlink: [{udp: \"127.0.0.1:0\", key_file: mavlink.key, vehicles: [{system: 1, machine: drone-1}]}]\n",
		"collect.yaml": fmt.Sprintf("county: qinghe\ndir: county\nsites: ../sites.yaml\nbroker: {embedded: {listen: "+
			"\"127.0.0.1:0\", users_file: users, tls: {cert: ../enrol/default/server.crt, key: server.key}}}\n"+
			"desk: {listen: \"127.0.0.1:0\", metrics_token_file: scrape, tls: {cert: ../enrol/default/server.crt, "+
			"key: desk.key}}\ninflux: {url: %q, bucket: a/b, token_file: token}\n", "http://127.0.0.1:1"),
	} {
		if err := c.put(rel(name), text); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	return err
}

func influxToken(ctx context.Context, c *county) (string, error) {
	const token = "influx-token-Zq81xW" //nolint:gosec // of no InfluxDB
	files := map[string]string{
		"influx/token": "county:" + token,
		"influx/collect.yaml": "county: qinghe\ndir: county\nsites: ../sites.yaml\nbroker: {embedded: {listen: " +
			"\"127.0.0.1:0\"}}\ninflux: {url: \"http://127.0.0.1:1\", bucket: a/b, token_file: token}\n",
	}
	for name, text := range files {
		if err := c.put(name, text); err != nil {
			return "", err
		}
	}
	p := c.program(
		"influx/collect",
		"collect",
		"--config",
		c.path("influx", "collect.yaml"),
		"--log-level",
		"debug",
	)
	if _, err := p.Start(); err != nil {
		return "", err
	}
	defer p.End(syscall.SIGKILL, 0)
	if ok := await(ctx, 20*time.Second, func() bool {
		return strings.Contains(p.Printed(), "InfluxDB") || strings.Contains(p.Printed(), "influx")
	}); !ok {
		return "", fmt.Errorf("the collector says nothing of InfluxDB: %s", p.Tail())
	}
	p.End(syscall.SIGQUIT, 10*time.Second) // the dump of all goroutines is in the log
	if !strings.Contains(p.Printed(), "goroutine ") {
		return "", errors.New("there is no dump")
	}
	n, err := occurrences(c.path("influx"), token)
	if err != nil || n != 1 {
		return "", errors.Join(err, fmt.Errorf("it stands in %d files", n))
	}
	return "found in its own file only, of log, dump and store", nil
}

func authorityApart(ctx context.Context, c *county) (string, error) {
	key, err := os.ReadFile(c.path("county-ca", "ca.key"))
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSpace(string(key)), "\n")
	if len(lines) < 3 {
		return "", errors.New("the authority's key is none")
	}
	secrets := map[string]string{"the authority's key": lines[1], "a password": password}
	for what, secret := range secrets {
		n, err := occurrences(c.path("county"), secret)
		if err != nil || n > 0 {
			return "", errors.Join(err, fmt.Errorf("%s stands in %d files of the county's folder", what, n))
		}
	}
	if err := c.put("inside.yaml", "county: qinghe\ndir: county\nsites: sites.yaml\nca_dir: county/ca\n"); err != nil {
		return "", err
	}
	return "neither key nor password in the folder; a ca_dir inside it is refused",
		c.refusesToStart(ctx, "ca_dir inside dir", "ca_dir", "collect", "--config", c.path("inside.yaml"))
}
