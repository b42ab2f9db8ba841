package modbus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync"

	"github.com/simonvetter/modbus"
)

// link is an open bus.
type link struct {
	client *modbus.ModbusClient
	ends   []io.Closer
	wg     sync.WaitGroup
}

// open opens the bus. The library opens serial ports with a driver of its own;
// to use ours, it speaks RTU over a loopback connection that is copied to the
// line.
func (b *Bus) open(ctx context.Context) (*link, error) {
	l := &link{}
	url := "tcp://" + b.cfg.TCP
	var listener net.Listener
	var line io.ReadWriteCloser
	if b.cfg.Serial != "" {
		var err error
		if line, err = b.ports.Serial(b.cfg.Serial, b.cfg.Baud); err != nil {
			return nil, err
		}
		l.ends = append(l.ends, line)
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0"); err != nil {
			l.close()
			return nil, fmt.Errorf("bridge the line: %w", err)
		}
		defer listener.Close()
		url = "rtuovertcp://" + listener.Addr().String()
	}
	client, err := modbus.NewClient(&modbus.ClientConfiguration{
		URL: url, Speed: uint(b.cfg.Baud), Timeout: answerIn, Logger: log.New(io.Discard, "", 0),
	})
	if err == nil {
		err = client.Open()
	}
	if err != nil {
		l.close()
		return nil, fmt.Errorf("open: %w", err)
	}
	l.client = client
	if listener == nil {
		return l, nil
	}
	conn, err := listener.Accept()
	if err != nil {
		l.close()
		return nil, fmt.Errorf("bridge the line: %w", err)
	}
	l.ends = append(l.ends, conn)
	l.wg.Go(func() { _, _ = io.Copy(line, conn); _ = conn.Close() })
	l.wg.Go(func() { answers(conn, line); _ = conn.Close() })
	return l, nil
}

// answers copies from the line until either end is closed. A read of the line
// that times out returns no bytes and no error.
func answers(to net.Conn, line io.Reader) {
	buf := make([]byte, 256)
	for {
		n, err := line.Read(buf)
		if err != nil {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// close closes the link and waits for its goroutines. A nil link may be closed.
func (l *link) close() {
	if l == nil {
		return
	}
	if l.client != nil {
		_ = l.client.Close() // nothing can be done about an error
	}
	for _, c := range l.ends {
		_ = c.Close()
	}
	l.wg.Wait()
}

// read requests a block of a unit. A bit is 0 or 1.
func (l *link) read(unit uint8, b block) ([]uint16, error) {
	if err := l.client.SetUnitId(unit); err != nil {
		return nil, err
	}
	switch b.table {
	case tableHolding:
		return l.client.ReadRegisters(b.first, b.count, modbus.HOLDING_REGISTER)
	case tableInput:
		return l.client.ReadRegisters(b.first, b.count, modbus.INPUT_REGISTER)
	case tableCoil:
		return bits(l.client.ReadCoils(b.first, b.count))
	case tableDiscrete:
		return bits(l.client.ReadDiscreteInputs(b.first, b.count))
	}
	return nil, errors.New("no such table") // Check forbids it
}

func bits(on []bool, err error) ([]uint16, error) {
	out := make([]uint16, len(on))
	for i, b := range on {
		if b {
			out[i] = 1
		}
	}
	return out, err
}
