package cli

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/collect"
	"gatehouse/gateway/county/health"
	"gatehouse/gateway/fact"
)

func TestACollectorWorksWhileItsLoopTurns(t *testing.T) {
	board, now := health.NewBoard(), time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	if st := countyState(board, now); st.Working || st.Text != "starts" {
		t.Errorf("before it has begun: %+v", st)
	}
	board.SetTurned(collect.Part, now)
	if st := countyState(board, now.Add(collect.LongestTurn)); !st.Working || st.Stuck != "" {
		t.Errorf("within a turn: %+v", st)
	}
	board.Set("desk", health.Problem(fact.TroubleStoreRefuses, now, "the disk is full"))
	if st := countyState(board, now); !st.Working || st.Stuck != "" || st.Text != "the disk is full" {
		t.Errorf("a store that refuses is no reason to start again: %+v", st)
	}
	if st := countyState(board, now.Add(collect.LongestTurn+1)); st.Stuck != collect.Part {
		t.Errorf("after the longest turn: %+v", st)
	}
}

func TestABrokerAloneWorksWhileItAnswers(t *testing.T) {
	var s brokerService
	if st := s.look(time.Now()); st.Working {
		t.Errorf("before it has answered: %+v", st)
	}
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0", Dir: t.TempDir()},
		slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.watch(ctx, b, slog.New(slog.DiscardHandler))
	}()
	for deadline := time.Now().Add(30 * time.Second); !s.look(time.Now()).Working; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not answer")
		}
	}
	cancel()
	<-ended
	answered := *s.answered.Load()
	if st := s.look(answered.Add(silentAfter)); st.Stuck != "" {
		t.Errorf("%+v", st)
	}
	if st := s.look(answered.Add(silentAfter + 1)); st.Stuck == "" {
		t.Errorf("silent for too long: %+v", st)
	}
}

func TestAComputerThatIsNoGateYetSaysSo(t *testing.T) {
	g := &gateService{clock: clock.System{}}
	if st := g.look(); st.Working || st.Text != "starts" {
		t.Errorf("%+v", st)
	}
	g.first.Store(new("http://127.0.0.1:8090"))
	if st := g.look(); !st.Working || !strings.HasSuffix(st.Text, "http://127.0.0.1:8090") {
		t.Errorf("%+v", st)
	}
}
