package ship

import (
	"context"
	"errors"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

const beatEvery = 10 * time.Second

// beats sends a heartbeat at each connect and every 10 s until ctx ends. It
// waits for no fsync.
func (s *Shipper) beats(ctx context.Context, client publisher, up <-chan struct{}) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-up:
		case <-tick.C:
		}
		s.beat(client)
	}
}

// says publishes what other parts of the agent say until ctx ends.
func (s *Shipper) says(ctx context.Context, client publisher) {
	for {
		select {
		case <-ctx.Done():
			return
		case x := <-s.opts.Said:
			if err := client.Publish(mqtt.Message{Topic: s.topic(x.Leaf), Payload: x.Payload, QoS: 1}); err != nil {
				s.opts.Log.Debug("not sent", "leaf", x.Leaf, "err", err)
			}
		}
	}
}

// beat sends one heartbeat, unless a part of the agent is stuck: a gate that
// decides nothing must not look alive.
func (s *Shipper) beat(client publisher) {
	now := s.opts.Clock.Now()
	if parts := s.opts.Board.Stuck(now); len(parts) > 0 {
		s.opts.Log.Error("the agent is stuck; no heartbeat is sent", "parts", parts)
		return
	}
	payload, err := wire.Encode(s.heartbeat(now))
	if err == nil {
		err = client.Publish(mqtt.Message{Topic: s.topic(wire.LeafBeat), Payload: payload})
	}
	if err != nil && !errors.Is(err, mqtt.ErrOffline) {
		s.opts.Log.Debug("heartbeat not sent", "err", err)
	}
}

// heartbeat returns the state of the agent at now.
func (s *Shipper) heartbeat(now clock.Moment) wire.Beat {
	j, is := s.opts.Journal, s.opts.Board.Snapshot()
	beat := wire.Beat{
		V:        1,
		At:       wire.At(now.Wall),
		JID:      j.JID(),
		Origin:   j.Origin(),
		Last:     j.Last(),
		Through:  j.State().Through,
		UptimeS:  seconds(now.Boot - s.began),
		Devices:  []wire.BeatDevice{},
		Machines: is.Machines,
		Troubles: wire.Bounded(is.Troubles(now)),
		Rules:    is.Rules,
		Upgrade:  is.Upgrade,
	}
	for _, d := range is.Devices {
		idle := seconds(now.Boot - d.Heard)
		beat.Devices = append(beat.Devices, wire.BeatDevice{Name: d.Name, State: d.State, IdleS: idle})
	}
	if !is.Oldest.IsZero() && beat.Through < beat.Last {
		beat.Oldest = new(wire.At(is.Oldest))
	}
	if is.FullIn > 0 {
		beat.FullInH = new(int64(is.FullIn / time.Hour))
	}
	return beat
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
