package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"time"

	"gatehouse/devices/port/pty"
	"gatehouse/gateway/retry"
)

// plug is a serial device's connector: a pty behind a symlink with a stable
// name, as udev makes for a USB adapter.
type plug struct {
	link string
	mu   sync.Mutex
	pty  *pty.PTY
	gone chan struct{} // closed when the current pty is pulled
}

func newPlug(link string) (*plug, error) {
	p := &plug{link: link}
	return p, p.insert()
}

// insert plugs the device in; it does nothing if it is plugged in.
func (p *plug) insert() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pty != nil {
		return nil
	}
	t, err := pty.Open()
	if err != nil {
		return err
	}
	if err := t.Link(p.link); err != nil {
		t.Close()
		return err
	}
	p.pty, p.gone = t, make(chan struct{})
	return nil
}

// pull unplugs the device; it does nothing if it is unplugged.
func (p *plug) pull() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pty == nil {
		return
	}
	os.Remove(p.link) // as udev does
	p.pty.Close()
	close(p.gone)
	p.pty = nil
}

// current returns the pty and a channel that is closed when it is pulled. The
// pty is nil if the device is unplugged.
func (p *plug) current() (*pty.PTY, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pty, p.gone
}

// fifo is how many bytes a UART delivers at once: a 16550's receiver triggers
// at 8. Pacing single bytes would take most of the processor time of a county
// of simulated gates.
const fifo = 8

// baud is the rate of all simulated serial devices.
const baud = 9600

// send writes bytes at the pace of the line: ten bits a byte, fifo bytes at a
// time.
func (p *plug) send(ctx context.Context, b []byte) {
	t, _ := p.current()
	if t == nil {
		return
	}
	for len(b) > 0 {
		n := min(fifo, len(b))
		retry.Sleep(ctx, time.Duration(n*10)*time.Second/baud)
		_, _ = t.Write(b[:n]) // an unplugged device's bytes are lost
		b = b[n:]
	}
}

// gyPeriod is the time between two frames of a GY-MCU90614.
const gyPeriod = time.Second / 14

// runGY emulates a GY-MCU90614 until ctx is done: it streams once it was told
// to, and answers single queries.
func runGY(ctx context.Context, p *plug, s *Scene) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for ctx.Err() == nil {
		t, gone := p.current()
		if t == nil {
			retry.Sleep(ctx, 50*time.Millisecond)
			continue
		}
		commands := make(chan byte, 4)
		wg.Go(func() { readCommands(t, commands) })
		gySend(ctx, p, s, commands, gone)
	}
	p.pull() // ends readCommands
}

// readCommands reads commands (A5, a byte, and the sum of both) until the pty
// is closed. Commands that nobody takes are dropped.
func readCommands(t *pty.PTY, commands chan<- byte) {
	var seen []byte
	b := make([]byte, 16)
	for {
		n, err := t.Read(b)
		if err != nil {
			return
		}
		seen = append(seen, b[:n]...)
		for len(seen) >= 3 {
			i := bytes.IndexByte(seen, 0xA5)
			if i < 0 || len(seen) < i+3 {
				seen = seen[max(0, i):]
				break
			}
			if seen[i]+seen[i+1] == seen[i+2] {
				select {
				case commands <- seen[i+1]:
				default:
				}
			}
			seen = seen[i+3:]
		}
	}
}

// gySend sends frames until ctx is done or the device is unplugged.
func gySend(ctx context.Context, p *plug, s *Scene, commands <-chan byte, gone <-chan struct{}) {
	tick := time.NewTicker(gyPeriod)
	defer tick.Stop()
	streaming := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-gone:
			return
		case cmd := <-commands:
			switch cmd {
			case 0x45:
				streaming = true
			case 0x15:
				streaming = false
				p.send(ctx, gyFrame(s))
			}
		case <-tick.C:
			if s.brownOut() {
				streaming = false
			}
			if streaming {
				p.send(ctx, gyFrame(s))
			}
		}
	}
}

// gyFrame returns what a GY-MCU90614 sends now.
func gyFrame(s *Scene) []byte {
	object, ambient, fault := s.measure(time.Now())
	switch fault {
	case FaultBroken:
		object = -32768
	case FaultGarbage:
		return []byte{0x80, 0x78, 0xF8, 0x00, 0x80, 0xF8, 0x78, 0xE0, 0x5A}
	case FaultAllFF:
		return bytes.Repeat([]byte{0xFF}, 9)
	case FaultSilent:
		return nil
	}
	b := []byte{0x5A, 0x5A, 0x45, 0x04}
	b = binary.BigEndian.AppendUint16(b, uint16(object))
	b = binary.BigEndian.AppendUint16(b, uint16(ambient))
	var sum byte
	for _, v := range b {
		sum += v
	}
	return append(b, sum)
}

// rdmRepeat is the time between two frames of an RDM6300 while a card is near.
const rdmRepeat = 65 * time.Millisecond

// holdCard holds a card to an RDM6300 for d.
func holdCard(ctx context.Context, p *plug, card string, d time.Duration) error {
	frame, err := rdmFrame(card)
	if err != nil {
		return err
	}
	tick := time.NewTicker(rdmRepeat)
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end) && ctx.Err() == nil; {
		p.send(ctx, frame)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// rdmFrame returns what an RDM6300 sends for a card of ten hex digits.
func rdmFrame(card string) ([]byte, error) {
	raw, err := hex.DecodeString(card)
	if err != nil || len(raw) != 5 {
		return nil, fmt.Errorf("card %q is not ten hex digits", card)
	}
	var sum byte
	for _, v := range raw {
		sum ^= v
	}
	return fmt.Appendf(nil, "\x02%X%02X\x03", raw, sum), nil
}
