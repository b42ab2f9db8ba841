// Package config reads and writes YAML files, strictly: an unknown key, a
// wrong type or a second value of a key is an error that shows the line and a
// snippet of the file. It is the only importer of the YAML library.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"
)

// maxBytes bounds a file, so that a wrong path does not exhaust the memory.
const maxBytes = 8 << 20

// Load reads the file into a T.
func Load[T any](path string) (T, error) {
	var zero T
	f, err := os.Open(path)
	if err != nil {
		return zero, fmt.Errorf("open the configuration: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return zero, fmt.Errorf("read %s: %w", path, err)
	}
	if len(b) > maxBytes {
		return zero, fmt.Errorf("%s is larger than %d MiB: not a configuration file", path, maxBytes>>20)
	}
	v, err := Parse[T](b)
	if err != nil {
		return zero, fmt.Errorf("%s:\n%w", path, err)
	}
	return v, nil
}

// Parse reads YAML text into a T.
func Parse[T any](b []byte) (v T, err error) {
	defer func() { // the library panics at some texts that are no YAML
		if p := recover(); p != nil {
			err = fmt.Errorf("this is no YAML (%v): look for a stray ! & * or | at the begin of a word", p)
		}
	}()
	err = yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&v)
	if errors.Is(err, io.EOF) {
		return v, errors.New("the file is empty")
	}
	if err != nil {
		return v, errors.New(yaml.FormatError(err, false, true))
	}
	return v, nil
}

// Write returns v as YAML text.
func Write[T any](v T) ([]byte, error) {
	b, err := yaml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return b, nil
}
