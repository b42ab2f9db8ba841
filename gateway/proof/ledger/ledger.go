// Package ledger counts the readings that an agent has completed, in a file
// that a proof afterwards compares with the store.
//
// The file is a shared memory mapping: a reading that was added is in it even
// if the process is killed at the next instruction. It is never synced, so that
// a power cut may lose it.
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

// The file: 8 bytes of magic, 8 of count (in the host's byte order), then one
// sum per reading. It has its full size from the start and is sparse.
const (
	magic     = "GATELED1"
	headerLen = 16
	sumLen    = 16
	capacity  = 1 << 20 // readings
	fileLen   = headerLen + capacity*sumLen
)

// ErrFull is the error of Add when the ledger has no room for another reading.
var ErrFull = errors.New("ledger is full: begin a new file")

// Ledger is an open ledger. Add may be called from any goroutine.
type Ledger struct {
	mu   sync.Mutex
	lock io.Closer // of file
	file *os.File
	mem  []byte // nil when closed
}

// Open opens the ledger at path for adding, and creates it if it is missing.
// Only one process at a time can have it open.
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
		return nil, fmt.Errorf("it is not a ledger (%d bytes): choose another file", size)
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
		return nil, errors.Join(errors.New("it is not a ledger: choose another file"), unix.Munmap(mem))
	}
	return l, nil
}

// count returns the number of readings, which every process that maps the file
// shares. It is aligned because a mapping starts on a page boundary.
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
	// After the sum, so that a reader that sees the count finds the sum.
	l.count().Store(n + 1)
	return nil
}

// Close closes the ledger; the file stays. Closing again does nothing.
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

// Counts is the content of a ledger.
type Counts struct {
	N    uint64
	Sums [][sumLen]byte // in the order of Add
}

// Read returns the content of the ledger at path, even while an agent adds to it.
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
		return Counts{}, fmt.Errorf("read the ledger %s: it is not a ledger", path)
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
