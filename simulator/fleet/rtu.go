package fleet

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"time"

	"gatehouse/devices/port/pty"
	"gatehouse/gateway/retry"
)

// unit returns the value at an address of a Modbus unit's table, by function
// code. ok is false if there is none.
type unit func(function byte, address uint16) (value uint16, ok bool)

// Modbus function codes and exceptions.
const (
	readCoils, readDiscrete, readHolding, readInput = 1, 2, 3, 4
	illegalFunction, illegalAddress, illegalValue   = 1, 2, 3
)

// crc16 returns the checksum of Modbus RTU (Modbus over serial line V1.02,
// 2.5.1.2).
func crc16(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, x := range b {
		crc ^= uint16(x)
		for range 8 {
			if odd := crc&1 == 1; odd {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}

// requestLen is the length of a read request, from slave id to checksum.
const requestLen = 8

// answer returns the reply to a request, or nil if its checksum is wrong or it
// is for another unit.
func answer(units map[byte]unit, b []byte) []byte {
	if crc16(b[:requestLen-2]) != binary.LittleEndian.Uint16(b[requestLen-2:]) {
		return nil
	}
	u, function := units[b[0]], b[1]
	if u == nil {
		return nil
	}
	first, count := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b[4:])
	refuse := func(code byte) []byte { return withCRC([]byte{b[0], function | 0x80, code}) }
	bits := function == readCoils || function == readDiscrete
	switch {
	case !bits && function != readHolding && function != readInput:
		return refuse(illegalFunction)
	case count == 0 || !bits && count > 125 || count > 2000:
		return refuse(illegalValue)
	}
	var data []byte
	if bits {
		data = make([]byte, (count+7)/8)
	}
	for i := range count {
		v, ok := u(function, first+i)
		if !ok {
			return refuse(illegalAddress)
		}
		if bits {
			data[i/8] |= byte(v&1) << (i % 8)
		} else {
			data = binary.BigEndian.AppendUint16(data, v)
		}
	}
	return withCRC(append([]byte{b[0], function, byte(len(data))}, data...))
}

func withCRC(b []byte) []byte { return binary.LittleEndian.AppendUint16(b, crc16(b)) }

// slave answers requests until ctx is done, and then closes the line. Silence
// ends a frame. It does not answer while silent returns true.
func slave(ctx context.Context, line *pty.PTY, units map[byte]unit, silent func() bool) {
	stop := context.AfterFunc(ctx, func() { _ = line.Close() }) // ends the read below
	defer stop()
	var buf []byte
	chunk := make([]byte, 256)
	last := time.Now()
	for {
		n, err := line.Read(chunk)
		if ctx.Err() != nil || errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			retry.Sleep(ctx, 50*time.Millisecond)
			continue
		}
		if time.Since(last) > 50*time.Millisecond {
			buf = nil
		}
		last = time.Now()
		buf = append(buf, chunk[:n]...)
		for len(buf) >= requestLen {
			reply := answer(units, buf[:requestLen])
			buf = buf[requestLen:]
			if reply == nil || silent() {
				continue
			}
			retry.Sleep(ctx, time.Duration(len(reply)*10)*time.Second/9600)
			_, _ = line.Write(reply)
		}
	}
}
