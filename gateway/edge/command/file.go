package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// mostBytes bounds the file of the commands that were taken.
const mostBytes = 1 << 20

// read returns the commands of a file; none when there is no file.
func read(path string) (taken []Taken, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, mostBytes))
	if err == nil {
		err = json.Unmarshal(b, &taken)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return taken[max(0, len(taken)-mostTaken):], nil
}

// write replaces a file. When it returns nil a power cut does not lose it any more.
func write(path string, taken []Taken) error {
	b, err := json.Marshal(taken)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
