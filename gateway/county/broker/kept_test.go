package broker

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWhoseMessagesTakeTooMuch(t *testing.T) {
	one := func(n uint64) map[string]uint64 {
		return map[string]uint64{"gatehouse.v1.c.bad.report": n, "gatehouse.v1.c.good.report": 300}
	}
	for name, c := range map[string]struct {
		subjects map[string]uint64
		bytes    uint64
		want     string
	}{
		"nothing":           {nil, 0, ""},
		"little":            {one(300), 64 << 20, ""},
		"one has much":      {one(9000), 500 << 20, "bad"},
		"one has a quarter": {one(3000), 200 << 20, "bad"},
		"no room is left":   {one(300), keptLimit, "bad good"},
		"more than all":     {one(300), maxStore, "bad good"},
		"a firmware's own":  {map[string]uint64{"tele.fog.SENSOR": 1000}, 700 << 20, "telefogSENSOR"},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(slices.Sorted(maps.Keys(tooMuch(c.subjects, c.bytes))), " ")
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	if a, b := keptKey("tele/fog/SENSOR", "/"), keptKey("tele.fog.SENSOR", "."); a != b {
		t.Errorf("topic %q, subject %q", a, b)
	}
}

func TestWhoseMessagesTakeTooMuchWaitsUntilTheyAreTaken(t *testing.T) {
	k := newKept()
	const topic = "gatehouse/v1/c/bad/report"
	if err := k.wait(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	k.set(map[string]bool{"bad": true})
	if k.full("gatehouse/v1/c/good/report") || !k.full(topic) {
		t.Fatal("the wrong one must wait")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.wait(ctx, topic); err == nil {
		t.Fatal("it does not wait")
	}
	ended := make(chan error)
	go func() { ended <- k.wait(t.Context(), topic) }()
	k.set(map[string]bool{"bad": true}) // still
	k.set(nil)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// A machine floods a collector that takes nothing, because its store is full: what
// others sent stays, and they can send more.
func TestOneMachineDoesNotFillTheRoomOfAll(t *testing.T) {
	cfg := configOf(t)
	cfg.UsersFile = users(t, "gate-017", bad, "collector")
	var told buffer
	cfg.Refused = func(agent, why string) { fmt.Fprintln(&told, agent, why) }
	b := start(t, cfg)
	stuck := dialRaw(t, b, "collector", "reports-x", cleanFlag) // it reads, and acknowledges nothing
	stuck.send(subscribePacket("gatehouse/v1/qinghe/+/report"))
	stuck.expect(0x90, 3, 0, 1, 1)
	good := as(t, b, "gate-017")
	good.publish(t, "gatehouse/v1/qinghe/gate-017/report", 1, false, "first")
	c := as(t, b, bad)
	for deadline := time.Now().Add(patience); !strings.Contains(told.String(), bad+" the broker: too many"); {
		if time.Now().After(deadline) {
			t.Fatalf("told is %q", told.String())
		}
		// What nats-server would say after minutes of it; it says otherwise every second.
		b.proxy.kept.set(tooMuch(map[string]uint64{"gatehouse.v1.qinghe.gate-666.report": 9000}, 600<<20))
		c.Publish(own+"report", 1, false, "more")
		time.Sleep(20 * time.Millisecond)
	}
	good.publish(t, "gatehouse/v1/qinghe/gate-017/report", 1, false, "second")
	c = as(t, b, bad)
	c.publish(t, own+"report", 0, false, "QoS 0 is not kept")
	for deadline := time.Now().Add(patience); b.proxy.kept.full(own + "report"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it waits although nothing is kept")
		}
	}
	c.publish(t, own+"report", 1, false, "again")
}

// A store of an earlier version may have more retained messages than one may have
// now. What a client may have is counted on after a restart.
func TestRetainedMessagesBeyondTheLimitAreRemovedAtTheStart(t *testing.T) {
	cfg := configOf(t)
	b, err := Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	inner := connect(t, insider(t, b, "before")) // where no limit holds
	for i := range 3 * mostRetained {
		inner.publish(t, fmt.Sprint("gatehouse/v1/c/bad/", i), 1, true, "x")
	}
	inner.publish(t, "gatehouse/v1/c/bad/status", 1, true, "status")
	inner.publish(t, "gatehouse/v1/c/good/status", 1, true, "status")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = start(t, cfg)
	left, err := b.keeper.subjects(t.Context(), retainedStream, retainedPrefix)
	if err != nil || len(left) != mostRetained+1 || left["gatehouse.v1.c.bad.status"] != 1 {
		t.Errorf("%d are left, %v", len(left), err)
	}
	wantRetained(t, b.Addr(), "gatehouse/v1/c/good/status", "status")
	r := b.proxy.retained
	if r.may("bad", "gatehouse/v1/c/bad/new") || !r.may("bad", "gatehouse/v1/c/bad/status") {
		t.Error("what is retained is not counted")
	}
}

func TestQoS2ArrivesOnce(t *testing.T) {
	b := start(t, configOf(t))
	sub := connect(t, insider(t, b, "sub"))
	sub.subscribe(t, "a/b", 1)
	pub := connect(t, login{url: "tcp://" + b.Addr(), id: "pub"})
	for i := range 300 {
		pub.Publish("a/b", byte(1+i%2), false, fmt.Sprint(i))
	}
	for i := range 300 {
		sub.want(t, "a/b", fmt.Sprint(i))
	}
	pub.publish(t, "a/b", 2, false, "end")
	sub.want(t, "a/b", "end")
	held, err := b.keeper.subjects(t.Context(), "$MQTT_qos2in", "")
	if err != nil || len(held) > 0 {
		t.Errorf("held: %v, %v", held, err)
	}
}

// Where clients prove no names, each of the collector's own connections is known by its id.
func TestTheCollectorsConnectionsAreKnownByTheirIDs(t *testing.T) {
	b := start(t, configOf(t))
	for id, granted := range map[string]byte{"collector-x": 1, "desk-x": 1, "reports-x": 1, "rules-x": 1, "end-x": 1,
		"gate-017": 0} {
		c := dialRaw(t, b, "", id, cleanFlag)
		c.send(subscribePacket("gatehouse/v1/qinghe/+/retire"))
		c.expect(0x90, 3, 0, 1, granted)
	}
}
