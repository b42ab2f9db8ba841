package mavlink

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/bluenviron/gomavlib/v3/pkg/frame"
)

// guard admits signed frames only, each once and none that is older than the last.
type guard struct {
	key    *frame.V2Key
	name   string // of the key, in what is kept
	stamps Stamps
}

// Stamps keeps the newest time stamp that was accepted of each stream of signed
// frames, over restarts. It is called from the goroutine of Run.
type Stamps interface {
	// Newer reports whether a stamp is newer than the newest of its stream, and makes
	// it the newest; by is how far it lies after it. A second has StampSecond.
	Newer(stream string, stamp uint64) (newer bool, by int64)
}

// StampSecond is what a second is in stamps: signatures count 10 µs since 2015, and of
// frames within them the sequence number tells which came first.
const StampSecond = 100_000 << 8

// forgetful keeps stamps in memory only.
type forgetful map[string]uint64

func (f forgetful) Newer(stream string, stamp uint64) (newer bool, by int64) {
	return Advance(f, stream, stamp)
}

// Advance does what Stamps.Newer does, on a map of the newest stamps.
func Advance(newest map[string]uint64, stream string, stamp uint64) (newer bool, by int64) {
	last, known := newest[stream]
	if known && stamp <= last {
		return false, int64(stamp) - int64(last)
	}
	newest[stream] = stamp
	return true, int64(stamp - last)
}

func newGuard(key []byte, stamps Stamps) *guard {
	if stamps == nil {
		stamps = forgetful{}
	}
	sum := sha256.Sum256(key)
	return &guard{key: frame.NewV2Key(key), name: hex.EncodeToString(sum[:4]), stamps: stamps}
}

// Why a frame is refused.
type refusal int

const (
	admitted refusal = iota
	unsigned         // MAVLink 2 without a signature
	version1         // MAVLink 1, which has none
	wrongKey
	replayed // much older than the last of its stream
	late     // a little older, or the same frame once more
	refusals // how many there are
)

// lateStamp is how far a frame may lie behind the last of its stream to count as one
// that was late: 10 s.
const lateStamp = 10 * StampSecond

// admit says why a frame is refused.
func (g *guard) admit(p packet) refusal {
	switch {
	case !p.v2:
		return version1
	case p.signed == nil:
		return unsigned
	}
	f := *p.signed
	f.Message = p.raw
	if *f.GenerateSignature(g.key) != *f.Signature {
		return wrongKey
	}
	stream := fmt.Sprintf("%s/%d/%d/%d", g.name, p.system, p.component, f.SignatureLinkID)
	newer, by := g.stamps.Newer(stream, f.SignatureTimestamp<<8|uint64(p.seq))
	switch {
	case newer:
		return admitted
	case -by > lateStamp:
		return replayed
	}
	return late
}

// words says what a refusal means for a machine.
func (r refusal) words(machine string) string {
	switch r {
	case unsigned:
		return machine + " does not sign, and key_file is set: switch signing on with this key, or remove key_file"
	case version1:
		return machine + " speaks MAVLink 1, which can't be signed, and key_file is set: set SERIALn_PROTOCOL 2 and" +
			" switch signing on, or remove key_file"
	case wrongKey:
		return machine + " signs with another key than that of key_file: give both the same"
	case replayed:
		return machine + ": signed frames came again that are older than the last ones: somebody sends a recording"
	}
	return ""
}
