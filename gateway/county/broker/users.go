package broker

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"golang.org/x/crypto/bcrypt"

	"gatehouse/gateway/config"
	"gatehouse/gateway/wire"
)

// ownName is the user name of this process's own clients. It can't be in a users
// file, because it is not a valid id.
const ownName = "_county"

// loadUsers reads lines of name:bcrypt-hash, such as htpasswd -nbB makes.
// Empty lines and lines that begin with # are skipped. A name is an agent's id,
// or "collector".
func loadUsers(path string) ([]*server.User, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("broker: users_file: %w", err)
	}
	if text, err = config.Text(text); err != nil {
		return nil, fmt.Errorf("broker: users_file %s: %w", path, err)
	}
	users, err := parseUsers(string(text))
	if err != nil {
		return nil, fmt.Errorf("broker: users_file %s: %w", path, err)
	}
	return users, nil
}

func parseUsers(text string) ([]*server.User, error) {
	var users []*server.User
	seen := map[string]bool{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, hash, _ := strings.Cut(line, ":")
		if err := wire.CheckID(name); err != nil {
			return nil, fmt.Errorf("line %d: user %w", n, err)
		}
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			return nil, fmt.Errorf("line %d: user %s: no bcrypt hash follows the colon; "+
				"make the line with: htpasswd -nbB %s PASSWORD", n, name, name)
		}
		if seen[name] {
			return nil, fmt.Errorf("line %d: user %s is listed twice", n, name)
		}
		seen[name] = true
		users = append(users, &server.User{Username: name, Password: hash, Permissions: permissions(name)})
	}
	if len(users) == 0 {
		return nil, errors.New("lists no user")
	}
	return users, nil
}

// ownUser returns a user with a new random password, which it writes to a file
// that only this account can read.
func ownUser(dir string) (user *server.User, passwordFile string, err error) {
	password := rand.Text()
	passwordFile = filepath.Join(dir, "county.password")
	// An older file could be readable by others.
	if err := os.Remove(passwordFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", fmt.Errorf("broker: replace the county's own password: %w", err)
	}
	if err := os.WriteFile(passwordFile, []byte(password+"\n"), 0o600); err != nil {
		return nil, "", fmt.Errorf("broker: write the county's own password: %w", err)
	}
	// The lowest cost is enough: nobody can guess 128 random bits.
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		return nil, "", fmt.Errorf("broker: hash the county's own password: %w", err)
	}
	user = &server.User{Username: ownName, Password: string(hash), Permissions: permissions(wire.CollectorID)}
	return user, passwordFile, nil
}

// permissions allows the collector all topics below wire.Root. An agent may
// publish below its own id (in any county), and subscribe there and to the
// collector's status. MQTT's a/b is a.b in NATS; MQTT's a/# includes a itself,
// a.> in NATS does not.
func permissions(user string) *server.Permissions {
	root := strings.ReplaceAll(wire.Root, "/", ".")
	if user == wire.CollectorID {
		all := &server.SubjectPermission{Allow: []string{root, root + ".>"}}
		return &server.Permissions{Publish: all, Subscribe: all}
	}
	own := root + ".*." + user
	status := root + ".*." + wire.CollectorID + "." + string(wire.LeafStatus)
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{own + ".>"}},
		Subscribe: &server.SubjectPermission{Allow: []string{own, own + ".>", status}},
	}
}
