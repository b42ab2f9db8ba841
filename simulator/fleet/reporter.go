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

// reporter is a machine that publishes to the broker by itself.
type reporter struct {
	*model
	county string
	broker string
}

// reportEvery is how often it reports.
const reportEvery = time.Second

// run reports until ctx is done. It keeps what the broker has not taken and
// publishes it again, in order.
func (r *reporter) run(ctx context.Context) {
	c := mqtt.New(mqtt.Config{URL: r.broker, ClientID: "fw-" + r.ID, Log: slog.New(slog.DiscardHandler)})
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Run(ctx) }() // ends with ctx only
	defer func() { <-done }()
	var queue []mqtt.Message
	t := time.NewTicker(reportEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			queue = append(queue, r.messages(now)...)
		}
		for len(queue) > 0 && c.Publish(queue[0]) == nil {
			queue = queue[1:]
		}
	}
}

// behind is the error of a wrong clock, as after an empty battery.
const behind = 20 * 365 * 24 * time.Hour

func (r *reporter) messages(now time.Time) []mqtt.Message {
	s := r.read()
	if r.Language == Tasmota {
		return r.tasmota(s, now)
	}
	if r.Fault == FaultClock {
		now = now.Add(-behind)
	}
	w := wire.Report{V: 1, At: new(wire.At(now)), Values: fact.Values{
		Lat:     &s.lat,
		Lon:     &s.lon,
		Speed:   &s.speed,
		Command: &s.command,
		Flow:    rounded(s.flow),
		Volume:  rounded(s.volume),
		Tank:    rounded(s.tank),
		Battery: rounded(s.battery),
	}}
	b, err := wire.Encode(w)
	if err != nil {
		return nil // can't happen: the numbers are finite
	}
	return []mqtt.Message{{Topic: wire.Topic(r.county, r.ID, wire.LeafReport), Payload: b, QoS: 1}}
}

// rounded returns v rounded to three decimals.
func rounded(v float64) *float64 { return new(math.Round(v*1000) / 1000) }

// The topics of the Tasmota machine.
const (
	sensorTopic = "tele/fogger-9/SENSOR"
	powerTopic  = "stat/fogger-9/POWER"
)

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
		return nil // can't happen: the numbers are finite
	}
	power := "OFF"
	if s.command {
		power = "ON"
	}
	return []mqtt.Message{{Topic: powerTopic, Payload: []byte(power), QoS: 1}, {Topic: sensorTopic, Payload: b, QoS: 1}}
}

func (t Truth) String() string {
	return fmt.Sprintf("%s %s–%s %.2f L, %d cells, %s",
		t.Machine, t.Start.Format(time.TimeOnly), t.End.Format(time.TimeOnly), t.Litres, t.Cells, t.Grade)
}
