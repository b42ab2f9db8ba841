package homeassistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/mqtt"
)

const (
	mostDevices = 2048             // that are said
	lookEvery   = 10 * time.Second // at what there is to say
	repeatEvery = 10 * time.Minute // all of it: for whoever missed a message
)

// Publisher sends messages: an MQTT client.
type Publisher interface {
	// PublishThen calls then, from another goroutine, when the broker has the message.
	PublishThen(m mqtt.Message, then func()) error
}

// Announcer says to Home Assistant what there is, and takes back what is not there any more.
// Run and the callbacks of Hello are for the goroutines of the client and of the owner.
type Announcer struct {
	county, file string
	view         func(context.Context) (View, error) // nil: discovery is off, and all is taken back
	log          *slog.Logger

	mu    sync.Mutex
	said  map[string]string // by topic: the payload that the broker was sent; empty: it is to be taken back
	gone  map[string]bool   // topics that the broker has taken back
	again bool              // the connection was made: say everything
}

// New returns an announcer for a county. Which devices were said stands in file, so that they
// are taken back also when discovery is turned off while the collector does not run. A nil
// view turns it off.
func New(county, file string, view func(context.Context) (View, error), log *slog.Logger) (*Announcer, error) {
	a := &Announcer{county: county, file: file, view: view, log: log, said: map[string]string{},
		gone: map[string]bool{}}
	objects, err := kept(file)
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		a.said[configTopic(object)], a.said[stateTopic(object)] = "", ""
	}
	return a, nil
}

// kept returns the devices that a file lists; none: it is not there.
func kept(file string) (objects []string, err error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &objects)
	}
	if err != nil {
		return nil, fmt.Errorf("read what Home Assistant was told: %w", err)
	}
	return objects, nil
}

// Idle reports whether there is nothing to do: discovery is off, and nothing is left of it.
func (a *Announcer) Idle() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.view == nil && len(a.said) == 0
}

// Hello is mqtt.Config.Hello: the last will, and that the county is there.
func (a *Announcer) Hello() (will, first *mqtt.Message) {
	m := func(payload string) *mqtt.Message {
		return &mqtt.Message{Topic: available(a.county), Payload: []byte(payload), QoS: 1, Retained: true}
	}
	if a.view == nil {
		return nil, m("") // takes it back
	}
	return m("offline"), m("online")
}

// Bye is mqtt.Config.Bye: the county goes.
func (a *Announcer) Bye() *mqtt.Message {
	will, _ := a.Hello()
	return will
}

// Up says everything again: a broker may have lost what it kept.
func (a *Announcer) Up() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.again = true
}

// Run says what has changed, until ctx ends, or until all is taken back if discovery is off.
func (a *Announcer) Run(ctx context.Context, p Publisher) error {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	all := time.NewTicker(repeatEvery)
	defer all.Stop()
	soon := time.NewTicker(time.Second) // after a connection was made
	defer soon.Stop()
	for next := true; ; {
		if next {
			if err := a.Say(ctx, p); err != nil {
				a.log.Warn("tell Home Assistant", "err", err)
			}
		}
		if a.Idle() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			next = true
		case <-all.C:
			a.Up()
		case <-soon.C:
			a.mu.Lock()
			next = a.again || len(a.gone) > 0
			a.mu.Unlock()
		}
	}
}

// Say publishes what differs from what the broker has. What there is no connection for is
// said later.
func (a *Announcer) Say(ctx context.Context, p Publisher) error {
	want := map[string]string{}
	objects := []string{}
	if a.view != nil {
		v, err := a.view(ctx)
		if err != nil {
			return fmt.Errorf("look at the gates and machines: %w", err)
		}
		devices, err := Messages(v)
		if err != nil {
			return err
		}
		objects = slices.Sorted(maps.Keys(devices))
		for _, list := range devices {
			for _, m := range list {
				want[m.Topic] = m.Payload
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for topic := range a.gone {
		if a.said[topic] == "" { // it was not said again meanwhile
			delete(a.said, topic)
		}
	}
	clear(a.gone)
	for topic := range a.said {
		if _, still := want[topic]; !still {
			want[topic] = "" // taken back
		}
	}
	if err := a.keep(objects); err != nil {
		return err
	}
	again := a.again
	for _, topic := range slices.Sorted(maps.Keys(want)) { // config is before state
		payload := want[topic]
		if was, known := a.said[topic]; known && was == payload && payload != "" && !again {
			continue
		}
		err := p.PublishThen(mqtt.Message{Topic: topic, Payload: []byte(payload), QoS: 1, Retained: true}, func() {
			a.taken(topic, payload)
		})
		if errors.Is(err, mqtt.ErrOffline) {
			return nil // Up comes
		}
		if err != nil {
			return fmt.Errorf("publish %s: %w", topic, err)
		}
		a.said[topic] = payload
	}
	a.again = false
	return a.keep(objects)
}

// taken notes what the broker has.
func (a *Announcer) taken(topic, payload string) {
	if payload == "" {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.gone[topic] = true
	}
}

// keep writes which devices are said or have to be taken back, before anything is published.
func (a *Announcer) keep(objects []string) error {
	all := map[string]bool{}
	for _, o := range objects {
		all[o] = true
	}
	for topic := range a.said {
		if o, is := strings.CutSuffix(strings.TrimPrefix(topic, Prefix+"/device/"), "/config"); is {
			all[o] = true
		}
	}
	list := slices.Sorted(maps.Keys(all))
	if was, err := kept(a.file); err == nil && slices.Equal(was, list) {
		return nil
	}
	if len(list) == 0 {
		if err := os.Remove(a.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget what Home Assistant was told: %w", err)
		}
		return nil
	}
	b, err := json.Marshal(list)
	if err == nil {
		err = os.WriteFile(a.file+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(a.file+".new", a.file)
	}
	if err != nil {
		return fmt.Errorf("keep what Home Assistant is told: %w", err)
	}
	return nil
}
