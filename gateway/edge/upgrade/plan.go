package upgrade

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/repository"
)

// Refusals that a person can act on. Nothing is changed when one is returned.
var (
	ErrNothing   = errors.New("nothing to do: the gate has this version, or the newest")
	ErrDowngrade = errors.New("this is an earlier version than the gate has: a downgrade must be asked for " +
		"(--allow-downgrade), and records that only the newer version knows may be shown incompletely by it")
	ErrNoWayBack = errors.New("the county offers no package of the version that the gate has, so there would be no " +
		"way back: add it, too (gatehouse packages add)")
	ErrAway = errors.New("the county does not answer this gate's agent, so nobody could see whether the new version " +
		"delivers: mend that first, or give --county-away, and only that it records is judged")
	ErrRoom = errors.New("there is not enough room")
	ErrBusy = errors.New("another upgrade is on the way")
)

// linkWait is for how many seconds the agent may still say that the county does not answer.
const linkWait = 15

// margin is how many bytes stay free besides.
const margin = 64 << 20

// Plan says what an upgrade would do. It changes nothing. The error is one of the refusals,
// or says why the county's packages can't be had.
func (u *Upgrader) Plan(ctx context.Context, w Wanted) (State, error) {
	installed, err := u.opts.System.Installed(ctx)
	if err != nil {
		return State{}, err
	}
	from := installed["gatehouse"]
	if from == "" {
		return State{}, errors.New("the package gatehouse is not installed here: install it once by dpkg or apt")
	}
	arch, err := u.opts.System.Architecture(ctx)
	if err != nil {
		return State{}, err
	}
	offered, err := u.opts.Source.Index(ctx)
	if err != nil {
		return State{}, err
	}
	to, err := target(offered, arch, w, from)
	if err != nil {
		return State{}, err
	}
	steps, err := stepsOf(offered, arch, to, installed)
	if err != nil {
		return State{}, err
	}
	s := Begin(w.ID, from, to, steps, u.opts.Now())
	is, err := u.linked(ctx, w)
	if err != nil {
		return State{}, err
	}
	s.Runs, s.Run = u.opts.System.Runs(ctx), is.Run
	s.Alone = s.Runs && is.Run != "" && !is.Linked
	if s.Alone && !w.Away {
		return State{}, ErrAway
	}
	return s, u.room(s)
}

// linked returns what the agent says of itself. One that has just been connected, such as by the message that asks
// for the upgrade, says so a little later.
func (u *Upgrader) linked(ctx context.Context, w Wanted) (status.Alive, error) {
	for range linkWait {
		is := alive(u.opts.AliveFile)
		if is.Run == "" || is.Linked || w.Away {
			return is, nil
		}
		if err := u.opts.Wait(ctx, every); err != nil {
			return is, err
		}
	}
	return alive(u.opts.AliveFile), nil
}

// stepsOf returns what is done with each installed package.
func stepsOf(offered []repository.Package, arch, to string, installed map[string]string) (steps []Step, err error) {
	for _, name := range slices.Sorted(maps.Keys(installed)) {
		if installed[name] == to {
			continue
		}
		fresh, ok := find(offered, arch, name, to)
		if !ok {
			return nil, fmt.Errorf("%s is installed here, and the county offers no %s %s for %s", name, name, to, arch)
		}
		former, ok := find(offered, arch, name, installed[name])
		if !ok {
			return nil, fmt.Errorf("%w: %s %s for %s", ErrNoWayBack, name, installed[name], arch)
		}
		steps = append(steps, Step{fresh, former})
	}
	return steps, nil
}

// target returns the version that is wanted, or why it can't be.
func target(offered []repository.Package, arch string, w Wanted, from string) (string, error) {
	to := w.Version
	if to == "" {
		for _, p := range offered {
			if p.Name == "gatehouse" && fits(p, arch) && (to == "" || repository.Compare(p.Version, to) > 0) {
				to = p.Version
			}
		}
		if to == "" {
			return "", fmt.Errorf("the county offers no package gatehouse for %s", arch)
		}
		if repository.Compare(to, from) < 0 {
			return "", ErrNothing // nobody asked for less
		}
	}
	if err := repository.CheckVersion(to); err != nil {
		return "", err
	}
	switch c := repository.Compare(to, from); {
	case c == 0:
		return "", ErrNothing
	case c < 0 && !w.Downgrade:
		return "", fmt.Errorf("%s after %s: %w", to, from, ErrDowngrade)
	}
	return to, nil
}

func fits(p repository.Package, arch string) bool {
	return p.Architecture == arch || p.Architecture == "all"
}

func find(list []repository.Package, arch, name, version string) (repository.Package, bool) {
	i := slices.IndexFunc(list, func(p repository.Package) bool {
		return p.Name == name && p.Version == version && fits(p, arch)
	})
	if i < 0 {
		return repository.Package{}, false
	}
	return list[i], true
}

// room returns an error when the packages, fetched and unpacked, would not fit.
func (u *Upgrader) room(s State) error {
	need := int64(margin)
	for _, x := range s.Steps {
		// Unpacked beside what is there, a package has some three times its size.
		need += x.New.Size + x.Former.Size + 3*max(x.New.Size, x.Former.Size)
	}
	for _, path := range []string{u.opts.Dir, "/usr"} {
		free, err := u.opts.System.Free(path)
		if err != nil {
			return err
		}
		if free < need {
			return fmt.Errorf("%w: %d MB are needed at %s, and %d MB are free", ErrRoom, need>>20, path, free>>20)
		}
	}
	return nil
}
