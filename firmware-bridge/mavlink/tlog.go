package mavlink

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/frame"

	"gatehouse/firmware-bridge/runs"
)

// Bytes before the frame: 8 of time, microseconds since 1970, big-endian. A
// frame begins with one of two magic bytes.
const (
	stampLen = 8
	magicV1  = 0xFE
	magicV2  = 0xFD
)

// ErrLog means that a file is not a MAVLink recording.
var ErrLog = errors.New("no MAVLink recording (.tlog)")

// ReadLog reads a recording and calls each with the samples of the given
// vehicles, at the recording's times. It skips what is damaged and returns how
// many bytes that were.
func ReadLog(r io.Reader, vehicles []Vehicle, each func(machine string, s runs.Sample)) (skipped int, err error) {
	l := &Link{decoders: map[uint8]*decoder{}, strange: map[uint8]bool{}}
	for _, v := range vehicles {
		l.decoders[v.System] = newDecoder(v)
	}
	d, err := messages()
	if err != nil {
		return 0, err
	}
	in := bufio.NewReaderSize(r, 64<<10)
	frames := &frame.Reader{BufByteReader: in, DialectRW: d}
	if err := frames.Initialize(); err != nil {
		return 0, fmt.Errorf("read a recording: %w", err)
	}
	found, taken := 0, 0
	for {
		head, err := in.Peek(stampLen + 1)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return skipped, fmt.Errorf("read a recording: %w", err)
		}
		at := time.UnixMicro(int64(binary.BigEndian.Uint64(head))).UTC()
		if magic := head[stampLen]; magic != magicV1 && magic != magicV2 || at.Year() < 2000 || at.Year() > 2100 {
			_, _ = in.Discard(1) // it was peeked
			skipped++
			continue
		}
		_, _ = in.Discard(stampLen)
		f, err := frames.Read()
		if err != nil {
			skipped += stampLen
			continue
		}
		found++
		l.take(f.GetSystemID(), f.GetComponentID(), f, func(machine string, s runs.Sample, err error) {
			if err == nil {
				taken++
				s.At, s.T = at, time.Duration(at.UnixNano())
				each(machine, s)
			}
		})
	}
	switch {
	case found == 0:
		return skipped, ErrLog
	case taken == 0 && len(l.strange) > 0:
		return skipped, fmt.Errorf("the recording is of MAVLink systems %v, none of which is configured",
			slices.Sorted(maps.Keys(l.strange)))
	}
	return skipped, nil
}
