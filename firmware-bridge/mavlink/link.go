package mavlink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"gatehouse/devices"
	"gatehouse/devices/unheard"
	"gatehouse/firmware-bridge/runs"
)

// Link is one link. Make it with New, run it with Run.
type Link struct {
	cfg   Config
	ports devices.Ports
	begun time.Time

	*receiver
	peers map[string]*peer // who sends on this link, by address
	watch unheard.Watch
}

// peer is one sender.
type peer struct {
	frames *splitter
	answer *answer
	last   time.Duration
}

const (
	mostPeers  = 64              // senders of one link; more: the one heard least recently is forgotten
	peerFor    = time.Minute     // a sender that is silent for so long is forgotten
	datagram   = 65_507          // the longest
	reopen     = 2 * time.Second // how long a serial device that is gone rests
	turnEvery  = time.Second     //
	readBuffer = 4 << 20         // bytes that the system keeps of a socket
)

// New returns a link; it opens nothing yet.
func New(cfg Config, ports devices.Ports) (*Link, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("mavlink: %w", err)
	}
	if cfg.Baud == 0 {
		cfg.Baud = 57600
	}
	if _, err := messages(); err != nil {
		return nil, err
	}
	return &Link{cfg: cfg, ports: ports}, nil
}

// chunk is what was read at once: a datagram, or bytes of a serial line.
type chunk struct {
	bytes []byte
	from  net.Addr // nil: of a serial line
	line  io.ReadWriteCloser
	err   error // the link was lost
}

// Run reads until ctx ends. It returns an error when it can't listen on the
// address; a serial device that was unplugged is opened again. It owns a goroutine
// that reads.
func (l *Link) Run(ctx context.Context, out Out) error {
	l.begun = time.Now().Add(-time.Hour)
	l.begin(out)
	chunks := make(chan chunk)
	read := l.readSerial
	if l.cfg.UDP != "" {
		socket, err := listenUDP(l.cfg.UDP)
		if err != nil {
			return fmt.Errorf("mavlink on %s: %w", l.cfg.UDP, err)
		}
		read = func(ctx context.Context, chunks chan<- chunk) { readUDP(ctx, socket, chunks) }
	}
	done := make(chan struct{})
	go func() { defer close(done); read(ctx, chunks) }()
	defer func() { <-done }()
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case c := <-chunks:
			l.chunk(time.Since(l.begun), c)
		case <-turn.C:
			l.turn(time.Since(l.begun))
		}
	}
}

// begin forgets what an earlier Run has seen.
func (l *Link) begin(out Out) {
	l.peers, l.watch = map[string]*peer{}, unheard.Watch{}
	l.receiver = newReceiver(l.cfg.Vehicles, l.cfg.Key, l.cfg.Stamps, out)
}

// chunk takes what was read.
func (l *Link) chunk(now time.Duration, c chunk) {
	if c.err != nil {
		l.out("", runs.Sample{}, c.err)
		l.peers = map[string]*peer{}
		return
	}
	from := ""
	if c.from != nil {
		from = c.from.String()
	}
	p := l.peers[from]
	if p == nil {
		var err error
		if p, err = l.newPeer(c); err != nil {
			l.out("", runs.Sample{}, err)
			return
		}
		l.peers[from] = p
	}
	p.last = now
	l.watch.Bytes(now, c.bytes)
	each := func(f packet) {
		if l.take(now, from, f) {
			l.watch.Understood()
		}
		if err := p.answer.heartbeat(now, f); err != nil {
			l.out("", runs.Sample{}, fmt.Errorf("mavlink: send: %w", err))
		}
	}
	p.frames.add(c.bytes, each)
}

// newPeer returns a sender that was not known.
func (l *Link) newPeer(c chunk) (*peer, error) {
	if len(l.peers) >= mostPeers {
		oldest := ""
		for name, p := range l.peers {
			if o := l.peers[oldest]; o == nil || p.last < o.last {
				oldest = name
			}
		}
		delete(l.peers, oldest)
	}
	frames, err := newSplitter()
	if err != nil {
		return nil, err
	}
	a, err := newAnswer(c.line, l.cfg.Key)
	return &peer{frames: frames, answer: a}, err
}

// turn does what is due every second.
func (l *Link) turn(now time.Duration) {
	for name, p := range l.peers {
		if now-p.last > peerFor {
			delete(l.peers, name)
		}
		if err := p.answer.turn(now); err != nil && !errors.Is(err, net.ErrClosed) {
			l.out("", runs.Sample{}, fmt.Errorf("mavlink: send: %w", err))
		}
	}
	l.tick(now)
	report, speaks := l.watch.Check(now)
	if !speaks || l.refusing(now) {
		return
	}
	for _, c := range l.crafts {
		l.out(c.Machine, runs.Sample{}, fmt.Errorf("mavlink: %w", &unheard.Error{Report: report, Try: l.try()}))
	}
}
