package threats

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/leak"
	"gatehouse/simulator/program"
)

// leaks are searches through all that the programs have written, sent and shown.
func leaks() []Row {
	return []Row{
		{
			ID: "T81", Name: "leaks", alone: true,
			Title:   "cards, names, passwords and keys are searched for in all that a county leaves",
			Control: "pseudonyms in place of numbers, hashes in place of passwords, keys in their own files",
			try:     searched,
		},
		{
			ID: "T82", Name: "leaks-on-the-wire", where: foreign, alone: true,
			Title:   "likewise, by somebody to whom the broker sends everything",
			Control: "pseudonyms in what is sent, sets of rules encrypted to their gate", try: searched,
		},
	}
}

// What people have and type in, and nobody may find.
const (
	guardCard   = "6204A1B7C9"
	unknownCard = "6209C3D85E"
	junkCard    = "620D51F6A3" // in bytes that the county can't read, and so keeps as they came
	junkOfCards = "junk of a card: "
	guardPIN    = "80531926"
	personName  = "欧阳慕容春晓"
	codeText    = "HOUSE-QR-7719-abcd"
	mistyped    = "pepper over the right shoulder" //nolint:gosec // a wrong password
)

// searched lets a county do all that it does, ends its programs in the middle of it, and
// searches what it leaves.
func searched(ctx context.Context, c *county) (string, error) {
	seen := c.path("seen")
	if err := os.MkdirAll(seen, 0o700); err != nil {
		return "", err
	}
	stop, err := c.eavesdrop(ctx, filepath.Join(seen, "mqtt"))
	if err != nil {
		return "", err
	}
	if err = c.liveADay(ctx, seen); err == nil {
		err = c.show(ctx, seen)
	}
	if err := errors.Join(err, stop()); err != nil {
		return "", err
	}
	for p, sig := range map[*program.Program]syscall.Signal{c.gates[0].agent: syscall.SIGQUIT,
		c.gates[1].agent: syscall.SIGABRT, c.collector: syscall.SIGQUIT} {
		p.End(sig, 20*time.Second)
		if !strings.Contains(p.Printed(), "goroutine ") {
			return "", fmt.Errorf("%s leaves no dump", p.Name)
		}
	}
	secrets, err := c.secrets()
	if err != nil {
		return "", err
	}
	got, err := leak.New(secrets...).Dir(c.dir, mayHold)
	if err != nil {
		return "", err
	}
	if len(got.Leaks) > 0 {
		return "", fmt.Errorf("%d leaks:\n%s", len(got.Leaks), strings.Join(got.Leaks, "\n"))
	}
	if got.Allowed < len(secrets)/2 {
		return "", fmt.Errorf("%d secrets are found in their own places only %d times: the search is blind",
			len(secrets), got.Allowed)
	}
	return fmt.Sprintf("%d secrets in no other than their own places of %d files, %d MiB", len(secrets), got.Files,
		got.Bytes>>20), nil
}

// eavesdrop writes what the broker sends to somebody who asks for everything to a file, at a
// broker of others. stop ends it.
func (c *county) eavesdrop(ctx context.Context, path string) (stop func() error, err error) {
	if c.where != foreign {
		return func() error { return nil }, nil
	}
	m, err := c.hostile(ctx, "eavesdropper")
	if err != nil {
		return nil, err
	}
	if code := m.subscribe("#"); code > 2 {
		return nil, fmt.Errorf("it may not hear all: %d", code)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	var reading sync.WaitGroup
	n := 0
	reading.Go(func() {
		for {
			p, err := m.message()
			if err != nil {
				return
			}
			if strings.HasPrefix(string(p.Payload), junkOfCards) {
				continue // what this row has sent itself
			}
			n++
			fmt.Fprintf(f, "%s\n%s\n", p.TopicName, p.Payload)
		}
	})
	return func() error {
		m.close()
		reading.Wait()
		if n == 0 {
			return errors.New("it has heard nothing")
		}
		return f.Close()
	}, nil
}

// liveADay lets people and guards pass, be refused and have fever, rules be published, wrong
// ones be refused, and others mistype.
func (c *county) liveADay(ctx context.Context, seen string) error {
	hash, err := policy.NewGuardPIN(guardPIN)
	if err != nil {
		return err
	}
	if err := c.put("enrol/default/guards.csv", "guard,card,pin\neast-1,"+guardCard+","+hash+"\n"); err != nil {
		return err
	}
	if _, err := c.run(ctx, "rules", "import", "--approve", "--config", c.path("collect.yaml")); err != nil {
		return err
	}
	for _, g := range c.gates {
		if ok := await(ctx, 30*time.Second, func() bool {
			said := g.agent.Printed()
			return strings.Contains(said, "the county's rules are in force")
		}); !ok {
			return fmt.Errorf("the county's rules do not come to %s", g.id)
		}
		for _, who := range []bench.Person{
			resident, {Reader: "reader", Card: guardCard}, {Screening: 3660, Reader: "reader", Card: unknownCard},
			{Screening: 3650, Reader: "scanner", Card: codeText},
			{Screening: 3890, Reader: "reader", Card: resident.Card},
		} {
			if err := g.hw.Present(ctx, who); err != nil {
				return err
			}
		}
		if _, err := c.delivers(ctx, g); err != nil {
			return err
		}
	}
	return c.mistakes(ctx, seen)
}

// mistakes are what people and programs do wrong, with secrets in it.
func (c *county) mistakes(ctx context.Context, seen string) error {
	wrong := "card,class,status,household,from,until,name\n" + unknownCard + ",resident,active,,,," + personName + "\n"
	if err := c.put("wrong/roster.csv", wrong); err != nil {
		return err
	}
	said, err := c.run(ctx, "rules", "import", "--approve", "--kind", "roster", "--config", c.path("collect.yaml"),
		c.path("wrong", "roster.csv"))
	if err == nil {
		return errors.New("a roster with names is taken")
	}
	if err := os.WriteFile(filepath.Join(seen, "refused"), []byte(said+err.Error()), 0o600); err != nil {
		return err
	}
	for _, body := range []string{fmt.Sprintf(`{"name":"li","password":%q}`, mistyped),
		fmt.Sprintf(`{"name":%q,"password":"x"}`, mistyped)} { // into the wrong field
		if a, err := c.browser(68).ask(ctx, http.MethodPost, "/api/login", body); err != nil ||
			a.status < http.StatusBadRequest {
			return errors.Join(err, fmt.Errorf("a wrong password: %d", a.status))
		}
	}
	err = c.admin.post(ctx, "/api/command", map[string]string{"agent": c.gates[0].id,
		"action": string(fact.CommandNotice), "zh": "通知", "reason": "试"}, nil)
	if err != nil || c.where != foreign {
		return err
	}
	m, err := c.hostile(ctx, "junk-of-cards")
	if err != nil {
		return err
	}
	defer m.close()
	return m.sends(wire.Topic(countyID, "gate-002", wire.LeafRecords), []byte(junkOfCards+junkCard))
}

// show writes what pages, exports and commands show to files.
func (c *county) show(ctx context.Context, seen string) error {
	keep := func(name, text string) error {
		name = strings.NewReplacer("/", "_", "?", "_").Replace(name)
		return os.WriteFile(filepath.Join(seen, name), []byte(text), 0o600)
	}
	for _, path := range []string{
		"/", "/live", "/api/session", "/api/hours?for=1h", "/api/checks", "/api/runs", "/api/alerts", "/api/audit",
		"/api/losses", "/api/retention", "/api/users", "/api/tokens", "/api/enrol", "/api/rules", "/api/invites",
		"/api/gate?agent=gate-001", "/api/gate?agent=gate-002", "/api/commands?agent=gate-001", "/api/consents",
	} {
		a, err := c.admin.ask(ctx, http.MethodGet, path, "")
		if err == nil {
			err = keep("desk"+path, a.body)
		}
		if err != nil {
			return err
		}
	}
	for _, format := range []string{"jsonl", "csv", "parquet"} {
		if _, err := c.run(ctx, "export", "--dir", c.path("county"), "--format", format, "--kind", "passage",
			"--file", filepath.Join(seen, "export."+format)); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"quarantine", "list"}, {"audit", "export", "--format", "jsonl"}} {
		said, err := c.run(ctx, append(args, "--dir", c.path("county"))...)
		if err == nil {
			err = keep(args[0], said)
		}
		if err != nil {
			return err
		}
	}
	return c.screens(ctx, keep)
}

// screens keeps what browsers show of the guards' screens and of the desk's first page.
func (c *county) screens(ctx context.Context, keep func(name, text string) error) error {
	pages := map[string]string{"page-desk": c.url}
	for _, g := range c.gates {
		pages["page-"+g.id] = "http://" + g.kiosk
	}
	for name, url := range pages {
		profile := c.path("chromium", name)
		cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu",
			"--ignore-certificate-errors", "--user-data-dir="+profile, "--virtual-time-budget=3000", "--dump-dom", url)
		out, err := cmd.Output()
		if errors.Is(err, exec.ErrNotFound) {
			return errors.New("chromium is missing: run make tools")
		}
		if err != nil || len(out) < 100 {
			return fmt.Errorf("the page %s in Chromium: %w, %d bytes", url, err, len(out))
		}
		if err := keep(name, string(out)); err != nil {
			return err
		}
	}
	return nil
}
