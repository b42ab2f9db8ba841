package port

import (
	"path/filepath"
	"slices"
	"strings"
)

// Unstable returns a warning when another adapter may get a serial port's name: it
// changes with the order in which adapters are plugged in, or adapters that are alike
// share it. It says which name to use instead, if there is one. Else it returns "".
func Unstable(name string) string { return here().unstable(name) }

func (c computer) unstable(name string) string {
	ids, paths := links(c.byID), links(c.byPath)
	if filepath.Dir(name) == c.byID {
		return alike(name, ids, paths)
	}
	base := filepath.Base(name)
	if filepath.Dir(name) != "/dev" || !strings.HasPrefix(base, "ttyUSB") && !strings.HasPrefix(base, "ttyACM") {
		return ""
	}
	const text = "the name changes with the order in which adapters are plugged in: "
	for _, l := range slices.Concat(ids, paths) {
		if filepath.Base(l.target) != base {
			continue
		}
		if alike(l.name, ids, paths) == "" {
			return text + "use " + l.name
		}
	}
	return text + "use that in " + c.byID
}

// alike returns a warning about a name in by-id when an adapter is plugged in that has
// none there: adapters of one kind without serial numbers share one name, which is that
// of the last one plugged in.
func alike(name string, ids, paths []link) string {
	mine := slices.IndexFunc(ids, func(l link) bool { return l.name == name })
	if mine < 0 {
		return ""
	}
	nameless := slices.ContainsFunc(paths, func(p link) bool {
		return !slices.ContainsFunc(ids, func(l link) bool { return l.target == p.target })
	})
	if !nameless {
		return ""
	}
	text := "another adapter is plugged in without a name of its own: if the two are alike and have no serial " +
		"number, they share this one, and it leads to the one that was plugged in last: "
	for _, p := range paths {
		if p.target == ids[mine].target {
			return text + "use " + p.name + ", and leave each in its socket"
		}
	}
	return text + "use names of /dev/serial/by-path, and leave each in its socket"
}

// link is a name of a serial port, and the port it leads to.
type link struct{ name, target string }

// links returns the names in a folder that lead to a port.
func links(dir string) (all []link) {
	names, _ := filepath.Glob(filepath.Join(dir, "*")) // the pattern is valid
	for _, name := range names {
		if target, err := filepath.EvalSymlinks(name); err == nil {
			all = append(all, link{name, target})
		}
	}
	return all
}
