package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"gatehouse/gateway/wire"
)

const (
	// format is the version of what this package writes.
	format = 1
	// manifestName is the first file of a backup.
	manifestName = "manifest.json"
	mostManifest = 16 << 20 // bytes
)

// Folders of a backup.
const (
	inCounty    = "county"    // the collector's folder
	inConfig    = "config"    // its configuration, and what lies beside and below it
	inElsewhere = "elsewhere" // other files that the configuration names, by their paths
	inAuthority = "authority" // ca_dir
	inInflux    = "influx"    // what InfluxDB's own tool has written
)

// Manifest says what a backup holds. It is the first file in it.
type Manifest struct {
	Format    int       `json:"format"`
	Program   string    `json:"program"` // the version that made it
	Made      time.Time `json:"made"`
	County    string    `json:"county"`
	Host      string    `json:"host"` // name of the computer
	Paths     Paths     `json:"paths"`
	Authority bool      `json:"authority"` // the authority's folder is in it
	Telemetry string    `json:"telemetry"` // where the records are, for people
	Files     []File    `json:"files"`     // in their order
}

// Paths is where things were.
type Paths struct {
	County    string `json:"county"`
	Config    string `json:"config"` // the collector's file
	Authority string `json:"authority"`
}

// File is a file of a backup.
type File struct {
	Name   string           `json:"name"`
	Size   int64            `json:"size"`
	SHA256 string           `json:"sha256"`
	Mode   fs.FileMode      `json:"mode"` // permissions
	Owner  string           `json:"owner,omitempty"`
	Group  string           `json:"group,omitempty"`
	Schema int              `json:"schema,omitempty"` // of a database
	Rows   map[string]int64 `json:"rows,omitempty"`   // likewise, by table
	Reach  int64            `json:"reach,omitempty"`  // of the store: the sum of its watermarks
}

// ErrLater is wrapped when a later version has made a backup.
var ErrLater = errors.New("it was made by a later version")

// readManifest reads a manifest and checks it.
func readManifest(r io.Reader) (m Manifest, err error) {
	b, err := io.ReadAll(io.LimitReader(r, mostManifest+1))
	if err != nil {
		return m, err
	}
	var head struct {
		Format  int    `json:"format"`
		Program string `json:"program"`
	}
	if err := json.Unmarshal(b, &head); err != nil || head.Format < 1 {
		return m, errors.New("it is no backup of a county: its manifest can't be read")
	}
	if head.Format > format {
		return m, fmt.Errorf("%w, %s: install that version, then restore", ErrLater, head.Program)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("its manifest can't be read: %w", err)
	}
	return m, m.check()
}

func (m Manifest) check() error {
	if err := wire.CheckID(m.County); err != nil {
		return fmt.Errorf("its manifest names no county: %w", err)
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		top, _, below := strings.Cut(f.Name, "/")
		sum, err := hex.DecodeString(f.SHA256)
		switch {
		case !fs.ValidPath(f.Name) || !below || seen[f.Name]:
			return fmt.Errorf("its manifest names a file %q", f.Name)
		case top != inCounty && top != inConfig && top != inElsewhere && top != inAuthority && top != inInflux:
			return fmt.Errorf("its manifest names a file %q, of a folder that this version does not know", f.Name)
		case f.Size < 0 || err != nil || len(sum) != sha256.Size:
			return fmt.Errorf("its manifest says nothing right of %q", f.Name)
		}
		seen[f.Name] = true
	}
	if !seen[inCounty+"/"+storeFile] {
		return errors.New("its manifest names no store")
	}
	return nil
}

// Database reports whether a file is an SQLite file of the county.
func (f File) Database() bool { return f.Schema > 0 }
