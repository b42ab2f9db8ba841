package retire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/wire"
)

// Delivered notes which journal the gate had and its last record, which the county has
// acknowledged: from now on the journal may go.
func (r *Retirement) Delivered(jid string, through uint64) error {
	s := r.copy()
	s.Stage = Destroying
	s.Retired = wire.Retired{V: 1, ID: s.Order.ID, At: s.Order.At, JID: jid, Through: through}
	return r.keep(s)
}

// Destroy removes what nobody needs any more, and makes the receipt. After an error it can
// be called again.
func (r *Retirement) Destroy(now time.Time) error {
	s := r.copy()
	if s.Stage != Destroying {
		return nil
	}
	list, err := r.first()
	if err != nil {
		return err
	}
	if len(s.Retired.Destroyed) == 0 { // what an earlier attempt has removed counts, too
		for _, path := range list {
			s.Retired.Destroyed = append(s.Retired.Destroyed, r.name(path))
		}
		s.Retired.Destroyed = s.Retired.Destroyed[:min(len(s.Retired.Destroyed), wire.MaxRetiredFiles)]
		if err := r.keep(s); err != nil {
			return err
		}
	}
	if err := remove(list); err != nil {
		return err
	}
	s.Retired.At, s.Retired.Next = wire.At(now), nil
	for _, path := range r.there(r.opts.Needed) {
		s.Retired.Next = append(s.Retired.Next, r.name(path))
	}
	key, err := r.opts.Own()
	if err != nil {
		return err
	}
	if s.Retired, err = wire.SignRetired(s.Retired, r.opts.County, r.opts.Agent, key); err != nil {
		return err
	}
	if s.Receipt, err = wire.Encode(s.Retired); err != nil {
		return err
	}
	s.Stage = Answering
	r.opts.Log.Warn("what this gate held is destroyed; the county gets a receipt", "through", s.Retired.Through,
		"removed", len(s.Retired.Destroyed))
	return r.keep(s)
}

// Finish removes the rest: the gate's own key and then its configuration last.
func (r *Retirement) Finish() error {
	s := r.copy()
	if s.Stage != Ending || len(r.opts.Needed) == 0 {
		return nil
	}
	config := r.opts.Needed[len(r.opts.Needed)-1]
	b, err := json.MarshalIndent(done{r.opts.County, r.opts.Agent, r.opts.Dir, s.Retired}, "", "  ")
	if err == nil {
		err = identity.Replace(filepath.Join(filepath.Dir(config), DoneFile), b)
	}
	if err != nil {
		return fmt.Errorf("write how this gate ended: %w", err)
	}
	for _, path := range r.there(r.opts.Needed) { // one after the other: the key is the last but one
		if err := remove([]string{path}); err != nil {
			return err
		}
	}
	r.mu.Lock()
	r.state.Stage = Done
	r.mu.Unlock()
	if _, err := Tidy(config); err != nil {
		return err
	}
	r.opts.Log.Warn("this gate is out of service: its keys are destroyed, too", "agent", r.opts.Agent)
	return nil
}

// first returns what is to go first: all that lies in the journal's folder, and the files.
func (r *Retirement) first() ([]string, error) {
	entries, err := os.ReadDir(r.opts.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("destroy the journal: %w", err)
	}
	var list []string
	for _, e := range entries {
		if name := e.Name(); name != stateFile && name != DoneFile {
			list = append(list, filepath.Join(r.opts.Dir, name))
		}
	}
	needed := r.there(r.opts.Needed)
	list = slices.DeleteFunc(append(list, r.there(r.opts.Files)...), func(path string) bool {
		return slices.ContainsFunc(needed, func(keep string) bool { return within(keep, path) })
	})
	slices.Sort(list)
	return slices.Compact(list), nil
}

// within reports whether a path is a folder's, or is that itself.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// there returns the paths that exist, clean and each once.
func (r *Retirement) there(paths []string) (out []string) {
	for _, path := range paths {
		if path == "" {
			continue
		}
		path = filepath.Clean(path)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) && !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	return out
}

// name is a file's name as the receipt has it: what lies in the journal's folder with that
// folder's name.
func (r *Retirement) name(path string) string {
	if within(path, r.opts.Dir) {
		return filepath.Join(filepath.Base(r.opts.Dir), filepath.Base(path))
	}
	return filepath.Base(path)
}

// remove removes files and folders, durably. On flash the old content may stay in blocks
// that the disk does not show any more; overwriting would not change that.
func remove(paths []string) error {
	dirs := map[string]bool{}
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("destroy %s: %w", path, err)
		}
		dirs[filepath.Dir(path)] = true
	}
	for dir := range dirs {
		if err := identity.SyncFolder(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("destroy files in %s: %w", dir, err)
		}
	}
	return nil
}
