package repository

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	arHead     = 60       // bytes before each member of an archive
	mostField  = 16 << 10 // of a control file
	mostMember = 4 << 20  // of control.tar
	// MostDeb bounds a package, in bytes.
	MostDeb = 512 << 20
)

// errDeb is what every reader of a damaged package returns, with the reason.
var errDeb = errors.New("this is no Debian package that gatehouse can read")

// ReadDeb reads what a .deb says of itself, and its size and hash. It reads to the end.
func ReadDeb(r io.Reader) (p Package, err error) {
	hash := sha256.New()
	counted := &counter{r: io.TeeReader(io.LimitReader(r, MostDeb+1), hash)}
	control, err := controlOf(counted)
	if err != nil {
		return p, err
	}
	if _, err := io.Copy(io.Discard, counted); err != nil {
		return p, fmt.Errorf("read the package: %w", err)
	}
	if counted.n > MostDeb {
		return p, fmt.Errorf("%w: it has more than %d MiB", errDeb, MostDeb>>20)
	}
	list, err := parseStanzas(control, mostField)
	if err != nil || len(list) != 1 {
		return p, fmt.Errorf("%w: its control file has %d paragraphs (%w)", errDeb, len(list), err)
	}
	p = Package{fields: list[0], Size: counted.n, SHA256: hex.EncodeToString(hash.Sum(nil))}
	p.fill()
	return p, p.checkName()
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// controlOf returns the control file, which lies in the second member of the archive.
func controlOf(r io.Reader) ([]byte, error) {
	magic := make([]byte, len("!<arch>\n"))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != "!<arch>\n" {
		return nil, fmt.Errorf("%w: it is no ar archive", errDeb)
	}
	name, first, err := member(r)
	if err != nil || name != "debian-binary" || !strings.HasPrefix(string(first), "2.") {
		return nil, fmt.Errorf("%w: its first member is no debian-binary of version 2", errDeb)
	}
	name, packed, err := member(r)
	if err != nil {
		return nil, err
	}
	var plain io.Reader
	switch name {
	case "control.tar":
		plain = bytes.NewReader(packed)
	case "control.tar.gz":
		if plain, err = gzip.NewReader(bytes.NewReader(packed)); err != nil {
			return nil, fmt.Errorf("%w: %w", errDeb, err)
		}
	default:
		return nil, fmt.Errorf("%w: its member %q is not control.tar.gz (dpkg-deb -Zgzip --uniform-compression "+
			"makes one)", errDeb, name)
	}
	files := tar.NewReader(io.LimitReader(plain, mostMember))
	for {
		h, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("%w: no control file in control.tar (%w)", errDeb, err)
		}
		if strings.TrimPrefix(h.Name, "./") == "control" && h.Typeflag == tar.TypeReg {
			b, err := io.ReadAll(io.LimitReader(files, mostField+1))
			if err != nil || len(b) > mostField {
				return nil, fmt.Errorf("%w: its control file has %d bytes (%w)", errDeb, len(b), err)
			}
			return b, nil
		}
	}
}

// member reads the next member of an ar archive.
func member(r io.Reader) (name string, b []byte, err error) {
	head := make([]byte, arHead)
	if _, err := io.ReadFull(r, head); err != nil || string(head[58:]) != "`\n" {
		return "", nil, fmt.Errorf("%w: it is cut off or damaged", errDeb)
	}
	size, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
	if err != nil || size < 0 || size > mostMember {
		return "", nil, fmt.Errorf("%w: a member says that it has %q bytes", errDeb, head[48:58])
	}
	b = make([]byte, size+size%2)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", nil, fmt.Errorf("%w: it is cut off", errDeb)
	}
	return strings.TrimRight(string(head[:16]), " /"), b[:size], nil
}
