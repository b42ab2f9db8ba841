package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"gatehouse/devices/port/pty"
)

// plug is a serial device's connector: a pty behind a stable name, as udev
// gives a USB adapter. It can be pulled and put in again.
type plug struct {
	link string
	mu   sync.Mutex
	pty  *pty.PTY
	gone chan struct{} // closed when the current pty is pulled
}

func newPlug(link string) (*plug, error) {
	p := &plug{link: link}
	return p, p.in()
}

// in plugs the device in.
func (p *plug) in() error {
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

// out pulls it.
func (p *plug) out() {
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

// current gives the pty that is plugged in, or nil.
func (p *plug) current() (*pty.PTY, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pty, p.gone
}

// fifo is how many bytes a UART hands over at once: a 16550's receiver
// triggers at 8. Pacing each byte would cost a county of simulated gates more
// than everything else.
const fifo = 8

// baud is the rate of all serial devices here.
const baud = 9600

// send writes bytes as a line delivers them: ten bits a byte, a FIFO's worth at
// a time.
func (p *plug) send(ctx context.Context, b []byte) {
	t, _ := p.current()
	if t == nil {
		return
	}
	for len(b) > 0 {
		n := min(fifo, len(b))
		pause(ctx, time.Duration(n*10)*time.Second/baud)
		_, _ = t.Write(b[:n]) // a pulled plug loses bytes
		b = b[n:]
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// gyPeriod is a GY-MCU90614's: 14 frames a second.
const gyPeriod = time.Second / 14

// gy emulates a GY-MCU90614 until ctx ends: it streams once it was asked to,
// and answers single queries.
func gy(ctx context.Context, p *plug, s *Scene) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for ctx.Err() == nil {
		t, gone := p.current()
		if t == nil {
			pause(ctx, 50*time.Millisecond)
			continue
		}
		asked := make(chan byte, 4)
		wg.Go(func() { listen(t, asked) })
		gyTalk(ctx, p, s, asked, gone)
	}
	p.out() // ends the listener
}

// listen reads commands: A5, a byte, and their sum.
func listen(t *pty.PTY, asked chan<- byte) {
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
				case asked <- seen[i+1]:
				default:
				}
			}
			seen = seen[i+3:]
		}
	}
}

func gyTalk(ctx context.Context, p *plug, s *Scene, asked <-chan byte, gone <-chan struct{}) {
	tick := time.NewTicker(gyPeriod)
	defer tick.Stop()
	streaming := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-gone:
			return
		case cmd := <-asked:
			switch cmd {
			case 0x45:
				streaming = true
			case 0x15:
				streaming = false
				p.send(ctx, gyFrame(s))
			}
		case <-tick.C:
			if streaming {
				p.send(ctx, gyFrame(s))
			}
		}
	}
}

// gyFrame is what a GY-MCU90614 sends at this moment.
func gyFrame(s *Scene) []byte {
	object, ambient, fault := s.look(time.Now())
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
	b := []byte{0x5A, 0x5A, 0x45, 0x04, byte(uint16(object) >> 8), byte(object), byte(uint16(ambient) >> 8),
		byte(ambient)}
	var sum byte
	for _, v := range b {
		sum += v
	}
	return append(b, sum)
}

// rdmRepeat is how often an RDM6300 repeats a card that is near.
const rdmRepeat = 65 * time.Millisecond

// tap holds a card to an RDM6300 for d.
func tap(ctx context.Context, p *plug, card string, d time.Duration) error {
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

// rdmFrame is what an RDM6300 sends of a card of ten hex digits.
func rdmFrame(card string) ([]byte, error) {
	var raw [5]byte
	if n, err := fmt.Sscanf(card, "%2X%2X%2X%2X%2X", &raw[0], &raw[1], &raw[2], &raw[3], &raw[4]); err != nil ||
		n != 5 || len(card) != 10 {
		return nil, fmt.Errorf("card %q: ten hex digits, please", card)
	}
	var sum byte
	for _, v := range raw {
		sum ^= v
	}
	return []byte(fmt.Sprintf("\x02%X%02X\x03", raw[:], sum)), nil
}
