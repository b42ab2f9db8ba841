package collect

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// AnotherError says that a collector with other keys serves the county at a broker: it was
// set up by itself, and is no earlier start of this one.
type AnotherError struct {
	County, Broker string
	Status         wire.CollectorStatus
}

func (e *AnotherError) Error() string {
	return fmt.Sprintf("another collector, with keys of its own, serves the county %s at %s (version %s, since %s): "+
		"gates believe one of the two only", e.County, e.Broker, e.Status.Version, e.Status.At.String())
}

// statusWithin bounds how long a retained status takes to come after the subscription.
const statusWithin = 2 * time.Second

// Another looks at the broker for a collector of the county that is online and does not
// have the key public; nil: none is there. The error says that the broker can't be asked.
func Another(ctx context.Context, b mqtt.Broker, county string, public ed25519.PublicKey) (*AnotherError, error) {
	st, err := StatusAt(ctx, b, county, "look-"+strings.ReplaceAll(uuid.NewString(), "-", "")[:12])
	if err != nil || st == nil || st.State != fact.Online {
		return nil, err
	}
	if public != nil && wire.VerifyCollectorStatus(*st, county, public) == nil {
		return nil, nil
	}
	return &AnotherError{county, b.URL, *st}, nil
}

// StatusAt connects to the broker once, as clientID, and returns what the county's collector
// has said last there, unverified; nil: it has said nothing. The error says that the broker
// can't be asked.
func StatusAt(ctx context.Context, b mqtt.Broker, county, clientID string) (*wire.CollectorStatus, error) {
	ctx, cancel := context.WithCancel(ctx)
	statuses, up, failed := make(chan wire.CollectorStatus, 1), make(chan struct{}), make(chan error, 1)
	topic := wire.Topic(county, wire.CollectorID, wire.LeafStatus)
	cfg := mqtt.Config{ClientID: clientID,
		OnUp: sync.OnceFunc(func() { close(up) }),
		OnFail: func(err error) {
			select {
			case failed <- err:
			default:
			}
		},
		Subscriptions: []mqtt.Subscription{{Filter: topic, QoS: 1}},
		OnMessage: func(m mqtt.Message) {
			if st, err := wire.Decode[wire.CollectorStatus](m.Payload); err == nil && m.Topic == topic {
				select {
				case statuses <- st:
				default:
				}
			}
		},
		Log: slog.New(slog.DiscardHandler)}
	if err := b.Load(&cfg); err != nil {
		cancel()
		return nil, err
	}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { _ = mqtt.New(cfg).Run(ctx) })
	select {
	case <-up:
	case err := <-failed:
		return nil, err
	case <-ctx.Done():
		return nil, fmt.Errorf("the broker at %s does not answer: %w", b.URL, ctx.Err())
	}
	wait := time.NewTimer(statusWithin)
	defer wait.Stop()
	select {
	case st := <-statuses:
		return &st, nil
	case <-wait.C:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
