package threats

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
)

func clonedDisk(ctx context.Context, c *county) (string, error) {
	code, err := c.admin.code(ctx, "gate-003")
	if err != nil {
		return "", err
	}
	a, err := c.asks(ctx, 78, code, filepath.Join(c.gates[0].dir, "agent.key"))
	if err != nil || a.status < http.StatusBadRequest {
		return "", errors.Join(err, fmt.Errorf("%d %s", a.status, a.body))
	}
	return fmt.Sprintf("answered with %d", a.status), nil
}

func stolenDisk(ctx context.Context, c *county) (string, error) {
	if err := sameFiles(c.gates[0].dir, c.gates[1].dir, "agent.key", "agent.crt"); err != nil {
		return "", err
	}
	pair, err := c.gates[0].pair()
	if err != nil {
		return "", err
	}
	said, err := c.refusedAll(ctx, map[string]login{
		"as the other gate": {id: "gate-002", user: "gate-002", pair: &pair},
		"as the collector":  {id: "collector", user: "collector", pair: &pair},
	})
	return said + "; its key is no other gate's", err
}

// sameFiles returns an error when a file is the same in two folders.
func sameFiles(a, b string, names ...string) error {
	for _, name := range names {
		one, err := os.ReadFile(filepath.Join(a, name))
		if err != nil {
			return err
		}
		other, err := os.ReadFile(filepath.Join(b, name))
		if err != nil {
			return err
		}
		if string(one) == string(other) {
			return fmt.Errorf("two gates have the same %s", name)
		}
	}
	return nil
}
