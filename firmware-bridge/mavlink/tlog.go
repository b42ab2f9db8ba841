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

	"github.com/bluenviron/gomavlib/v3/pkg/dialect"

	"gatehouse/firmware-bridge/runs"
)

// stampLen is the length of the time before each frame: microseconds since 1970,
// big-endian.
const stampLen = 8

// ErrLog means that a file is not a MAVLink recording.
var ErrLog = errors.New("no MAVLink recording (.tlog)")

// ReadLog reads a recording and calls out with the samples of the given vehicles, at
// the recording's times, and with what a live link would have said of them. It skips
// what is damaged and returns how many bytes that were. A recording is of links that
// were trusted: signatures in it are not checked.
func ReadLog(r io.Reader, vehicles []Vehicle, out Out) (skipped int, err error) {
	d, err := messages()
	if err != nil {
		return 0, err
	}
	l := &log{in: bufio.NewReaderSize(r, 64<<10), now: time.Hour, turned: time.Hour}
	l.receiver = newReceiver(vehicles, nil, nil, func(machine string, s runs.Sample, err error) {
		if err == nil {
			l.taken++
			s.At, s.T = l.at, time.Duration(l.at.UnixNano())
		}
		out(machine, s, err)
	})
	for {
		n, err := l.next(d)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return l.skipped, fmt.Errorf("read a recording: %w", err)
		}
		_, _ = l.in.Discard(n) // it was peeked
	}
	switch {
	case l.found == 0:
		return l.skipped, ErrLog
	case l.taken == 0 && len(l.strange) > 0:
		return l.skipped, fmt.Errorf("the recording is of MAVLink systems %v, none of which is configured",
			slices.Sorted(maps.Keys(l.strange)))
	}
	l.tick(l.now)
	return l.skipped, nil
}

// log is a recording that is being read.
type log struct {
	*receiver
	in           *bufio.Reader
	at           time.Time     // of the present frame
	now, turned  time.Duration // the same, without steps back; when tick was called
	found, taken int
	skipped      int // bytes
}

// next takes the frame that the next bytes are, and returns how many bytes it has; 1
// where they are none.
func (l *log) next(d *dialect.ReadWriter) (n int, err error) {
	head, err := l.in.Peek(stampLen + 3)
	if err != nil {
		return 0, err
	}
	at := time.UnixMicro(int64(binary.BigEndian.Uint64(head))).UTC()
	n, _ = length(head[stampLen:])
	if n == 0 || at.Year() < 2000 || at.Year() > 2100 {
		l.skipped++
		return 1, nil
	}
	b, err := l.in.Peek(stampLen + n)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if len(b) < stampLen+n {
		l.skipped++
		return 1, nil
	}
	p, what := parse(d, b[stampLen:])
	switch {
	case what == aFrame:
		l.found++
		l.play(at, p)
	case what == noFrame || !l.follows(stampLen+n):
		l.skipped++
		return 1, nil
	}
	return stampLen + n, nil
}

// follows reports whether a frame begins after n bytes, or the recording ends there.
func (l *log) follows(n int) bool {
	b, _ := l.in.Peek(n + stampLen + 1)
	return len(b) == n || len(b) > n+stampLen && (b[n+stampLen] == magicV1 || b[n+stampLen] == magicV2)
}

// play takes a frame at its time.
func (l *log) play(at time.Time, p packet) {
	if !l.at.IsZero() {
		l.now += max(0, at.Sub(l.at))
	}
	l.at = at
	if l.now-l.turned >= time.Second {
		l.turned = l.now
		l.tick(l.now)
	}
	l.take(l.now, "", p)
}
