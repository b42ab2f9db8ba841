package threats

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/gateway/wire"
)

// doors are listeners, and connections that want nothing.
func doors() []Row {
	return []Row{
		{
			ID: "T13", Name: "inner-listener",
			Title:   "an account of the county's server tries every port of its programs",
			Control: "nats-server's port wants a secret of this start", try: innerListener,
		},
		{
			ID: "T14", Name: "open-listeners", Title: "listeners are configured for everybody without protection",
			Control: "what others can reach needs TLS and names: refused at the start", try: openListeners,
		},
		{
			ID: "T15", Name: "half-open", Title: "200 connections to the broker say nothing, or half a CONNECT",
			Control: "a deadline before the log-in, and places that are counted", try: halfOpen,
		},
		{
			ID: "T16", Name: "huge-messages",
			Title:   "messages of 4 MiB, announced or sent, before and after the log-in",
			Control: "a length is refused before it is read", try: hugeMessages,
		},
		{
			ID: "T17", Name: "password-in-clear",
			Title:   "an agent is told to send its password over plain TCP to a host",
			Control: "refused at the start", try: passwordInClear,
		},
	}
}

// listening returns the ports on which a process listens, and fails when one is open to others.
func listening(pid int) (ports []int, err error) {
	inodes := map[string]bool{}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return nil, err
	}
	for _, fd := range fds {
		to, _ := os.Readlink(fd) // it may be closed by now
		if inode, is := strings.CutPrefix(to, "socket:["); is {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	for _, file := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, file))
		if err != nil {
			continue // a computer without IPv6
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" || !inodes[f[9]] { // 0A: it listens
				continue
			}
			host, port, _ := strings.Cut(f[1], ":")
			n, err := strconv.ParseInt(port, 16, 32)
			if err != nil {
				return nil, err
			}
			if host != "0100007F" {
				return nil, fmt.Errorf("port %d is open to others: %s", n, host)
			}
			ports = append(ports, int(n))
		}
	}
	return ports, nil
}

func innerListener(ctx context.Context, c *county) (string, error) {
	tried := 0
	for _, p := range c.programs() {
		ports, err := listening(p.PID())
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.Name, err)
		}
		if p == c.collector && len(ports) < 3 {
			return "", fmt.Errorf("the collector listens on %v: nats-server's own port is not found", ports)
		}
		for _, port := range ports {
			at := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
			if c.known(at) {
				continue // other rows try these
			}
			for _, l := range []login{
				{id: "x"}, {id: "x", user: watcher, password: password}, {id: "gate-001", user: "agent gate-001"},
				{id: "x", user: "_county", password: "x"}, {id: "x", user: "_keeper"},
				{id: "c", user: "collector collector", password: password},
			} {
				l.at, l.plain = at, true
				if m, _ := c.enter(ctx, l); m != nil {
					m.close()
					return "", fmt.Errorf("%s lets %q in on its port %d", p.Name, l.user, port)
				}
				tried++
			}
			if said, err := natsSays(ctx, at); err == nil && strings.Contains(said, "PONG") {
				return "", fmt.Errorf("port %d of %s speaks NATS with anybody: %s", port, p.Name, said)
			}
		}
	}
	if tried == 0 {
		return "", errors.New("nats-server's own port is not found")
	}
	return fmt.Sprintf("%d log-ins at what %d programs do not offer, 0 let in; all ports on 127.0.0.1", tried,
		len(c.programs())), nil
}

// known reports whether an address is one that the county offers to others.
func (c *county) known(at string) bool {
	return at == c.broker || at == c.desk ||
		slices.ContainsFunc(c.gates, func(g *gate) bool { return g.kiosk == at })
}

// natsSays returns what a port answers to NATS' own protocol.
func natsSays(ctx context.Context, at string) (string, error) {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", at)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte("CONNECT {\"verbose\":false}\r\nPING\r\n")); err != nil {
		return "", err
	}
	var said string
	b := make([]byte, 4096)
	for {
		n, err := conn.Read(b)
		said += string(b[:n])
		if err != nil || strings.Contains(said, "PONG") {
			return said, nil
		}
	}
}

func halfOpen(ctx context.Context, c *county) (string, error) {
	pair, err := c.gates[1].pair()
	if err != nil {
		return "", err
	}
	var open []net.Conn
	defer func() {
		for _, conn := range open {
			conn.Close()
		}
	}()
	for i := range 200 {
		l := login{plain: i%2 == 0, pair: &pair, from: byte(60 + i%20)}
		conn, err := c.dial(ctx, l)
		if err != nil {
			continue // refused is as good
		}
		_, _ = conn.Write([]byte("\x10\x30\x00\x04MQTT\x04")[:i%9])
		open = append(open, conn)
	}
	opened := len(open)
	begin := time.Now()
	for _, conn := range open {
		if err := conn.SetReadDeadline(begin.Add(15 * time.Second)); err != nil {
			return "", err
		}
		for b := make([]byte, 64); err == nil; {
			_, err = conn.Read(b)
		}
		if e, is := errors.AsType[net.Error](err); is && e.Timeout() {
			return "", errors.New("a connection that says nothing is still open after 15 s")
		}
		err = nil
	}
	closed := time.Since(begin)
	took, err := c.delivers(ctx, c.gates[0])
	return fmt.Sprintf(
		"%d opened, all closed after %.1f s; a passage was stored in %s",
		opened,
		closed.Seconds(),
		ms(took),
	), err
}

func hugeMessages(ctx context.Context, c *county) (string, error) {
	pair, err := c.gates[1].pair()
	if err != nil {
		return "", err
	}
	before, err := memory(c.collector.PID())
	if err != nil {
		return "", err
	}
	const n = 20
	for i := range n {
		conn, err := c.dial(ctx, login{pair: &pair})
		if err != nil {
			return "", err
		}
		_, _ = conn.Write([]byte("\x10\xff\xff\xff\x7f\x00\x04MQTT\x04")) // a CONNECT of 256 MiB
		if err := ends(conn); err != nil {
			return "", fmt.Errorf("a CONNECT of 256 MiB: %w", err)
		}
		m, err := c.entered(ctx, login{id: fmt.Sprint("gate-002-h", i), pair: &pair})
		if err != nil {
			return "", err
		}
		_ = m.publish(
			wire.Topic(countyID, "gate-002", wire.LeafRecords),
			make([]byte, 4<<20),
			true,
		) // it may be cut
		if err := ends(m.conn); err != nil {
			return "", fmt.Errorf("a message of 4 MiB: %w", err)
		}
	}
	after, err := memory(c.collector.PID())
	if err != nil {
		return "", err
	}
	if after > before+200<<20 {
		return "", fmt.Errorf("the collector needs %d MiB, before %d", after>>20, before>>20)
	}
	took, err := c.delivers(ctx, c.gates[0])
	return fmt.Sprintf(
		"%d, all cut off; memory %d MiB, before %d; a passage was stored in %s",
		2*n,
		after>>20,
		before>>20,
		ms(took),
	), err
}

// ends returns an error when the other side does not end a connection.
func ends(conn net.Conn) error {
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	for b := make([]byte, 256); ; {
		_, err := conn.Read(b)
		if e, is := errors.AsType[net.Error](err); is && e.Timeout() {
			return errors.New("the connection stays open")
		}
		if err != nil {
			return nil
		}
	}
}

// memory returns how many bytes of memory a process has resident.
func memory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(text))
	pages, err := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
