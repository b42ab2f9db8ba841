package ship

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// said returns the codes of the troubles after a turn of the clock.
func (w *world) said() (kinds []fact.TroubleKind) {
	w.pass(0)
	for _, t := range w.delivery.troubles(w.now) {
		kinds = append(kinds, t.Kind)
	}
	return kinds
}

// silent lets the collector not answer for a while: what is sent is lost.
func (w *world) silent(d time.Duration) {
	for end := w.now.Boot + d; w.now.Boot < end; w.pass(time.Second) {
		w.toCounty, w.toAgent = nil, nil
	}
}

// announced is a world whose collector has announced itself and answered.
func announced(t *testing.T) *world {
	t.Helper()
	w := joined(t)
	w.collector(w.now, w.c.status().payload)
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) faulty(fault string) {
	st, err := wire.Decode[wire.CollectorStatus](w.c.status().payload)
	if err != nil {
		panic(err)
	}
	st.Fault = fault
	payload, err := wire.Encode(wire.SignCollectorStatus(st, "county", w.c.key))
	if err != nil {
		panic(err)
	}
	w.collector(w.now, payload)
}

func TestTheTroublesOfADelivery(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*world)
		want string // codes
		text string // in the first one
	}{
		"well":                  {func(*world) {}, "", ""},
		"well, and a day later": {func(w *world) { w.run(t, swallows, 1<<20, 0); w.answered24h(t) }, "", ""},
		"no connection": {func(w *world) { w.down(w.now, errors.New("connection refused")) },
			"no-broker", "connection refused"},
		"the connection comes and goes": {func(w *world) {
			for range 30 {
				w.down(w.now, errors.New("EOF"))
				w.pass(2 * time.Second)
				w.up(w.now)
				w.pass(2 * time.Second)
			}
		}, "no-broker", "again and again"},
		"a new connection, not answered yet": {func(w *world) { w.down(w.now, nil); w.up(w.now) }, "no-broker", ""},
		"the collector has gone": {func(w *world) {
			w.collector(w.now, []byte(`{"v":1,"state":"offline","at":"2020-02-14T06:30:00Z","start":"x"}`))
			w.silent(90 * time.Second)
		}, "no-collector", "gone from the broker"},
		"the collector is stuck": {func(w *world) { w.silent(70 * time.Second) }, "no-answer", "gate/ack"},
		"no collector at this broker": {func(w *world) {
			w.silent(time.Hour)
			w.down(w.now, nil)
			w.up(w.now)
			w.silent(time.Minute)
		}, "no-collector", "collector/status"},
		"the store refuses": {func(w *world) { w.faulty("disk full") }, "store-refuses", "disk full"},
		"the store is well": {func(w *world) { w.faulty("disk full"); w.faulty("") }, "", ""},
		"records are dropped": {func(w *world) {
			w.bigRecords(3000, 3000)
			w.run(t, swallows, 1200, 2*time.Minute)
			w.sizing.held = span{} // before one is named
		}, "not-acknowledged broker-limit", "gate/records"},
		"large ones are dropped": {func(w *world) {
			w.bigRecords(slices.Repeat([]int{400}, 30)...)
			w.run(t, swallows, 1200, 5*time.Minute)
		}, "broker-limit", "message_size_limit"},
		"the clock is slow":          {func(w *world) { w.clockOff(2 * time.Minute) }, "clock-off", "2m0s behind"},
		"the clock is fast":          {func(w *world) { w.clockOff(-time.Hour) }, "clock-off", "ahead of the county's"},
		"the clock is a little slow": {func(w *world) { w.clockOff(30 * time.Second) }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := announced(t)
			w.pass(steadyAfter)
			c.do(w)
			if s := strings.Trim(fmt.Sprint(w.said()), "[]"); s != c.want {
				t.Fatalf("said %q, want %q", s, c.want)
			}
			if all := w.delivery.troubles(w.now); c.text != "" && !strings.Contains(all[0].Text, c.text) {
				t.Errorf("the text is %q", all[0].Text)
			}
		})
	}
}

// answered24h lets a day pass in which nothing is recorded and hellos are answered.
func (w *world) answered24h(t *testing.T) {
	t.Helper()
	for range 24 * 60 {
		w.pass(time.Minute)
		if err := w.settle(); err != nil {
			t.Fatal(err)
		}
	}
}

// clockOff makes the collector answer with a clock that is ahead by d.
func (w *world) clockOff(d time.Duration) {
	w.hello(w.now, helloEvery)
	w.toCounty = nil
	at := wire.At(w.now.Wall.Add(d))
	w.acked(w.now, w.c.ack(wire.Ack{JID: testJID, Through: 1, Nonce: w.greeting.nonce, At: &at}).payload)
}

func TestAConnectionThatLastsEndsTheTrouble(t *testing.T) {
	w := announced(t)
	w.down(w.now, errors.New("EOF"))
	w.pass(time.Minute)
	since := w.delivery.troubles(w.now)[0].Since
	w.up(w.now)
	w.down(w.now.Add(time.Second), errors.New("EOF"))
	if again := w.delivery.troubles(w.now)[0].Since; !again.Equal(since.Time) {
		t.Errorf("since %s, then since %s", since, again)
	}
	w.up(w.now)
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	if got := w.said(); len(got) != 0 || !w.linked() {
		t.Errorf("answered: %v", got)
	}
}
