package retire

import (
	"context"
	"errors"
	"sync"
	"time"

	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

const (
	turnEvery   = time.Second
	answerEvery = 10 * time.Second // a receipt that the county has not acknowledged is sent again after this
)

// Line is how the gate reaches the county to the end.
type Line struct {
	Load   func(*mqtt.Config) error  // reads how the broker is reached
	Beside func(ctx context.Context) // runs while there is somebody to reach; it renews the certificate
	Turn   func()                    // is called every second
}

// End does what is left when all is delivered: it destroys, sends the receipt until the
// county has it, and destroys the rest. It returns when nothing is left, or when ctx ends;
// what fails is logged and tried again.
func (r *Retirement) End(ctx context.Context, line Line) {
	for r.Stage() != Done && ctx.Err() == nil {
		line.Turn()
		err := r.Destroy(time.Now())
		if err == nil && r.Stage() == Answering {
			err = r.answer(ctx, line)
		}
		if err == nil {
			err = r.Finish()
		}
		if err != nil && ctx.Err() == nil {
			r.opts.Log.Error("what this gate holds could not be destroyed; it is tried again", "err", err)
			retry.Sleep(ctx, turnEvery)
		}
	}
}

var errEnded = errors.New("the agent ends")

// answer sends the receipt until the county has it.
func (r *Retirement) answer(ctx context.Context, line Line) error {
	var broker mqtt.Config
	if err := line.Load(&broker); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	heard, up := make(chan []byte, 4), make(chan struct{}, 1)
	topic := func(leaf wire.Leaf) string { return wire.Topic(r.opts.County, r.opts.Agent, leaf) }
	broker.ClientID, broker.Log = r.opts.Agent, r.opts.Log
	broker.Subscriptions = []mqtt.Subscription{{Filter: topic(wire.LeafRetire)}}
	broker.OnUp = func() {
		select {
		case up <- struct{}{}:
		default:
		}
	}
	broker.OnMessage = func(m mqtt.Message) {
		select {
		case heard <- m.Payload:
		case <-ctx.Done():
		}
	}
	client := mqtt.New(broker)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { _ = client.Run(ctx) }) // ends with ctx only
	running.Go(func() { line.Beside(ctx) })
	send := func() bool {
		m := mqtt.Message{Topic: topic(wire.LeafRetired), Payload: r.Receipt(), QoS: 1}
		return client.Publish(m) == nil
	}
	tick := time.NewTicker(turnEvery)
	defer tick.Stop()
	due := time.Duration(0)
	for r.Stage() == Answering {
		line.Turn()
		select {
		case <-ctx.Done():
			return errEnded
		case payload := <-heard:
			if _, err := r.Acknowledged(payload); err != nil {
				r.opts.Log.Warn("a message to this gate was refused", "err", err)
			}
		case <-up:
			due = 0
		case <-tick.C:
			if due -= turnEvery; due <= 0 && send() {
				due = answerEvery
			}
		}
	}
	return nil
}
