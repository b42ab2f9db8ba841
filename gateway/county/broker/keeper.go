package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"gatehouse/gateway/wire"
)

// Streams in which nats-server keeps what MQTT needs, and what their subjects begin
// with.
const (
	keptStream      = "$MQTT_msgs"
	keptPrefix      = "$MQTT.msgs."
	retainedStream  = "$MQTT_rmsgs"
	retainedPrefix  = "$MQTT.rmsgs."
	keeperInbox     = "$KEEPER" // no client that subscribes to # receives what begins with a dollar sign
	keeperPatience  = 10 * time.Second
	keptLookEvery   = time.Second
	keptUnnoticed   = 64 << 20  // bytes that may be kept until it is asked whose they are
	keptLimit       = 768 << 20 // bytes that are kept at most, of maxStore
	keptShareOfRest = 4         // who has more than one part in so many of what is left waits
)

// keeper asks a running nats-server what it stores.
type keeper struct {
	conn *nats.Conn
	js   nats.JetStreamContext
}

func newKeeper(srv *server.Server, password string) (*keeper, error) {
	conn, err := nats.Connect("", nats.InProcessServer(srv), nats.UserInfo(keeperName, password),
		nats.CustomInboxPrefix(keeperInbox), nats.NoReconnect())
	if err != nil {
		return nil, fmt.Errorf("broker: ask nats-server: %w", err)
	}
	js, err := conn.JetStream(nats.MaxWait(keeperPatience))
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("broker: ask nats-server: %w", err)
	}
	return &keeper{conn: conn, js: js}, nil
}

// subjects returns how many messages of each subject a stream has, without prefix.
func (k *keeper) subjects(ctx context.Context, stream, prefix string) (map[string]uint64, error) {
	info, err := k.js.StreamInfo(stream, &nats.StreamInfoRequest{SubjectsFilter: ">"}, nats.Context(ctx))
	if errors.Is(err, nats.ErrStreamNotFound) {
		return nil, nil // nobody has connected yet
	}
	if err != nil {
		return nil, fmt.Errorf("broker: ask nats-server what it stores: %w", err)
	}
	out := map[string]uint64{}
	for s, n := range info.State.Subjects {
		out[strings.TrimPrefix(s, prefix)] = n
	}
	return out, nil
}

// tidy removes retained messages beyond what their owners may have, which an
// earlier version has let in, and returns the subjects of the others. It is called
// before anybody connects.
func (k *keeper) tidy(ctx context.Context, log *slog.Logger) ([]string, error) {
	all, err := k.subjects(ctx, retainedStream, retainedPrefix)
	if err != nil {
		return nil, err
	}
	var subjects []string
	for s := range all {
		subjects = append(subjects, s)
	}
	status := "." + string(wire.LeafStatus)
	slices.SortFunc(subjects, func(a, b string) int { // statuses first: they stay
		if x, y := strings.HasSuffix(a, status), strings.HasSuffix(b, status); x != y {
			if x {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
	r := newRetained()
	removed := map[string]int{}
	subjects = slices.DeleteFunc(subjects, func(s string) bool {
		owner := ownerOf(s, ".")
		if err != nil || r.take(owner, s, 0) {
			return false
		}
		removed[owner]++
		err = k.js.PurgeStream(retainedStream, &nats.StreamPurgeRequest{Subject: retainedPrefix + s}, nats.Context(ctx))
		return true
	})
	for owner, n := range removed {
		log.Warn("broker: retained messages were removed: they were more than one client may have",
			"agent", owner, "messages", n)
	}
	return subjects, err
}

// keptBy returns whose messages take too much of the store: keys of kept.
func (k *keeper) keptBy(ctx context.Context) (map[string]bool, error) {
	info, err := k.js.StreamInfo(keptStream, nats.Context(ctx))
	switch {
	case errors.Is(err, nats.ErrStreamNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("broker: ask nats-server what it stores: %w", err)
	case info.State.Bytes < keptUnnoticed:
		return nil, nil
	}
	subjects, err := k.subjects(ctx, keptStream, keptPrefix)
	return tooMuch(subjects, info.State.Bytes), err
}

// tooMuch returns whose messages take too much, when all of them need so many bytes.
func tooMuch(subjects map[string]uint64, bytes uint64) map[string]bool {
	var messages uint64
	by := map[string]uint64{}
	for s, n := range subjects {
		messages += n
		by[keptKey(s, ".")] += n
	}
	rest := keptLimit - min(bytes, keptLimit)
	over := map[string]bool{}
	for key, n := range by {
		if n*(bytes/max(messages, 1)) > rest/keptShareOfRest {
			over[key] = true
		}
	}
	return over
}

func (k *keeper) close() { k.conn.Close() }
