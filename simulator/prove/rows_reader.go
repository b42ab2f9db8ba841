package prove

import (
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"gatehouse/gateway/testkit/loopback"
	"gatehouse/simulator/faults"
)

// readers are faults of those who read what the programs print.
func readers() []Fault {
	return []Fault{{
		Row:  52,
		Name: "log-reader-died",
		What: "collector, broker and an agent print into pipes whose readers are killed, another agent into one " +
			"whose reader is stopped; the line is cut now and then",
		Expect: "all go on",
		prepare: func(_ context.Context, r *rig) error {
			r.pipedLogs, r.agentArgs = true, []string{"--log-level", "debug"}
			return nil
		},
		inject: loseReaders,
	}}
}

// loseReaders ends the readers and makes the programs print.
func loseReaders(ctx context.Context, r *rig) error {
	stuck := r.agents[1]
	for _, p := range []*process{r.agents[0], r.collector, r.broker} {
		if err := p.SignalReader(syscall.SIGKILL); err != nil {
			return err
		}
	}
	if err := stuck.SignalReader(syscall.SIGSTOP); err != nil {
		return err
	}
	r.undo = append(r.undo, func() { _ = stuck.SignalReader(syscall.SIGKILL) }) // it may have ended
	before := r.parsed()
	for n := range 3 {
		r.chaos.Set(faults.Line{Cut: n < 2})
		device := r.hw[n%2]
		if err := device.Unplug("reader-in"); err != nil {
			return err
		}
		r.wait(ctx, 2*time.Second)
		if err := device.Plug("reader-in"); err != nil {
			return err
		}
		r.chaos.Set(faults.Line{})
		r.wait(ctx, 2*time.Second)
	}
	if n := r.parsed() - before; n < 10 {
		return fmt.Errorf("the gate took %d readings after its log's reader had ended", n)
	}
	return r.anyDied()
}

// unreachable are faults of what lies between the programs.
func unreachable() []Fault {
	return []Fault{{
		Row:    54,
		Name:   "broker-not-there",
		What:   "there is no broker for a while",
		Expect: "/readyz says so and since when, and that it is over when it is",
		inject: removeBroker,
	}, {
		Row:  55,
		Name: "proxy-in-environment",
		What: "all_proxy, http_proxy and https_proxy of every program name a proxy that lets nothing through; " +
			"the broker is restarted",
		Expect:  "nobody connects to it: no configuration names it",
		prepare: nameProxy,
		inject: func(ctx context.Context, r *rig) error {
			return r.restart(ctx, time.Second, r.broker, r.collector)
		},
		verify: func(r *rig, _ Result) error {
			if n := r.strays.Load(); n > 0 {
				return fmt.Errorf("%d connections to the proxy", n)
			}
			return nil
		},
	}}
}

// removeBroker ends the broker and reads the collector's probe meanwhile.
func removeBroker(ctx context.Context, r *rig) error {
	if _, ok := r.poll(ctx, 10*time.Second, func() bool { return r.ready(ctx, true, "") }); !ok {
		return fmt.Errorf("the collector is not ready at first")
	}
	r.broker.end(syscall.SIGTERM, 10*time.Second)
	took, ok := r.poll(ctx, 15*time.Second, func() bool {
		return r.ready(ctx, false, "no connection to the broker")
	})
	if !ok {
		return fmt.Errorf("/readyz does not say that there is no broker")
	}
	r.wait(ctx, 3*time.Second)
	if err := r.broker.start(); err != nil {
		return err
	}
	back, ok := r.poll(ctx, 45*time.Second, func() bool { return r.ready(ctx, true, "") })
	if !ok {
		return fmt.Errorf("the collector is not ready again: %s", r.collector.tail())
	}
	r.note("said after %.1f s, ready %.1f s after the broker's start", took.Seconds(), back.Seconds())
	return nil
}

// ready reports whether /readyz of the desk says ready or not, with a problem that contains text.
func (r *rig) ready(ctx context.Context, ready bool, text string) bool {
	is, says, err := r.clerk.Ready(ctx)
	return err == nil && is == ready && strings.Contains(says, text)
}

// nameProxy starts a proxy that closes every connection, and puts it into the
// environment of the programs.
func nameProxy(ctx context.Context, r *rig) error {
	address, err := loopback.Free(ctx)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.strays.Add(1)
			c.Close()
		}
	}()
	r.undo = append(r.undo, func() { l.Close(); <-done })
	for _, name := range []string{"all_proxy=socks5", "ALL_PROXY=socks5", "http_proxy=http", "HTTP_PROXY=http",
		"https_proxy=http", "HTTPS_PROXY=http"} {
		r.env = append(r.env, name+"://"+address)
	}
	return nil
}
