package desk

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"time"

	"gatehouse/gateway/county/speak"
	"gatehouse/gateway/live"
	"gatehouse/gateway/wire"
)

// Voice is how the desk speaks to gates.
type Voice struct {
	County string
	Key    ed25519.PrivateKey // the collector's; nil: nothing is said
	Again  time.Duration      // after which a call without an answer is raised again; 0: never
}

// SpeakBy gives the desk what publishes. It may be called from any goroutine.
func (d *Desk) SpeakBy(p speak.Publisher) {
	d.speaker.By(p)
	d.Commands.By(p)
}

// say raises calls again that nobody has answered, and tells each gate how far its calls
// have come, and the notices for it.
func (d *Desk) say(ctx context.Context, now time.Time) error {
	again, err := d.Alerts.Remind(ctx, now, d.opts.Voice.Again)
	for _, o := range again {
		d.opts.Log.Warn("nobody has answered a call: it is raised again", "agent", o.Agent,
			slog.String("role", string(o.Role)), "asked", o.Asked, "times", o.Again)
	}
	open, errCalls := d.Alerts.Calls(ctx)
	list, errNotices := d.Notices.Current(ctx, now)
	if err = errors.Join(err, errCalls, errNotices); err != nil {
		return err
	}
	calls, agents := map[string][]wire.DeskCall{}, map[string]bool{}
	for _, o := range open {
		calls[o.Agent] = append(calls[o.Agent], o.Said())
		agents[o.Agent] = true
	}
	for _, agent := range append(d.opts.Sites.Agents(), d.speaker.Known()...) {
		agents[agent] = true
	}
	for agent := range agents {
		err = errors.Join(err, d.speaker.Say(ctx, now, agent, calls[agent], d.Notices.For(list, agent)))
	}
	return errors.Join(err, live.Set(d.Hub, "notices", list), d.speaker.Publish(now))
}
