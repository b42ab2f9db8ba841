package upgrade

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/repository"
)

// Where upgrades are kept on a gate's computer.
const (
	// Dir is root's: the state, the packages, and a copy of the program that does the upgrade.
	Dir = "/var/lib/gatehouse-upgrade"
	// AgentDir is the agent's. What lies there is believed by nobody.
	AgentDir = "/var/lib/gatehouse"
	// AliveFile is where the running agent says how it does.
	AliveFile = "/run/gatehouse/alive.json"
	// requestFile is where the agent asks for an upgrade, in AgentDir.
	requestFile = "upgrade/request.json"

	stateFile  = "state.json"
	helperFile = "gatehouse" // a copy of this program, which goes on after a power cut
)

// Read returns the state of the last upgrade in dir; ok is false when there was none.
func Read(dir string) (s State, ok bool, err error) {
	b, err := readSmall(filepath.Join(dir, stateFile), maxState)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	if err == nil {
		if err = json.Unmarshal(b, &s); err == nil && !s.Phase.Valid() {
			err = fmt.Errorf("the phase %.40q is not known", s.Phase)
		}
	}
	if err != nil {
		return State{}, false, fmt.Errorf("read how far the last upgrade came: %w", err)
	}
	return s, true, nil
}

// readSmall reads a regular file of up to most bytes. It follows no link at the end of the path
// and waits for nobody: who may write the folder could have put anything there.
func readSmall(path string, most int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readFile(f, most)
}

func readFile(f *os.File, most int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s is no file, or too large", f.Name())
	}
	return io.ReadAll(io.LimitReader(f, most))
}

// write replaces the state's file. When it returns nil a power cut does not lose it any more.
// Everybody may read it: it holds no secret, and the agent tells the county.
func write(dir string, s State) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return replace(filepath.Join(dir, stateFile), b, 0o644)
}

// replace writes a file anew, whole or not at all, and durable.
func replace(path string, b []byte, mode os.FileMode) error {
	fresh := path + ".new"
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(fresh))
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Request is what the agent asks for. Only its version counts, and only if it is one: all else
// is read from the signed index.
type Request struct {
	ID      string `json:"id"`
	Version string `json:"version"`
}

// Ask has the agent ask for an upgrade.
func Ask(agentDir string, r Request) error {
	path := filepath.Join(agentDir, requestFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("ask for an upgrade: %w", err)
	}
	b, err := json.Marshal(r)
	if err == nil {
		err = replace(path, b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("ask for an upgrade: %w", err)
	}
	return nil
}

// Take returns what the agent asks for, and removes it, so that it is done once. ok is false
// when it asks for nothing. A request that can't be read is removed, too.
func Take(agentDir string) (r Request, ok bool, err error) {
	root, err := os.OpenRoot(agentDir) // nothing outside is touched, whatever links lie there
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("look for a request: %w", err)
	}
	defer root.Close()
	f, err := root.OpenFile(requestFile, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err == nil {
		r, err = decodeRequest(f)
		err = errors.Join(err, f.Close())
	}
	if gone := root.Remove(requestFile); gone != nil {
		return Request{}, false, fmt.Errorf("take the request of the agent: %w", gone)
	}
	if err == nil {
		err = repository.CheckVersion(r.Version)
	}
	if err != nil {
		return Request{}, false, fmt.Errorf("the request of the agent: %w", err)
	}
	return r, true, nil
}

func decodeRequest(f *os.File) (r Request, err error) {
	b, err := readFile(f, 4<<10)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	r.ID = clip(r.ID)
	return r, err
}

// Refuse removes what the agent asks for and keeps why it is not done, so that the county
// learns it. An upgrade that was cut off stays as it is.
func Refuse(dir, agentDir string, why error, now time.Time) error {
	r, ok, err := Take(agentDir)
	if err != nil || !ok {
		return err
	}
	if s, found, err := Read(dir); err != nil || found && !s.Phase.Ended() {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the agent reads the state
		return fmt.Errorf("make the folder of upgrades: %w", err)
	}
	return write(dir, Begin(r.ID, "", r.Version, nil, now).Failed(why.Error(), now))
}
