package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/edge/agent"
)

// configKind is a kind of configuration file.
type configKind struct {
	name, title string
	keys        []string // that files of this kind and of no other have
	check       func(path string, text []byte, now time.Time) (faults, warnings []config.Fault)
	show        func(path string, text []byte) ([]byte, error)
}

// configKinds returns the kinds, the most special first.
func configKinds() []configKind {
	return []configKind{
		{"machines", "an agent beside machines", []string{"mavlink", "modbus", "nmea"}, checkAgentText, showAgent},
		{"agent", "a gate", []string{"agent", "devices", "lanes", "kiosk", "contacts", "collector_key", "identity",
			"policy", "roster", "guards", "keep_days"}, checkAgentText, showAgent},
		{"broker", "a broker that runs alone", []string{"listen", "users_file"}, checkBrokerText, showBroker},
		{"collect", "the collector", []string{"sites", "desk", "enrol", "influx", "retention", "rules", "ca_dir",
			"epochs", "require_signed"}, checkCollectText, showCollect},
	}
}

func kindNames() (out []string) {
	for _, k := range configKinds() {
		out = append(out, k.name)
	}
	return out
}

func configKindOf(name string) configKind {
	kinds := configKinds()
	return kinds[slices.IndexFunc(kinds, func(k configKind) bool { return k.name == name })]
}

// guessKind returns the name of the kind whose own keys a file has most of, misspelled ones
// included; an agent beside machines has those of a gate, too.
func guessKind(text []byte) string {
	best, name := 0, "collect"
	for _, k := range configKinds() {
		n := 0
		for _, key := range config.Tops(text) {
			switch {
			case slices.Contains(k.keys, key):
				n += 2
			case config.Nearest(key, k.keys) != "":
				n++
			}
		}
		if k.name == "machines" && n > 1 {
			return k.name
		}
		if n > best {
			best, name = n, k.name
		}
	}
	return name
}

func checkCollectText(path string, text []byte, now time.Time) (faults, warnings []config.Fault) {
	cfg, faults := config.Survey[centre.Config](text)
	cfg.Beside(path)
	faults = more(faults, config.Faults(text, cfg.Check()))
	faults = more(faults, config.Faults(text, cfg.CheckFiles(now)))
	return faults, placed(text, cfg.OfBefore())
}

func checkAgentText(path string, text []byte, now time.Time) (faults, warnings []config.Fault) {
	cfg, faults := config.Survey[agent.Config](text)
	beside(path, cfg.Paths()...)
	faults = more(faults, config.Faults(text, cfg.Check()))
	if len(faults) == 0 {
		faults = more(faults, config.Faults(text, cfg.CheckFiles(now)))
	}
	warnings = placed(text, cfg.OfBefore())
	if len(faults) == 0 {
		if locked, err := agent.Check(cfg, now); err == nil && locked != "" {
			warnings = append(warnings, config.Fault{Text: "nobody could pass: " + locked})
		}
	}
	return faults, warnings
}

func checkBrokerText(path string, text []byte, _ time.Time) (faults, warnings []config.Fault) {
	cfg, faults := config.Survey[broker.Config](text)
	beside(path, &cfg.Dir, &cfg.UsersFile, &cfg.TLS.Cert, &cfg.TLS.Key, &cfg.TLS.CA)
	faults = more(faults, config.Faults(text, errors.Join(cfg.Check(), cfg.CheckUsers())))
	return faults, nil
}

// more adds faults of a check to those that are known, but for those that follow from them:
// a key that is misspelled is also missing, and a line that has a fault needs no second.
func more(faults, others []config.Fault) []config.Fault {
	for _, f := range others {
		key, _, _ := strings.Cut(f.Text, ":")
		follows := func(known config.Fault) bool {
			return f.Line > 0 && known.Line == f.Line || f.Line == 0 && strings.HasSuffix(known.Text, "write "+key)
		}
		if !slices.ContainsFunc(faults, follows) {
			faults = append(faults, f)
		}
	}
	slices.SortStableFunc(faults, func(a, b config.Fault) int { return a.Line - b.Line })
	return faults
}

// placed returns texts as faults, with their lines.
func placed(text []byte, list []string) (out []config.Fault) {
	for _, s := range list {
		line, _ := config.Place(text, s)
		out = append(out, config.Fault{Line: line, Text: s})
	}
	return out
}

func showCollect(path string, text []byte) ([]byte, error) {
	cfg, err := config.Parse[centre.Config](text)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", path, err)
	}
	cfg.Beside(path)
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config.Show(cfg.Effective(), text)
}

func showAgent(path string, text []byte) ([]byte, error) {
	cfg, err := config.Parse[agent.Config](text)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", path, err)
	}
	beside(path, cfg.Paths()...)
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config.Show(cfg.Effective(), text)
}

func showBroker(path string, text []byte) ([]byte, error) {
	cfg, err := config.Parse[broker.Config](text)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", path, err)
	}
	beside(path, &cfg.Dir, &cfg.UsersFile, &cfg.TLS.Cert, &cfg.TLS.Key, &cfg.TLS.CA)
	return config.Show(cfg, text)
}
