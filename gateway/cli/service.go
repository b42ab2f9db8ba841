package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/county/health"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/systemd"
)

// serve tells systemd how this service is until end is called, which returns when that has
// ended.
func serve(ctx context.Context, log *slog.Logger, look func() systemd.State) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() { systemd.New(log).Run(ctx, look) })
	return func() {
		cancel()
		telling.Wait()
	}
}

// gateService is what systemd is told of an agent. Its fields may be set from any goroutine.
type gateService struct {
	clock clock.Source
	agent atomic.Pointer[agent.Agent] // nil: none runs yet, or it starts anew
	first atomic.Pointer[string]      // where the first page is; nil: the computer is a gate
}

func (g *gateService) look() systemd.State {
	a, first := g.agent.Load(), g.first.Load()
	switch {
	case first != nil:
		return systemd.State{Working: true, Text: "no gate yet: scan or type the county's code at " + *first}
	case a == nil:
		return systemd.State{Text: "starts"}
	case !a.Records():
		return systemd.State{Text: "reads its journal"}
	}
	now := g.clock.Now()
	st := a.Board().Snapshot()
	text := "takes records"
	if st.Retired != "" {
		text = "is taken out of service for good: " + st.Retired
	}
	if st.Delivery.Linked {
		text += ", the county answers"
	} else {
		text += ", the county does not answer"
	}
	if st.Pending > 0 {
		text += fmt.Sprintf("; %d records wait for it", st.Pending)
	}
	if st.Unkept != "" {
		text += "; " + st.Unkept
	}
	return systemd.State{Working: true, Stuck: strings.Join(a.Stuck(now), ", "), Text: text}
}

// countyState is what systemd is told at now of a collector that posts on a board.
func countyState(board *health.Board, now time.Time) systemd.State {
	turned := board.Turned(collect.Part)
	if turned.IsZero() {
		return systemd.State{Text: "starts"}
	}
	st := systemd.State{Working: true, Text: "collects"}
	if now.Sub(turned) > collect.LongestTurn {
		st.Stuck = collect.Part
	}
	var problems []string
	for _, t := range board.Troubles(now) {
		if t.Problem {
			problems = append(problems, t.Text)
		}
	}
	if len(problems) > 0 {
		st.Text = strings.Join(problems, "; ")
	}
	return st
}

// When a broker is pinged, and when one that does not answer counts as stuck.
const (
	pingEvery   = 5 * time.Second
	pingTimeout = 5 * time.Second
	silentAfter = 20 * time.Second
)

// brokerService is what systemd is told of a broker alone.
type brokerService struct{ answered atomic.Pointer[time.Time] } // when it answered last; nil: never

// watch pings the broker until ctx ends.
func (s *brokerService) watch(ctx context.Context, b *broker.Broker, log *slog.Logger) {
	every := time.NewTicker(pingEvery)
	defer every.Stop()
	for {
		once, cancel := context.WithTimeout(ctx, pingTimeout)
		err := b.Ping(once)
		cancel()
		if err == nil {
			s.answered.Store(new(time.Now()))
		} else if ctx.Err() == nil {
			log.Warn("the broker does not answer", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// look returns how the broker is at now.
func (s *brokerService) look(now time.Time) systemd.State {
	answered := s.answered.Load()
	switch {
	case answered == nil:
		return systemd.State{Text: "starts"}
	case now.Sub(*answered) > silentAfter:
		return systemd.State{Working: true, Stuck: "broker", Text: "does not answer"}
	}
	return systemd.State{Working: true, Text: "answers"}
}
