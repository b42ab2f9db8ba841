package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/firmware-bridge/track"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/progress"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/wire"
)

// perPart is how many points a report may hold, so that it stays far below the
// limit of a message.
const perPart = 100

// parts divides a track into reports.
func parts(t *track.Track, id, name string) (out []wire.Report) {
	n := (t.Len() + perPart - 1) / perPart
	for p := range n {
		first := t.Sample(p * perPart)
		r := wire.Report{V: 1, At: new(wire.At(first.At)),
			Import: &wire.Part{ID: id, Part: p + 1, Parts: n, Name: name}}
		for i := p * perPart; i < min(t.Len(), (p+1)*perPart); i++ {
			r.Points = append(r.Points, machine.Point(t.Sample(i), first.T))
		}
		out = append(out, r)
	}
	return out
}

// sendIn bounds the time for sending.
const sendIn = 2 * time.Minute

// send publishes reports, each again until the broker has acknowledged it.
func (i *importing) send(c *cobra.Command, reports []wire.Report) error {
	ctx, cancel := context.WithTimeout(c.Context(), sendIn)
	defer cancel()
	up, failed := make(chan struct{}), make(chan error, 1)
	cfg := mqtt.Config{ClientID: fmt.Sprintf("import-%d", os.Getpid()), Log: slog.New(slog.DiscardHandler),
		OnUp: sync.OnceFunc(func() { close(up) }),
		OnFail: func(err error) {
			select {
			case failed <- err:
			default:
			}
		}}
	if err := i.flags.b.Load(&cfg); err != nil {
		return usageError{err}
	}
	client := mqtt.New(cfg)
	done := make(chan struct{})
	go func() { defer close(done); _ = client.Run(ctx) }() // ends with ctx only
	defer func() { cancel(); <-done }()
	select {
	case <-up:
	case err := <-failed:
		return i.flags.unreachable(err)
	case <-ctx.Done():
		return i.flags.unreachable(ctx.Err())
	}
	bar := i.output.bar(c, "send", int64(len(reports)), progress.Parts)
	defer bar.End()
	for _, r := range reports {
		b, err := wire.Encode(r)
		if err != nil {
			return fmt.Errorf("encode a part of the track: %w", err)
		}
		m := mqtt.Message{Topic: wire.Topic(i.flags.county, i.machine, wire.LeafReport), Payload: b, QoS: 1}
		for err = client.PublishAcknowledged(ctx, m); err != nil; err = client.PublishAcknowledged(ctx, m) {
			if !retry.Sleep(ctx, 100*time.Millisecond) {
				return fmt.Errorf("the broker at %s did not acknowledge it within %s: %w; "+
					"run the same command again, nothing is counted twice", i.flags.b.URL, sendIn, err)
			}
		}
		bar.Add(1)
	}
	return nil
}
