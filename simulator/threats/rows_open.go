package threats

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func openListeners(ctx context.Context, c *county) (string, error) {
	base := "county: qinghe\ndir: open/county\nsites: sites.yaml\n"
	tls := "tls: {cert: enrol/default/server.crt, key: server.key}"
	files := map[string]string{
		"broker without TLS":            base + "broker: {embedded: {listen: \"0.0.0.0:0\", users_file: users}}\n",
		"broker without users":          base + "broker: {embedded: {listen: \"0.0.0.0:0\", " + tls + "}}\n",
		"broker at any address":         base + "broker: {embedded: {listen: \":0\"}}\n",
		"broker at any IPv6 address":    base + "broker: {embedded: {listen: \"[::]:0\"}}\n",
		"desk without TLS":              base + "desk: {listen: \"0.0.0.0:0\"}\n",
		"desk at any address":           base + "desk: {listen: \":0\"}\n",
		"desk at any address without..": base + "desk: {listen: \"[::]:0\", hosts: [desk.example]}\n",
	}
	for what, text := range files {
		if err := c.put("open.yaml", text); err != nil {
			return "", err
		}
		err := c.refusesToStart(ctx, what, "open to the network", "collect", "--config", c.path("open.yaml"))
		if err != nil {
			return "", err
		}
	}
	err := c.refusesToStart(ctx, "gatehouse broker", "open to the network", "broker",
		"--listen", "0.0.0.0:0", "--dir", c.path("open"))
	if err != nil {
		return "", err
	}
	for _, at := range []string{"0.0.0.0:0", "[::]:0"} {
		if err := c.refusesToStart(ctx, "the guard's screen", "this computer only", "agent", "--config",
			filepath.Join(c.gates[0].dir, "agent.yaml"), "--dir", c.path("open-journal"), "--kiosk", at); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d configurations, all refused at the start", len(files)+3), nil
}

// refusesToStart runs a program that must end at once, with an error that names because.
func (c *county) refusesToStart(ctx context.Context, what, because string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	said, err := c.run(ctx, args...)
	switch {
	case err == nil:
		return fmt.Errorf("%s: ends without an error: %s", what, said)
	case ctx.Err() != nil:
		return fmt.Errorf("%s: it starts: %s", what, said)
	case !strings.Contains(said, because):
		return fmt.Errorf("%s: refused, but not because of %q: %s", what, because, said)
	}
	return nil
}

func passwordInClear(ctx context.Context, c *county) (string, error) {
	own, err := os.ReadFile(filepath.Join(c.gates[0].dir, "agent.yaml"))
	if err != nil {
		return "", err
	}
	if err := c.put("gate-001/broker.password", password); err != nil {
		return "", err
	}
	_, brokerLine, _ := strings.Cut(string(own), "broker:")
	brokerLine, _, _ = strings.Cut(brokerLine, "\n")
	urls := []string{"tcp://192.0.2.1:1883", "ws://county.example/mqtt", "tcp://county.example:1883"}
	for _, url := range urls {
		text := strings.Replace(string(own), "broker:"+brokerLine,
			fmt.Sprintf("broker: {url: %q, username: gate-001, password_file: broker.password}", url), 1)
		if err := c.put("gate-001/clear.yaml", text); err != nil {
			return "", err
		}
		err := c.refusesToStart(ctx, url, "unencrypted", "agent", "--check", "--config",
			c.path("gate-001", "clear.yaml"))
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d addresses, all refused", len(urls)), nil
}
