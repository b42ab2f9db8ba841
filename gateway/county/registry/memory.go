package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/secret"
)

// MemoryFile is the name of the file with what the registry remembers apart from its tables,
// in the folder of the county's authority.
const MemoryFile = "known.json"

// mostMemory bounds that file, in bytes: some 100,000 certificates.
const mostMemory = 16 << 20

// memory is what must not be forgotten when the desk's file is lost or brought back from a
// backup: who was enrolled, so that nobody is taken unsigned in their names, and what was
// revoked. It holds nothing secret.
type memory struct {
	Agents  map[string]bool      `json:"agents"`  // by name
	Revoked map[string]time.Time `json:"revoked"` // by the certificate's serial
}

// readMemory reads a memory; what is not there is empty.
func readMemory(path string) (memory, error) {
	m := memory{map[string]bool{}, map[string]time.Time{}}
	if path == "" {
		return m, nil
	}
	b, err := secret.ReadMost(path, mostMemory)
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err == nil && (m.Agents == nil || m.Revoked == nil) {
		err = errors.New("it names no agents or no certificates")
	}
	if err != nil {
		return m, fmt.Errorf("read which agents were enrolled before, in %s: %w; bring the file back from the copy "+
			"of ca_dir, or remove it if desk.db is whole", path, err)
	}
	return m, nil
}

// add adds what the tables say, and reports whether anything is new.
func (m memory) add(list map[string]Identity, revoked map[string]time.Time) (fresh bool) {
	agents, serials := len(m.Agents), len(m.Revoked)
	for name := range list {
		m.Agents[name] = true
	}
	for serial, at := range revoked {
		if _, known := m.Revoked[serial]; !known {
			m.Revoked[serial] = at
		}
	}
	return len(m.Agents) > agents || len(m.Revoked) > serials
}

// remember takes what the memory has and the tables have not into what was read, and adds to
// the memory what is new. A memory that can't be written is said, and written at the next
// change. The caller holds mu.
func (r *Registry) remember(list map[string]Identity, revoked map[string]time.Time) {
	fresh := r.memory.add(list, revoked)
	maps.Copy(revoked, r.memory.Revoked)
	for name, i := range list {
		at, void := r.memory.Revoked[i.Serial]
		if void && i.Revoked.IsZero() {
			i.Revoked = at
			list[name] = i
			r.opts.Log.Warn("desk.db says of a revoked agent that it counts, as after a restore: it stays revoked",
				"agent", name, "revoked", at)
		}
	}
	if !fresh && !r.unwritten || r.opts.Memory == "" {
		return
	}
	b, err := json.Marshal(r.memory)
	if err == nil {
		err = identity.Replace(r.opts.Memory, b)
	}
	if r.unwritten = err != nil; r.unwritten {
		r.opts.Log.Error("who is enrolled or revoked can't be kept beside the county's authority: if desk.db is lost, "+
			"it is not known any more", "file", r.opts.Memory, "err", err)
	}
}

// WasEnrolled reports whether an agent was enrolled that the desk's file does not know: the
// file was lost, or brought back from a backup. Nothing is taken in its name before it is
// enrolled again.
func (r *Registry) WasEnrolled(agent string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.identities[agent]
	return !known && r.memory.Agents[agent]
}

// voided is a certificate that was revoked or replaced.
type voided struct {
	serial string
	at     time.Time
}

func scanRevoked(row db.Row) (v voided, err error) {
	var revoked int64
	err = row.Scan(&v.serial, &revoked)
	v.at = at(revoked)
	return v, err
}
