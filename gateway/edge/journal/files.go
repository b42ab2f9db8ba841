package journal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"gatehouse/gateway/lockfile"
)

// The small files beside the segments.
const (
	identityFile = "identity.json"
	stateFile    = "state.json"
	lockFile     = "lock"
	damagedDir   = "damaged"
	freshSuffix  = ".new"
)

// identity says which journal this is.
type identity struct {
	JID     string `json:"jid"`
	Origin  string `json:"origin"`  // the jid that it was created with
	Host    string `json:"host"`    // the host's machine id
	Base    uint64 `json:"base"`    // seqs up to here belong to an earlier jid
	Reason  string `json:"reason"`  // why there is a new jid; for people
	Version string `json:"version"` // of the software that created it
}

// savedState is what must survive the agent besides the records.
type savedState struct {
	JID     string `json:"jid"`    // Through belongs to this jid
	Origin  string `json:"origin"` // as in identity, in case that is lost
	Through uint64 `json:"through"`
	Store   string `json:"store"`
	Term    uint64 `json:"term"`
	Proof   string `json:"proof,omitempty"` // of the term; earlier versions kept none
	Trimmed uint64 `json:"trimmed"`         // seqs up to here may have been removed
	AgeNS   int64  `json:"age_ns"`          // how long agents have run on this journal
}

func (s savedState) state() State {
	return State{Through: s.Through, Store: s.Store, Term: s.Term, Proof: s.Proof}
}

// errDamaged means that a small file's checksum does not match its content.
var errDamaged = errors.New("checksum differs")

// writeSmall replaces a small file atomically. Its content is a line of JSON and
// a line with the CRC32C of that.
func writeSmall[T identity | savedState](dir, name string, v T, sync func(*os.File) error) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	content := fmt.Appendf(nil, "%s\n%08x\n", line, crc32.Checksum(line, castagnoli))
	f, err := replace(filepath.Join(dir, name), content, sync)
	if err != nil {
		return err
	}
	f.Close()
	return nil
}

// readSmall reads what writeSmall wrote. After an error the value must not be
// used.
func readSmall[T identity | savedState](dir, name string) (T, error) {
	var v T
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return v, fmt.Errorf("read %s: %w", name, err)
	}
	line, sum, _ := bytes.Cut(b, []byte("\n"))
	if string(sum) != fmt.Sprintf("%08x\n", crc32.Checksum(line, castagnoli)) {
		return v, fmt.Errorf("read %s: %w", name, errDamaged)
	}
	if err := json.Unmarshal(line, &v); err != nil {
		return v, fmt.Errorf("read %s: %w", name, err)
	}
	return v, nil
}

// readIdentity also refuses a jid that no collector accepts.
func readIdentity(dir string) (identity, error) {
	id, err := readSmall[identity](dir, identityFile)
	if err != nil {
		return id, err
	}
	id.Origin = cmp.Or(id.Origin, id.JID) // earlier versions wrote none
	for _, jid := range []string{id.JID, id.Origin} {
		if u, err := uuid.Parse(jid); err != nil || u.String() != jid {
			return id, fmt.Errorf("read %s: jid %.40q is not a UUID", identityFile, jid)
		}
	}
	return id, nil
}

// replace atomically puts a durable file with this content at path and returns
// it open. It removes the files at stale, whose records the content includes.
// After an error path holds the old content, or the new one, not surely durable.
func replace(path string, content []byte, sync func(*os.File) error, stale ...string) (*os.File, error) {
	fresh := path + freshSuffix
	f, err := os.OpenFile(fresh, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(content)
	if err == nil {
		err = sync(f)
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		f.Close()
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(fresh))
	}
	for _, old := range stale {
		// Before the folder's fsync, so that none comes back after a power cut.
		_ = os.Remove(old)
	}
	if err := syncDir(filepath.Dir(path), sync); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// syncDir makes the names in a folder durable.
func syncDir(dir string, sync func(*os.File) error) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("fsync %s: %w", dir, err)
	}
	defer d.Close()
	if err := sync(d); err != nil {
		return fmt.Errorf("fsync %s: %w", dir, err)
	}
	return nil
}

// readRange reads n bytes from offset off.
func readRange(path string, off, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.NewSectionReader(f, off, n))
}

// takeLock makes sure that only this process has the journal open.
func takeLock(dir string) (io.Closer, error) {
	lock, err := lockfile.Take(filepath.Join(dir, lockFile))
	if errors.Is(err, lockfile.ErrHeld) {
		return nil, fmt.Errorf("open the journal %s: %w", dir, ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return lock, nil
}
