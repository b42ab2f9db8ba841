package port

import (
	"path/filepath"
	"strings"
)

// Unstable returns a warning when a serial port's name changes with the order in which
// adapters are plugged in, with the name to use instead if there is one; else "".
func Unstable(name string) string { return here().unstable(name) }

func (c computer) unstable(name string) string {
	base := filepath.Base(name)
	if filepath.Dir(name) != "/dev" || !strings.HasPrefix(base, "ttyUSB") && !strings.HasPrefix(base, "ttyACM") {
		return ""
	}
	const text = "the name changes with the order in which adapters are plugged in: "
	links, _ := filepath.Glob(filepath.Join(c.byID, "*")) // the pattern is valid
	for _, l := range links {
		if target, err := filepath.EvalSymlinks(l); err == nil && filepath.Base(target) == base {
			return text + "use " + l
		}
	}
	return text + "use that in " + c.byID
}
