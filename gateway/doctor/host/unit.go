package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"gatehouse/gateway/doctor"
)

// Unit returns what systemd says of a service.
func (Host) Unit(ctx context.Context, name string) (u doctor.Unit, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return u, errors.New("systemd does not run here")
	}
	//nolint:gosec // our own units
	out, err := exec.CommandContext(ctx, "systemctl", "show", "-p", "UnitFileState,ActiveState", name).Output()
	if err != nil {
		return u, fmt.Errorf("systemctl show %s: %w", name, err)
	}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "UnitFileState":
			u.Enabled = value
		case "ActiveState":
			u.Active = value
		}
	}
	if u.Enabled == "" {
		u.Enabled = "not installed"
	}
	return u, nil
}
