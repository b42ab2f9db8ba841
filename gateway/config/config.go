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
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// maxBytes bounds a file, so that a wrong path does not exhaust the memory.
const maxBytes = 8 << 20

// Load reads the file into a T.
func Load[T any](path string) (T, error) {
	var zero T
	b, err := Read(path)
	if err != nil {
		return zero, err
	}
	v, err := Parse[T](b)
	if err != nil {
		return zero, fmt.Errorf("%s:\n%w", path, err)
	}
	return v, nil
}

// Read returns the text of a file. It refuses one of more than 8 MiB.
func Read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the configuration: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(b) > maxBytes {
		return nil, fmt.Errorf("%s is larger than %d MiB: not a configuration file", path, maxBytes>>20)
	}
	return b, nil
}

// Parse reads YAML text into a T.
func Parse[T any](b []byte) (v T, err error) {
	defer func() { // the library panics at some texts that are no YAML
		if p := recover(); p != nil {
			err = fmt.Errorf("this is no YAML (%v): look for a stray ! & * or | at the begin of a word", p)
		}
	}()
	if b, err = Text(b); err != nil {
		return v, err
	}
	if err := checkAliases(b); err != nil {
		return v, err
	}
	d := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	err = d.Decode(&v)
	if errors.Is(err, io.EOF) {
		return v, errors.New("the file is empty")
	}
	if err != nil {
		return v, errors.New(yaml.FormatError(err, false, true) + wideMarks(b))
	}
	var more any
	if err := d.Decode(&more); !errors.Is(err, io.EOF) && (err != nil || more != nil) {
		return v, errors.New("there is a second document after ---, which nobody reads: keep one in the file")
	}
	return v, nil
}

// wideMarks names a mark of Chinese keyboards in YAML text that can't be read: it looks
// like YAML's own and is none.
func wideMarks(b []byte) string {
	for i, line := range bytes.Split(b, []byte("\n")) {
		line, _, _ = bytes.Cut(line, []byte("#"))
		if at := bytes.IndexAny(line, "：，【】｛｝＃"); at >= 0 {
			mark, _ := utf8.DecodeRune(line[at:])
			return fmt.Sprintf("\nline %d has “%c”, which is no mark of YAML: if it should be one, "+
				"type it with the keyboard set to English", i+1, mark)
		}
	}
	return ""
}

// Write returns v as YAML text.
func Write[T any](v T) ([]byte, error) {
	b, err := yaml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return b, nil
}
