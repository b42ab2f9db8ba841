package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

// reporter is a machine that publishes to the broker by itself. Its fields belong
// to the goroutine of run.
type reporter struct {
	*model
	county string
	broker string

	sent  int            // reports
	said  string         // what the relay said last
	late  []mqtt.Message // held back, FaultLate
	older []mqtt.Message // the newest reports, FaultRepeat
}

// reportEvery is how often it reports.
const reportEvery = time.Second

// run reports until ctx is done. What the broker has not acknowledged is published
// again, in order.
func (r *reporter) run(ctx context.Context) {
	down := make(chan struct{}, 1)
	c := mqtt.New(mqtt.Config{URL: r.broker, ClientID: "fw-" + r.ID, Log: slog.New(slog.DiscardHandler),
		OnDown: func(error) {
			select {
			case down <- struct{}{}:
			default:
			}
		}})
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }() // ends with ctx only
	defer func() { <-done }()
	var queue []mqtt.Message
	attempt, onItsWay := 0, false // of the first of them
	acked := make(chan int)
	t := time.NewTicker(reportEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			queue = append(queue, r.messages(now)...)
		case n := <-acked:
			if n == attempt {
				queue, onItsWay = queue[1:], false
				attempt++
			}
		case <-down:
			onItsWay = false
			attempt++
		}
		if len(queue) == 0 || onItsWay {
			continue
		}
		n := attempt
		onItsWay = nil == c.PublishThen(queue[0], func() {
			select {
			case acked <- n:
			case <-ctx.Done():
			}
		})
	}
}

// The errors of wrong clocks.
const (
	behind = 20 * 365 * 24 * time.Hour // FaultClock, as after an empty battery
	Slow   = 16 * time.Minute          // FaultSlow
)

// messages returns what the machine publishes now.
func (r *reporter) messages(now time.Time) []mqtt.Message {
	s := r.read()
	if s.silent {
		return nil
	}
	switch r.Language {
	case Tasmota:
		return r.tasmota(s, now)
	case Relay:
		return r.relay(s)
	}
	report := r.report(s, now)
	r.sent++
	switch r.Fault {
	case FaultLate:
		if r.sent%7 == 0 { // it comes behind the next two
			r.late = append(r.late, report)
			return nil
		}
		if len(r.late) > 0 && r.sent%7 == 2 {
			held := r.late
			r.late = nil
			return append([]mqtt.Message{report}, held...)
		}
	case FaultRepeat:
		r.older = append(r.older, report)
		if r.sent%10 == 0 {
			again := r.older[len(r.older)-3]
			r.older = r.older[len(r.older)-3:]
			return []mqtt.Message{report, again}
		}
	}
	return []mqtt.Message{report}
}

// report returns a report of the documented form.
func (r *reporter) report(s instruments, now time.Time) mqtt.Message {
	w := wire.Report{V: 1, Values: fact.Values{
		Lat:     &s.lat,
		Lon:     &s.lon,
		Speed:   &s.speed,
		Command: &s.command,
		Flow:    rounded(s.flow),
		Volume:  rounded(s.volume),
		Battery: rounded(s.battery),
	}}
	if r.TankL > 0 {
		w.Tank = rounded(s.tank)
	}
	switch r.Fault {
	case FaultRepeat: // without a time
	case FaultClock:
		w.At = new(wire.At(now.Add(-behind)))
	case FaultSlow:
		w.At = new(wire.At(now.Add(-Slow)))
	default:
		w.At = new(wire.At(now))
	}
	b, err := wire.Encode(w)
	if err != nil {
		panic(err) // the numbers are finite
	}
	return mqtt.Message{
		Topic:    wire.Topic(r.county, r.ID, wire.LeafReport),
		Payload:  b,
		QoS:      1,
		Retained: r.Fault == FaultDies,
	}
}

// rounded returns v rounded to three decimals.
func rounded(v float64) *float64 { return new(math.Round(v*1000) / 1000) }

// powerTopic returns the topic of a relay.
func powerTopic(id string) string { return "stat/" + id + "/POWER" }

// sensorTopic is that of the Tasmota machine's values.
const sensorTopic = "tele/fogger-9/SENSOR"

func (r *reporter) tasmota(s instruments, now time.Time) []mqtt.Message {
	type flow struct{ Rate, Total float64 }
	type place struct{ Lat, Lon float64 }
	b, err := json.Marshal(struct {
		Time string
		FLOW flow
		GPS  place
	}{now.UTC().Format(time.RFC3339), flow{math.Round(s.flow * 60), math.Round(s.volume*100) / 100},
		place{s.lat, s.lon}})
	if err != nil {
		panic(err) // the numbers are finite
	}
	return []mqtt.Message{r.power(s), {Topic: sensorTopic, Payload: b, QoS: 1}}
}

// relay returns the state of the relay when it has changed.
func (r *reporter) relay(s instruments) []mqtt.Message {
	m := r.power(s)
	if text := string(m.Payload); text != r.said {
		r.said = text
		return []mqtt.Message{m}
	}
	return nil
}

func (r *reporter) power(s instruments) mqtt.Message {
	text := "OFF"
	if s.command {
		text = "ON"
	}
	return mqtt.Message{Topic: powerTopic(r.ID), Payload: []byte(text), QoS: 1}
}

func (t Truth) String() string {
	return fmt.Sprintf("%s %s–%s %.2f L, %.0f m, %s",
		t.Machine, t.Start.Format(time.TimeOnly), t.End.Format(time.TimeOnly), t.Litres, t.Metres, t.Grade)
}
