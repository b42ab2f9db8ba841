package ship

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// bigRecords adds records of about the given sizes.
func (w *world) bigRecords(sizes ...int) {
	for _, n := range sizes {
		w.q.add(&wire.Health{Device: "d", State: "ok", Detail: strings.Repeat("x", n)})
	}
}

// A broker with a limit, for run: what it does with a message that is too large.
const (
	swallows = "a PUBACK, and the message is dropped"
	hangsUp  = "the connection ends"
	stalls   = "no PUBACK, and the message is dropped"
)

// run lets the time pass, second by second, over a broker that treats messages of
// more than limit bytes in one of the ways above, and returns after how many
// seconds everything is delivered, or most.
func (w *world) run(t interface{ Fatal(...any) }, how string, limit int, most time.Duration) time.Duration {
	for began := w.now.Boot; ; w.pass(time.Second) {
		if !w.standing.online {
			w.up(w.now)
		}
		for len(w.toCounty)+len(w.toAgent) > 0 {
			if len(w.toAgent) > 0 {
				w.deliverToAgent(0)
				continue
			}
			if m := w.toCounty[0]; len(m.payload) > limit {
				w.toCounty = w.toCounty[1:]
				switch {
				case how == swallows && m.ticket != 0:
					w.taken(w.now, m.ticket)
				case how == hangsUp:
					w.toCounty = nil
					w.down(w.now, nil)
				}
				continue
			}
			if err := w.deliverToCounty(0); err != nil {
				t.Fatal(err)
			}
		}
		if !w.waits() || w.now.Boot-began >= most {
			return w.now.Boot - began
		}
	}
}

func TestABatchThatNeverArrivesIsHalvedUntilItDoes(t *testing.T) {
	for _, how := range []string{swallows, hangsUp, stalls} {
		for _, limit := range []int{1200, 4000, 8000, 30_000} {
			w := newWorld()
			w.q.most = wire.MaxBatchRecords
			for range 400 {
				w.bigRecords(400)
			}
			w.up(w.now)
			took := w.run(t, how, limit, time.Hour)
			if w.waits() || took > 90*time.Second {
				t.Errorf("limit %d, %s: %d of 400 delivered after %s", limit, how, w.q.state.Through, took)
			}
			if w.troubles[fact.AlarmRecordHeld] != "" {
				t.Errorf("limit %d, %s: %s", limit, how, w.troubles[fact.AlarmRecordHeld])
			}
		}
	}
}

func TestOneRecordThatIsTooLargeIsNamedAndAlarmsStillGo(t *testing.T) {
	for _, how := range []string{swallows, hangsUp, stalls} {
		w := newWorld()
		w.q.most = wire.MaxBatchRecords
		w.bigRecords(300, 300, 9000, 300)
		w.up(w.now)
		w.run(t, how, 8000, 2*time.Minute)
		alarm := w.q.add(&wire.Alarm{ID: "a", Type: "fever", State: fact.AlarmRaised})
		w.alarm(w.now, overtaker{alarm, true})
		w.run(t, how, 8000, time.Minute)
		detail := w.troubles[fact.AlarmRecordHeld]
		if w.q.state.Through != 2 || !strings.Contains(detail, "record 3 ") ||
			!strings.Contains(detail, "message_size_limit") {
			t.Errorf("%s: through %d, said %q", how, w.q.state.Through, detail)
		}
		if len(w.ahead.waiting) != 0 || w.c.rows[testJID+"/5"] == nil {
			t.Errorf("%s: the alarm behind it waits", how)
		}
		if took := w.run(t, how, 64<<10, 3*time.Minute); w.waits() || w.troubles[fact.AlarmRecordHeld] != "" {
			t.Errorf("%s: with a higher limit %d are through after %s, said %q",
				how, w.q.state.Through, took, w.troubles[fact.AlarmRecordHeld])
		}
	}
}

// Whatever the limit and the records, what fits is delivered up to the first
// record that does not, and that one is named.
func TestWhatFitsIsDelivered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1000, 60_000).Draw(t, "limit")
		how := rapid.SampledFrom([]string{swallows, hangsUp, stalls}).Draw(t, "how")
		sizes := rapid.SliceOfN(rapid.IntRange(10, 12_000), 1, 60).Draw(t, "sizes")
		w := newWorld()
		w.q.most = wire.MaxBatchRecords
		w.bigRecords(sizes...)
		want := uint64(0)
		for want < uint64(len(sizes)) && alone(w, want+1) <= limit {
			want++
		}
		w.up(w.now)
		for most := 30 * time.Minute; w.waits() && w.troubles[fact.AlarmRecordHeld] == "" && most > 0; {
			most -= w.run(t, how, limit, 10*time.Second)
		}
		if w.q.state.Through != want {
			t.Fatalf("%d of %d delivered, %d fit before the first that does not", w.q.state.Through, len(sizes), want)
		}
		if held := w.troubles[fact.AlarmRecordHeld] != ""; held != (want < uint64(len(sizes))) {
			t.Fatalf("a record is named: %v", held)
		}
	})
}

// alone is the size of a message with one record.
func alone(w *world, seq uint64) int {
	payload, err := wire.EncodeBatch(wire.Batch{Agent: "gate", JID: testJID, From: seq, To: seq,
		Entries: w.q.entries[seq-1 : seq]})
	if err != nil {
		panic(err)
	}
	return len(payload)
}

func TestTheSizeRisesAgainWhenTheLimitIsForgotten(t *testing.T) {
	var s sizing
	big := span{from: 1, to: 100, bytes: 40_000}
	if s.missed(0, big) || !s.missed(0, big) || s.most != 20_000 || s.limit(50_000) != 20_000 {
		t.Fatalf("%+v", s)
	}
	now := time.Duration(0)
	for seq := uint64(1); s.most > 0; seq += 10 {
		now += 10 * time.Second
		if s.failed > 0 && s.most >= s.failed {
			t.Fatalf("as large as what failed: %+v", s)
		}
		s.came(now, span{from: seq, to: seq + 9, bytes: s.most})
	}
	if now < forgetLimit || now > forgetLimit+10*time.Minute {
		t.Errorf("full size after %s", now)
	}
}
