package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"gatehouse/firmware-bridge/mavlink"
)

// lease is how far ahead of the newest stamp the file is: 5 s. So it is written every
// 5 s only, and after a crash signed frames are refused for at most so long.
const lease = 5 * mavlink.StampSecond

// stamps keeps the newest time stamp of each stream of signed MAVLink frames in a
// file, so that a recording is not taken after a restart either. Newer may be called
// from any goroutine; it never waits for the disk.
type stamps struct {
	path  string // empty: nothing is kept
	dirty chan struct{}

	mu     sync.Mutex
	newest map[string]uint64
	leased map[string]uint64 // what the file has, or will have
}

// openStamps reads the file of an earlier run of the agent. One that can't be read is
// set aside: the gates and machines of the agent must not wait for it.
func openStamps(path string, log *slog.Logger) *stamps {
	s := &stamps{path: path, dirty: make(chan struct{}, 1), newest: map[string]uint64{}, leased: map[string]uint64{}}
	if path == "" {
		return s
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s
	}
	var newest map[string]uint64
	if err == nil {
		err = json.Unmarshal(raw, &newest)
	}
	if err == nil && newest == nil {
		err = errors.New("it has none")
	}
	if err != nil {
		log.Error("the time stamps of signed drones can't be read: until a drone flies, "+
			"a recording of an earlier flight is taken for a flight",
			"file", path, "err", err, "aside", os.Rename(path, path+".damaged") == nil)
		return s
	}
	s.newest = newest
	maps.Copy(s.leased, s.newest)
	return s
}

// Newer is for mavlink.Stamps.
func (s *stamps) Newer(stream string, stamp uint64) (newer bool, by int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	newer, by = mavlink.Advance(s.newest, stream, stamp)
	if newer && stamp >= s.leased[stream] {
		s.leased[stream] = stamp + lease
		select {
		case s.dirty <- struct{}{}:
		default:
		}
	}
	return newer, by
}

// run writes the file when a lease has ended, until ctx ends: then it writes the
// stamps themselves. failed is called with each error.
func (s *stamps) run(ctx context.Context, failed func(error)) {
	write := func(of map[string]uint64) {
		s.mu.Lock()
		raw, err := json.Marshal(of)
		n := len(of)
		s.mu.Unlock()
		if err == nil && s.path != "" && n > 0 {
			err = writeDurably(s.path, raw)
		}
		if err != nil {
			failed(fmt.Errorf("keep the time stamps of signed drones: %w", err))
		}
	}
	for {
		select {
		case <-ctx.Done():
			write(s.newest)
			return
		case <-s.dirty:
			write(s.leased)
		}
	}
}

// writeDurably replaces a file.
func writeDurably(path string, content []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
