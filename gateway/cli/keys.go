package cli

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"

	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/epochs"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/secret"
)

// openedKeys are the keys for pseudonyms that two people have opened.
type openedKeys struct {
	keys   []identity.SiteKey    // of all gates in all opened epochs, and the one that all gates have
	epochs map[epochs.Epoch]bool // whether it was opened
	shut   error                 // why one was not; nil: all were
}

// openKeys opens the epochs of a county with the files of two identities. An epoch that was
// encrypted to other people stays shut.
func openKeys(ctx context.Context, cfg centre.Config, identities []string) (*openedKeys, error) {
	list, err := epochs.ReadAll(cfg.EpochsDir())
	if err != nil {
		return nil, err
	}
	if len(list) > 0 && len(identities) != 2 {
		return nil, usageError{errors.New("give --identity twice: two of the people open the epochs")}
	}
	ids, err := readIdentities(identities)
	if err != nil {
		return nil, err
	}
	agents, err := agentsOf(ctx, cfg)
	if err != nil {
		return nil, err
	}
	out := &openedKeys{epochs: map[epochs.Epoch]bool{}}
	for _, s := range list {
		if len(ids) != 2 {
			return nil, usageError{errors.New("each file of --identity must hold one identity, AGE-SECRET-KEY-1…")}
		}
		b, err := s.Open(ids[0], ids[1])
		out.epochs[s.Epoch()] = err == nil
		if errors.Is(err, epochs.ErrTwo) {
			out.shut = err
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, agent := range slices.Concat(agents, slices.Sorted(maps.Keys(s.IDs))) {
			out.keys = append(out.keys, identity.GateKey(b, agent, s.From, s.Until).SiteKey)
		}
	}
	ring, err := identity.LoadRing(cfg.SiteKeyFile())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, k := range ring.Keys() {
		out.keys = append(out.keys, k.SiteKey)
	}
	return out, nil
}

// readIdentities returns the age identities in files.
func readIdentities(paths []string) (ids []string, err error) {
	for _, path := range paths {
		text, err := secret.Brought(path)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				ids = append(ids, line)
			}
		}
	}
	return ids, nil
}

// agentsOf returns the agents of which the store has journals.
func agentsOf(ctx context.Context, cfg centre.Config) (agents []string, err error) {
	a, err := centre.OpenReadOnly(cfg)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	list, err := a.Positions(ctx)
	for _, p := range list {
		agents = append(agents, p.Agent)
	}
	slices.Sort(agents)
	return slices.Compact(agents), err
}
