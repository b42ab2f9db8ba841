package upgrade

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/lockfile"
	"gatehouse/gateway/repository"
)

const (
	every = time.Second // how often is looked how the new version does
	tries = 8           // of a package that does not come, within half a minute
)

// Options of an Upgrader.
type Options struct {
	Dir       string // root's own
	AliveFile string
	Program   string // this program, of which a copy goes on after a power cut; empty: none is kept
	Source    Source
	System    System
	Now       func() time.Time
	// Wait waits, or returns the context's error.
	Wait     func(ctx context.Context, d time.Duration) error
	Progress func(bytes int64) // of what is fetched
	Log      *slog.Logger
}

// Wanted is what somebody asks for.
type Wanted struct {
	ID        string
	Version   string // empty: the newest
	Downgrade bool   // an earlier version is right, too
	Away      bool   // the county need not answer
}

// Upgrader does one upgrade after the other. Its methods are for one goroutine.
type Upgrader struct{ opts Options }

// New returns an upgrader.
func New(o Options) *Upgrader { return &Upgrader{o} }

// Do does what is wanted and returns how it ended. An error says why nothing was begun, or
// that the state can't be kept.
func (u *Upgrader) Do(ctx context.Context, w Wanted) (State, error) {
	return u.alone(func() (State, error) {
		if s, ok, err := Read(u.opts.Dir); err == nil && ok && !s.Phase.Ended() {
			return s, fmt.Errorf("%w: to %s, %s (gatehouse upgrade --resume goes on with it)", ErrBusy, s.To, s.Phase)
		}
		s, err := u.Plan(ctx, w)
		if err != nil {
			return State{}, errors.Join(err, u.refused(w, err))
		}
		if err := u.keepProgram(); err != nil {
			return State{}, err
		}
		return u.finish(ctx, s)
	})
}

// refused keeps why what the county asked for was not begun, so that it learns it.
func (u *Upgrader) refused(w Wanted, why error) error {
	if w.ID == "" {
		return nil
	}
	s := Begin(w.ID, "", w.Version, nil, u.opts.Now())
	if errors.Is(why, ErrNothing) {
		return write(u.opts.Dir, s.to(Done, u.opts.Now()))
	}
	return write(u.opts.Dir, s.Failed(why.Error(), u.opts.Now()))
}

// AwaitResume is Resume once no other upgrade is on the way any more, such as one that somebody
// has begun by hand.
func (u *Upgrader) AwaitResume(ctx context.Context) (s State, ok bool, err error) {
	for {
		if s, ok, err = u.Resume(ctx); !errors.Is(err, ErrBusy) {
			return s, ok, err
		}
		if err := u.opts.Wait(ctx, every); err != nil {
			return s, false, err
		}
	}
}

// Resume goes on with an upgrade that was cut off. ok is false when there is none. The error
// wraps ErrBusy while another one is on the way.
func (u *Upgrader) Resume(ctx context.Context) (s State, ok bool, err error) {
	s, err = u.alone(func() (State, error) {
		s, found, err := Read(u.opts.Dir)
		if err != nil || !found || s.Phase.Ended() {
			return s, err
		}
		ok = true
		u.opts.Log.Warn("an upgrade was cut off, and goes on", "to", s.To, "phase", s.Phase)
		return u.finish(ctx, s)
	})
	return s, ok, err
}

// alone calls f while no other upgrade runs.
func (u *Upgrader) alone(f func() (State, error)) (State, error) {
	if err := os.MkdirAll(u.opts.Dir, 0o755); err != nil { //nolint:gosec // the agent reads the state
		return State{}, fmt.Errorf("make the folder of upgrades: %w", err)
	}
	lock, err := lockfile.Take(filepath.Join(u.opts.Dir, "lock"))
	if errors.Is(err, lockfile.ErrHeld) {
		return State{}, errors.Join(ErrBusy, err)
	}
	if err != nil {
		return State{}, fmt.Errorf("begin an upgrade: %w", err)
	}
	defer lock.Close()
	return f()
}

// finish does the work of one phase after the other. Each is on the disk before it begins.
func (u *Upgrader) finish(ctx context.Context, s State) (State, error) {
	for !s.Phase.Ended() {
		s = s.Try(u.opts.Now())
		if err := write(u.opts.Dir, s); err != nil {
			return s, fmt.Errorf("keep how far the upgrade has come: %w", err)
		}
		if s.Phase.Ended() {
			break
		}
		u.opts.Log.Info("upgrade", "from", s.From, "to", s.To, "phase", s.Phase)
		remark, err := u.work(ctx, s)
		if ctx.Err() != nil && err != nil {
			return s, fmt.Errorf("the upgrade was stopped while %s, and goes on at the next start: %w", s.Phase, err)
		}
		if err != nil {
			u.opts.Log.Error("upgrade", "to", s.To, "phase", s.Phase, "err", err)
			s = s.Failed(err.Error(), u.opts.Now())
		} else {
			s = s.OK(u.opts.Now()).remarked(remark)
		}
	}
	err := write(u.opts.Dir, s)
	u.tidy(s)
	return s, err
}

// work does the work of a phase.
func (u *Upgrader) work(ctx context.Context, s State) (remark string, err error) {
	switch s.Phase {
	case Fetching:
		return "", u.fetch(ctx, s)
	case Installing:
		err := u.install(ctx, s, func(x Step) repository.Package { return x.New })
		if err == nil && s.Runs {
			err = u.opts.System.Restart(ctx)
		}
		return "", err
	case Checking:
		return u.check(ctx, s)
	default:
		return u.goBack(ctx, s)
	}
}

// fetch fetches the packages of both versions: without the former there is no way back.
func (u *Upgrader) fetch(ctx context.Context, s State) error {
	for _, x := range s.Steps {
		for _, p := range []repository.Package{x.Former, x.New} {
			if err := u.bring(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// bring fetches a package, in several tries, of which each goes on where the one before ended.
func (u *Upgrader) bring(ctx context.Context, p repository.Package) (err error) {
	for n := range tries {
		if err = u.opts.Source.fetch(ctx, u.opts.Dir, p, u.opts.Progress); err == nil {
			return nil
		}
		if err := u.opts.Wait(ctx, time.Duration(n+1)*every); err != nil {
			return err
		}
	}
	return err
}

// install installs one of both versions, of which each package is verified once more.
func (u *Upgrader) install(ctx context.Context, s State, which func(Step) repository.Package) error {
	var files []string
	for _, x := range s.Steps {
		p := which(x)
		path := filepath.Join(u.opts.Dir, p.File)
		if err := verify(path, p); err != nil {
			return err
		}
		files = append(files, path)
	}
	var err error
	for range int(stepLimit / every) { // the daily upgrade of the computer takes minutes
		if err = u.opts.System.Install(ctx, files); !errors.Is(err, ErrLocked) {
			break
		}
		if err := u.opts.Wait(ctx, every); err != nil {
			return err
		}
	}
	return err
}

// goBack has the former version installed and started. What dpkg could not change, such as on a full disk, may be
// there as it was. Systemd goes on trying to start it.
func (u *Upgrader) goBack(ctx context.Context, s State) (remark string, err error) {
	if err := u.install(ctx, s, func(x Step) repository.Package { return x.Former }); err != nil {
		for _, x := range s.Steps {
			if !u.opts.System.Whole(ctx, x.Former.Name, x.Former.Version) {
				return "", err
			}
		}
	}
	if s.Runs {
		if err := u.opts.System.Restart(ctx); err != nil {
			return fmt.Sprintf("then the former version did not start at once: %v", err), nil
		}
	}
	return "", nil
}

// check waits until the new version delivers, or is known not to.
func (u *Upgrader) check(ctx context.Context, s State) (remark string, err error) {
	for waited := time.Duration(0); ; waited += every {
		h := health{is: alive(u.opts.AliveFile), s: s, over: waited >= HealthLimit}
		if h.over {
			h.county = u.opts.Source.Reached(ctx)
		}
		ok, remark, why := h.judge()
		switch {
		case ok:
			return remark, nil
		case why != "":
			return "", errors.New(why)
		}
		if err := u.opts.Wait(ctx, every); err != nil {
			return "", err
		}
	}
}

// keepProgram keeps a copy of this program: the one that is installed may be what fails.
func (u *Upgrader) keepProgram() error {
	if u.opts.Program == "" {
		return nil
	}
	from, err := os.Open(u.opts.Program)
	if err != nil {
		return fmt.Errorf("keep a copy of this program: %w", err)
	}
	defer from.Close()
	path := filepath.Join(u.opts.Dir, helperFile)
	to, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o700) //nolint:gosec // it is a program
	if err == nil {
		_, err = io.Copy(to, from)
		err = errors.Join(err, to.Sync(), to.Close())
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("keep a copy of this program: %w", err)
	}
	return nil
}

// tidy removes the packages and the copy of the program when nobody needs them any more.
func (u *Upgrader) tidy(s State) {
	if s.Phase == Stuck {
		return // somebody may install the former by hand
	}
	for _, pattern := range []string{"*.deb", "*.part", helperFile, helperFile + ".new"} {
		found, _ := filepath.Glob(filepath.Join(u.opts.Dir, pattern)) // the pattern is right
		for _, path := range found {
			if err := os.Remove(path); err != nil {
				u.opts.Log.Warn("a file of the upgrade stays", "err", err)
			}
		}
	}
}
