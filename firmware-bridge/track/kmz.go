package track

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxList bounds the list of files within a KMZ, in bytes: some 20,000 files.
const maxList = 2 << 20

var errList = errors.New("the list of files in the KMZ is too long")

// listed lets a zip reader read only so much while it reads the list of files.
type listed struct {
	r    io.ReaderAt
	left int // -1: no limit
}

func (l *listed) ReadAt(p []byte, off int64) (int, error) {
	if l.left >= 0 {
		if l.left -= len(p); l.left < 0 {
			return 0, errList
		}
	}
	return l.r.ReadAt(p, off)
}

// unpack opens the KML within a KMZ, a zip file: doc.kml, or else the first
// (OGC 12-007r2, annex C). What it unpacks to is bounded as it is read.
func unpack(r io.ReaderAt, size int64) (io.ReadCloser, error) {
	limited := &listed{r, maxList}
	z, err := zip.NewReader(limited, size)
	if err != nil {
		if limited.left < 0 {
			err = errList
		}
		return nil, fmt.Errorf("it is not KMZ: %w", err)
	}
	limited.left = -1
	var found *zip.File
	for _, f := range z.File {
		name := strings.ToLower(f.Name)
		if name == "doc.kml" {
			found = f
			break
		}
		if found == nil && strings.HasSuffix(name, ".kml") {
			found = f
		}
	}
	if found == nil {
		return nil, fmt.Errorf("there is no KML among the %d files in the KMZ", len(z.File))
	}
	f, err := found.Open()
	if err != nil {
		return nil, fmt.Errorf("%s in the KMZ: %w", found.Name, err)
	}
	return f, nil
}
