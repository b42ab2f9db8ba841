package fleet

import (
	"context"
	"fmt"
	"math"
	"time"

	"gatehouse/devices/port/pty"
)

// plc returns the units of the register map plc-fogger.
func plc(m *model) map[byte]unit {
	return map[byte]unit{1: func(function byte, address uint16) (uint16, bool) {
		s := m.read()
		total := uint32(math.Round(s.volume * 100))
		switch {
		case function == readCoils && address == 0:
			return bit(s.command), true
		case function == readDiscrete && address == 0:
			return bit(true), true
		case function != readInput || address > 5:
			return 0, false
		}
		return [...]uint16{uint16(math.Round(s.flow * 100)), uint16(total >> 16), uint16(total),
			uint16(math.Round(s.tank * 10)), uint16(s.battery * 10), 0}[address], true
	}}
}

// vfd returns the units of the register maps vfd-pump (unit 1) and tuf-2000f
// (unit 2).
func vfd(m *model) map[byte]unit {
	return map[byte]unit{
		1: func(function byte, address uint16) (uint16, bool) {
			hz := uint16(0)
			if m.read().command {
				hz = 4500
			}
			v, ok := map[uint16]uint16{0x2100: 0, 0x2101: 0, 0x2102: hz, 0x2103: hz, 0x2104: hz / 50}[address]
			return v, ok && function == readHolding
		},
		2: func(function byte, address uint16) (uint16, bool) {
			s := m.read()
			flow := math.Float32bits(float32(s.flow * 60 / 1000))
			total := uint32(math.Round(s.volume * 100))
			v, ok := map[uint16]uint16{
				0: uint16(flow),
				1: uint16(flow >> 16),
				8: uint16(total),
				9: uint16(total >> 16),
			}[address]
			return v, ok && function == readHolding
		},
	}
}

func bit(on bool) uint16 {
	if on {
		return 1
	}
	return 0
}

// gps writes NMEA sentences once a second until ctx is done.
func gps(ctx context.Context, m *model, line *pty.PTY) {
	defer line.Close()
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			if s := m.read(); !s.silent {
				_, _ = line.Write([]byte(sentences(s, now.UTC()))) // fails while nobody listens
			}
		}
	}
}

// sentences returns an RMC and a GGA sentence.
func sentences(s instruments, at time.Time) string {
	valid, quality := "A", 1
	if !s.fix {
		valid, quality = "V", 0
	}
	clock := at.Format("150405.00")
	lat, ns := minutes(s.lat, 2, "N", "S")
	lon, ew := minutes(s.lon, 3, "E", "W")
	return sentence(fmt.Sprintf("GPRMC,%s,%s,%s,%s,%s,%s,%.1f,,%s,,,A",
		clock, valid, lat, ns, lon, ew, s.speed*3600/1852, at.Format("020106"))) +
		sentence(fmt.Sprintf("GPGGA,%s,%s,%s,%s,%s,%d,08,0.9,45.0,M,0.0,M,,", clock, lat, ns, lon, ew, quality))
}

// minutes formats an angle as NMEA 0183 does: degrees and minutes in one number.
func minutes(v float64, digits int, positive, negative string) (text, side string) {
	side = positive
	if v < 0 {
		v, side = -v, negative
	}
	degrees := math.Floor(v)
	return fmt.Sprintf("%0*d%08.5f", digits, int(degrees), (v-degrees)*60), side
}

// sentence adds the start, the checksum and the end to an NMEA sentence.
func sentence(body string) string {
	x := byte(0)
	for i := range len(body) {
		x ^= body[i]
	}
	return fmt.Sprintf("$%s*%02X\r\n", body, x)
}
