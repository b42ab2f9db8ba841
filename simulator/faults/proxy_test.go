package faults

import (
	"io"
	"net"
	"testing"
	"time"
)

func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); c.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestAProxyPassesIsCutAndPassesAgain(t *testing.T) {
	p, err := NewProxy(t.Context(), echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	exchange := func() error {
		c, err := net.Dial("tcp", p.Addr())
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			return err
		}
		if _, err := c.Write([]byte("hello")); err != nil {
			return err
		}
		_, err = io.ReadFull(c, make([]byte, 5))
		return err
	}
	if err := exchange(); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	p.Cut(true)
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Fatal("a connection is open after the cut")
	}
	if exchange() == nil {
		t.Fatal("a new connection works after the cut")
	}
	p.Cut(false)
	if err := exchange(); err != nil {
		t.Fatal(err)
	}
}
