package repository

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// ErrNotListed says that the index does not name a file.
var ErrNotListed = errors.New("the index does not name it")

// Open opens a file of the index, or a package that it lists, to be served. The error is
// ErrNotListed for every other name. It may be called from any goroutine.
func (f Folder) Open(name string) (*os.File, error) {
	if name != SignedFile && name != IndexFile && name != packedIndex {
		index, err := f.read(IndexFile, mostIndex)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrNotListed
		}
		if err != nil {
			return nil, err
		}
		list, err := parseIndex(index)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(list, func(p Package) bool { return p.File == name }) {
			return nil, ErrNotListed
		}
	}
	file, err := os.Open(filepath.Join(f.Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotListed
	}
	return file, err
}
