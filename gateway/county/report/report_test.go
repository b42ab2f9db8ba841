package report

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/machine"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
)

var begin = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

// county is a taker with a store of its own and a clock that is set.
type county struct {
	*Taker
	t     testing.TB
	store *archive.Archive
	dir   string
	now   time.Time
	known []Machine
}

func newCounty(t testing.TB, dir string, known ...Machine) *county {
	t.Helper()
	s, err := archive.OpenSQLite(filepath.Join(dir, "store.db"))
	must(t, err)
	c := &county{t: t, store: s, dir: dir, now: begin, known: known}
	c.open()
	return c
}

func (c *county) open() {
	c.t.Helper()
	var err error
	c.Taker, err = Open(context.Background(), Options{County: "qinghe", Path: filepath.Join(c.dir, "reports.db"), Machines: c.known,
		Store: c.store, Now: func() time.Time { return c.now }, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	must(c.t, err)
}

func (c *county) end() {
	must(c.t, c.Close())
	must(c.t, c.store.Close())
}

func (c *county) restart() {
	must(c.t, c.Close())
	c.open()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *county) say(topic, payload string) {
	c.t.Helper()
	if !c.Take(context.Background(), mqtt.Message{Topic: topic, Payload: []byte(payload)}) {
		c.t.Fatalf("not acknowledged: %s", payload)
	}
}

const topic = "gatehouse/v1/qinghe/fogger-9/report"

// told are the runs that hold, as text.
func (c *county) told(id string) (out []string) {
	c.t.Helper()
	found, err := c.book.runs(context.Background(), id, begin.AddDate(-60, 0, 0), begin.AddDate(60, 0, 0))
	must(c.t, err)
	for _, r := range found {
		litres := "-"
		if r.MeterL != nil {
			litres = fmt.Sprintf("%.2f", *r.MeterL)
		}
		out = append(out, fmt.Sprintf("%s %s %s %s %s", r.ID[strings.LastIndex(r.ID, "-")+1:], r.State, r.Grade, litres, r.End.Sub(r.Start.Time)))
	}
	return out
}

func (c *county) rows(kind wire.Kind) (out []wire.Record) {
	c.t.Helper()
	for row, err := range c.store.Rows(context.Background(), store.Query{}) {
		must(c.t, err)
		r, err := wire.DecodeRecord(row.Raw)
		must(c.t, err)
		if r.Kind == kind {
			out = append(out, r)
		}
	}
	return out
}

func (c *county) poison() (out []string) {
	c.t.Helper()
	held, err := c.store.Quarantined(context.Background(), 1000)
	must(c.t, err)
	for _, p := range held {
		out = append(out, p.Reason)
	}
	return out
}

// work gives the reports of a machine that fogs: 10 s of rest, then seconds of
// work at 6 L/min, then 20 s of rest, every 2 s.
func work(from time.Time, base float64, seconds int) (out []string) {
	for s := 0; s < 10+seconds+20; s += 2 {
		on := s >= 10 && s < 10+seconds
		litres := base + float64(min(max(0, s-10), seconds))/10
		flow := 0.0
		if on {
			flow = 6
		}
		out = append(out, fmt.Sprintf(`{"v":1,"at":%q,"lat":%.6f,"lon":115.1,"command":%t,"flow_lpm":%g,"volume_l":%.2f,"tank_pct":80}`,
			from.Add(time.Duration(s)*time.Second).Format(time.RFC3339), 35.9+float64(s)*1e-5, on, flow, litres))
	}
	return out
}

// Reports that were held up for an hour come one after the other, and the clock
// ticks in between: they are one run, which is over when no more come.
func TestTimePassesWhileOldReportsCome(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	c.now = begin.Add(time.Hour)
	for _, r := range work(begin, 100, 60) {
		c.say(topic, r)
		c.now = c.now.Add(time.Second)
		c.Tick(t.Context(), c.now)
	}
	if got, want := fmt.Sprint(c.told("fogger-9")), "[20200214t060010.000z open measured 6.00 58s]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	c.now = c.now.Add(quietFor)
	c.Tick(t.Context(), c.now)
	if got, want := fmt.Sprint(c.told("fogger-9")), "[20200214t060010.000z closed measured 6.00 58s]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestReportsBecomeARunAcrossRestarts(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	for i, r := range work(begin, 100, 60) {
		if i%7 == 3 {
			c.restart()
		}
		c.now = begin.Add(time.Duration(2*i) * time.Second)
		c.say(topic, r)
		c.say(topic, r) // the broker delivers it again
	}
	if n := len(c.rows(wire.KindTrack)); n != 45 {
		t.Errorf("%d reports are kept, want 45", n)
	}
	if got := c.told("fogger-9"); len(got) != 1 || !strings.Contains(got[0], "open") {
		t.Fatalf("%q", got)
	}
	c.restart()
	c.now = c.now.Add(20 * time.Minute)
	c.Tick(t.Context(), c.now)
	got := c.told("fogger-9")
	if len(got) != 1 || !strings.Contains(got[0], "closed measured 6.00 58s") {
		t.Fatalf("%q", got)
	}
	c.Tick(t.Context(), c.now)
	for i, r := range c.rows(wire.KindTrack) {
		body, err := r.DecodeBody()
		must(t, err)
		if track := body.(*wire.Track); track.Raw != work(begin, 100, 60)[i] || track.Received == nil || track.BadClock {
			t.Fatalf("%+v", track)
		}
	}
}

// Whatever order reports come in, in the end the same runs stand.
func TestTheOrderOfReportsDoesNotMatter(t *testing.T) {
	all := append(append(work(begin, 100, 40), work(begin.Add(10*time.Minute), 104, 40)...), work(begin.Add(50*time.Minute), 108, 40)...)
	tell := func(order []int, restart int) []string {
		c := newCounty(t, t.TempDir())
		defer c.end()
		c.now = begin.Add(time.Hour)
		for i, k := range order {
			if i == restart {
				c.restart()
			}
			c.say(topic, all[k])
		}
		c.now = begin.Add(3 * time.Hour)
		c.Tick(t.Context(), c.now)
		return c.told("fogger-9")
	}
	inOrder := make([]int, len(all))
	for i := range inOrder {
		inOrder[i] = i
	}
	want := tell(inOrder, -1)
	if len(want) != 2 || !strings.Contains(want[0], "closed measured 8.00") {
		t.Fatalf("in order: %q", want)
	}
	for seed := range uint64(10) {
		dice := rand.New(rand.NewPCG(seed, 1))
		if got := tell(dice.Perm(len(all)), dice.IntN(len(all))); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("seed %d: %q, want %q", seed, got, want)
		}
	}
}

func TestClocks(t *testing.T) {
	for name, c := range map[string]struct {
		at    string
		wrong bool
		held  time.Time
	}{
		"none":                 {"", false, begin},
		"right":                {`"at":"2020-02-14T05:59:58Z",`, false, begin.Add(-2 * time.Second)},
		"a little ahead":       {`"at":"2020-02-14T06:05:00Z",`, false, begin.Add(5 * time.Minute)},
		"ahead":                {`"at":"2021-02-14T06:05:00Z",`, true, begin},
		"1970":                 {`"at":"1970-01-01T00:00:09Z",`, true, begin},
		"days late, it may be": {`"at":"2020-02-04T06:00:00Z",`, false, begin.AddDate(0, 0, -10)},
	} {
		w := newCounty(t, t.TempDir())
		w.say(topic, `{"v":1,`+c.at+`"command":true,"flow_lpm":5}`)
		body, err := w.rows(wire.KindTrack)[0].DecodeBody()
		must(t, err)
		if track := body.(*wire.Track); track.BadClock != c.wrong || !track.At.Equal(c.held) || !track.Received.Equal(begin) {
			t.Errorf("%s: %v, %s", name, track.BadClock, track.At)
		}
		if got := w.told("fogger-9"); len(got) != 1 {
			t.Errorf("%s: runs %q", name, got)
		}
		w.end()
	}
}

func TestBadReports(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	for payload, why := range map[string]string{
		"": "JSON", `hello`: "JSON", `[1]`: "JSON array", `{"v":2,"flow_lpm":1}`: "version 2", `{"v":1}`: "says nothing",
		`{"v":1,"flow_lpm":"5"}`: "flow_lpm", `{"v":1,"command":1}`: "command", `{"flow_lpm":5}`: "version 0",
		`{"v":1,"at":"yesterday","lat":1}`: "yesterday", `{"v":1,"flow_lpm":1e999}`: "flow_lpm",
		`{"v":1,"command":true,"points":[{"t_ms":1}]}`: "import", `{"v":1,"x":"` + strings.Repeat("x", maxReport) + `"}`: "larger",
	} {
		before := len(c.poison())
		c.say(topic, payload)
		after := c.poison()
		if len(after) != before+1 || !strings.Contains(strings.Join(after, " "), why) {
			t.Errorf("%.60s: quarantine has %q, want %q", payload, after, why)
		}
	}
	if n := len(c.rows(wire.KindTrack)); n != 0 {
		t.Errorf("%d were kept", n)
	}
	c.say(topic, `{"v":1,"command":true,"flow_lpm":5,"colour":"red","nested":{"a":[1]}}`) // fields of tomorrow
	c.say("gatehouse/v1/qinghe/drone-9/report", `{"v":1,"lat":91,"lon":10,"flow_lpm":-3,"tank_pct":55}`)
	rows := c.rows(wire.KindTrack)
	if len(rows) != 2 {
		t.Fatalf("%d are kept, want 2", len(rows))
	}
	body, err := rows[1].DecodeBody()
	must(t, err)
	if p := body.(*wire.Track).Points[0]; p.Lat != nil || p.Flow != nil || *p.Tank != 55 {
		t.Errorf("%+v", p)
	}
}

func TestOtherFirmware(t *testing.T) {
	known := Machine{Config: machine.Config{Machine: "fogger-7", Name: "7号", Type: "fogger"}, Topics: []Topic{
		{Topic: "tele/fog7/SENSOR", Fields: map[string]string{"at": "Time", "flow_lpm": "FLOW.Rate", "volume_l": "FLOW.Total"}, Scale: map[string]float64{"flow_lpm": 1.0 / 60}},
		{Topic: "stat/fog7/POWER", Value: "command"}, {Topic: "esp/sensor/tank/state", Value: "tank_pct"},
	}}
	must(t, known.Check())
	c := newCounty(t, t.TempDir(), known)
	defer c.end()
	if n := len(c.Filters()); n != 4 {
		t.Errorf("%d filters", n)
	}
	for i := range 30 {
		c.now = begin.Add(time.Duration(i) * 2 * time.Second)
		switch {
		case i == 3:
			c.say("stat/fog7/POWER", "ON")
		case i == 25:
			c.say("stat/fog7/POWER", "OFF")
		case i%5 == 0:
			c.say("esp/sensor/tank/state", fmt.Sprint(90-i))
		default:
			rate := 0
			if i > 3 && i < 25 {
				rate = 360
			}
			c.say("tele/fog7/SENSOR", fmt.Sprintf(`{"Time":%q,"FLOW":{"Rate":%d,"Total":%.2f}}`, c.now.Format(time.RFC3339), rate, 50+float64(max(0, min(i, 25)-3))*0.2))
		}
	}
	c.say("stat/fog7/POWER", "?")
	c.say("esp/sensor/tank/state", "unavailable")
	c.say("tele/fog7/SENSOR", "Online")
	if bad := strings.Join(c.poison(), "; "); strings.Count(bad, ";") != 1 || !strings.Contains(bad, "not a number") || !strings.Contains(bad, "JSON object") {
		t.Errorf("quarantine: %s", bad)
	}
	c.now = c.now.Add(time.Hour)
	c.Tick(t.Context(), c.now)
	if got := c.told("fogger-7"); len(got) != 1 || !strings.Contains(got[0], "closed measured 4.") {
		t.Errorf("%q", got)
	}
}

func TestAFileComesInParts(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	part := func(n int) string {
		at := begin.AddDate(0, -3, 0).Add(time.Duration(n) * time.Minute)
		return fmt.Sprintf(`{"v":1,"at":%q,"import":{"id":"abc","part":%d,"parts":3,"name":"a.kml"},"points":[{"t_ms":0,"lat":35.9,"lon":115.1},{"t_ms":30000,"lat":35.9%d,"lon":115.1}]}`,
			at.Format(time.RFC3339), n, n)
	}
	for _, n := range []int{2, 3, 3} {
		c.say(topic, part(n))
	}
	if got := c.told("fogger-9"); len(got) != 0 {
		t.Fatalf("a part is missing, and yet: %q", got)
	}
	c.restart()
	for range 2 {
		for _, n := range []int{1, 2, 3} {
			c.say(topic, part(n))
		}
	}
	if got := c.told("fogger-9"); len(got) != 1 || !strings.Contains(got[0], "abc closed declared") {
		t.Errorf("%q", got)
	}
	if n := len(c.rows(wire.KindTrack)); n != 3 {
		t.Errorf("%d parts are kept, want 3", n)
	}
}

func TestMappingsThatAreWrong(t *testing.T) {
	for want, topic := range map[string]Topic{
		"own topic": {Topic: "tele/#", Value: "command"}, "one of them": {Topic: "a"}, "is none of": {Topic: "a", Value: "flow"},
	} {
		m := Machine{Config: machine.Config{Machine: "m", Name: "m", Type: "fogger"}, Topics: []Topic{topic}}
		if err := m.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(work(begin, 100, 2)[6]), "FLOW.Rate")
	f.Add([]byte(`{"FLOW":{"Rate":1}}`), "FLOW.Rate")
	f.Add([]byte(`1.5`), "a")
	f.Fuzz(func(t *testing.T, payload []byte, path string) {
		for _, decoded := range []func() (wire.Report, error){
			func() (wire.Report, error) { return decode(payload) },
			func() (wire.Report, error) { return Topic{Value: "flow_lpm"}.decode(payload, time.UTC) },
			func() (wire.Report, error) {
				return Topic{Fields: map[string]string{"at": "Time", "lat": path, "lon": path, "fault": path}}.decode(payload, time.UTC)
			},
		} {
			r, err := decoded()
			if err != nil {
				continue
			}
			if _, bad := points(r); len(bad) == 0 && r.Flow != nil && *r.Flow < 0 {
				t.Errorf("%+v", r)
			}
		}
	})
}
