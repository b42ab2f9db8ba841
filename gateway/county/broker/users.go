package broker

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"gatehouse/gateway/secret"
	"gatehouse/gateway/wire"
)

// user is who has a password.
type user struct {
	kind kind
	hash string // bcrypt
}

// readUsers reads lines of name:bcrypt-hash, such as htpasswd -nbB makes, or
// name:bcrypt-hash:kind. Empty lines and lines that begin with # are skipped. A name is
// an id, or "collector"; a kind is agent, machine or reader, and agent if none is given.
func readUsers(path string) (map[string]user, error) {
	text, err := secret.Text(path)
	if err != nil {
		return nil, fmt.Errorf("broker: users_file: %w", err)
	}
	users, err := parseUsers(string(text))
	if err != nil {
		return nil, fmt.Errorf("broker: users_file %s: %w", path, err)
	}
	return users, nil
}

func parseUsers(text string) (map[string]user, error) {
	users := map[string]user{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, rest, _ := strings.Cut(line, ":")
		hash, word, _ := strings.Cut(rest, ":")
		if err := wire.CheckID(name); err != nil {
			return nil, fmt.Errorf("line %d: user %w", n, err)
		}
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			return nil, fmt.Errorf("line %d: user %s: no bcrypt hash follows the colon; "+
				"make the line with: htpasswd -nbB %s PASSWORD", n, name, name)
		}
		k, ok := kindOf(name, word)
		if !ok {
			return nil, fmt.Errorf("line %d: user %s: %q is no kind: write agent, machine or reader after the hash, "+
				"or nothing for an agent", n, name, word)
		}
		if _, twice := users[name]; twice {
			return nil, fmt.Errorf("line %d: user %s is listed twice", n, name)
		}
		users[name] = user{k, hash}
	}
	if len(users) == 0 {
		return nil, errors.New("lists no user")
	}
	return users, nil
}

// kindOf returns what a user is. The collector is always that.
func kindOf(name, word string) (kind, bool) {
	switch k := kind(word); {
	case name == wire.CollectorID:
		return collector, word == ""
	case word == "":
		return agent, true
	default:
		return k, k == agent || k == machine || k == reader
	}
}

// writeOwn writes the password of this process's own clients to a file that only this
// account can read.
func writeOwn(dir, password string) (file string, err error) {
	file = filepath.Join(dir, "county.password")
	// An older file could be readable by others.
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("broker: replace the county's own password: %w", err)
	}
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("broker: write the county's own password: %w", err)
	}
	return file, nil
}

// newSecret returns a secret that nobody guesses.
func newSecret() string { return rand.Text() }
