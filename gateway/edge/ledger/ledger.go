// Package ledger counts the readings that an agent has completed, in a file
// that outlives it: the proof that none is lost compares it with the store.
//
// The file is mapped into memory and shared, so that what was counted is there
// after the process is killed at any instruction. It is no journal: a power
// cut may take it.
package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/lockfile"
)

// The file: 8 magic, 8 count (in the host's byte order), then one sum for each
// reading. It is sparse and as large as it can get.
const (
	magic     = "GATELED1"
	headerLen = 16
	sumLen    = 16
	capacity  = 1 << 20 // readings: far more than a proof makes
	fileLen   = headerLen + capacity*sumLen
)

// ErrFull says that the ledger holds as many readings as it can.
var ErrFull = errors.New("ledger is full: begin a new file")

// Ledger is an open ledger. Add may be called from any goroutine.
type Ledger struct {
	mu   sync.Mutex
	lock io.Closer // of file
	file *os.File
	mem  []byte // nil when closed
}

// Open opens the ledger at path, makes it when it is missing, and goes on
// behind what it holds. One process at a time may have it open.
func Open(path string) (*Ledger, error) {
	lock, err := lockfile.Take(path)
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the ledger: %w", err), lock.Close())
	}
	l, err := mapFile(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the ledger %s: %w", path, err), f.Close(), lock.Close())
	}
	l.lock = lock
	return l, nil
}

func mapFile(f *os.File) (*Ledger, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if size := info.Size(); size != 0 && size != fileLen {
		return nil, fmt.Errorf("%d bytes are no ledger: choose another file", size)
	}
	if err := f.Truncate(fileLen); err != nil {
		return nil, err
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, fileLen, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map it into memory: %w", err)
	}
	l := &Ledger{file: f, mem: mem}
	if bytes.Equal(mem[:headerLen], make([]byte, headerLen)) {
		copy(mem, magic)
	}
	if string(mem[:8]) != magic || l.count().Load() > capacity {
		return nil, errors.Join(errors.New("it is no ledger: choose another file"), unix.Munmap(mem))
	}
	return l, nil
}

// count is the number of readings, which every process that maps the file
// shares. A mapping begins on a page, so that it is aligned.
func (l *Ledger) count() *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&l.mem[8])) //nolint:gosec // shared memory has no other way to an atomic
}

// Add counts a reading, given as the encoded body of its record. It is called
// when the reading is complete, before the journal takes it.
func (l *Ledger) Add(reading []byte) error {
	sum := Sum(reading)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mem == nil {
		return fmt.Errorf("add to the ledger: %w", os.ErrClosed)
	}
	n := l.count().Load()
	if n == capacity {
		return ErrFull
	}
	copy(l.mem[headerLen+n*sumLen:], sum[:])
	// Only now: whoever sees the count finds the sum.
	l.count().Store(n + 1)
	return nil
}

// Close ends the use of the ledger; the file stays.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mem == nil {
		return nil
	}
	err := errors.Join(unix.Munmap(l.mem), l.file.Close(), l.lock.Close())
	l.mem = nil
	if err != nil {
		return fmt.Errorf("close the ledger: %w", err)
	}
	return nil
}

// Sum identifies a reading in the ledger: the first half of the SHA-256 of its
// record's body.
func Sum(reading []byte) [sumLen]byte {
	full := sha256.Sum256(reading)
	return [sumLen]byte(full[:sumLen])
}

// Counts is what a ledger holds.
type Counts struct {
	N    uint64
	Sums [][sumLen]byte // in the order of Add
}

// Read gives what the ledger at path holds, also while an agent adds to it.
func Read(path string) (Counts, error) {
	f, err := os.Open(path)
	if err != nil {
		return Counts{}, fmt.Errorf("read the ledger: %w", err)
	}
	defer f.Close()
	head := make([]byte, headerLen)
	if _, err := io.ReadFull(f, head); err != nil {
		return Counts{}, fmt.Errorf("read the ledger %s: %w", path, err)
	}
	n := binary.NativeEndian.Uint64(head[8:])
	if string(head[:8]) != magic || n > capacity {
		return Counts{}, fmt.Errorf("read the ledger %s: it is no ledger", path)
	}
	sums := make([]byte, n*sumLen)
	if _, err := io.ReadFull(f, sums); err != nil {
		return Counts{}, fmt.Errorf("read the ledger %s: %w", path, err)
	}
	c := Counts{N: n, Sums: make([][sumLen]byte, n)}
	for i := range c.Sums {
		c.Sums[i] = [sumLen]byte(sums[i*sumLen:])
	}
	return c, nil
}
