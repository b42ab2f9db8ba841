package cases

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/wire"
)

// Family gate: bytes of a gate's serial device, at their times, through its driver and
// the station of a gate whose cards alone decide. Its roster lists card 62E3086CED and
// codes VISIT-7 and 许可证编号.
//
// expected.yaml has field (the number of the case in the field, if it has one), model
// and play: what comes, one after the other, as file, text or hex, after a wait, times
// times, every so often, in chunks of so many bytes with a gap between; the gate is
// watched for lasts more (default 3s). wakes is what a module sends, every so often and
// for so long, after each command to send. Then come the results, each exact: readings
// ("card …", "code …", "temperature"), passages ("pass not-measured"), the last state of
// the device ("ok", "fault: words of it"), and when commands were written (to 0.5 s).

type gateCase struct {
	Field    string          `yaml:"field"`
	Model    string          `yaml:"model"`
	Play     []gateBytes     `yaml:"play"`
	Wakes    *gateBytes      `yaml:"wakes"`
	Lasts    time.Duration   `yaml:"lasts"`
	Readings []string        `yaml:"readings"`
	Passages []string        `yaml:"passages"`
	State    string          `yaml:"state"`
	Asked    []time.Duration `yaml:"asked"`
}

type gateBytes struct {
	File  string        `yaml:"file"`
	Text  string        `yaml:"text"`
	Hex   string        `yaml:"hex"`
	After time.Duration `yaml:"after"`
	Every time.Duration `yaml:"every"`
	Times int           `yaml:"times"`
	For   time.Duration `yaml:"for"`
	Chunk int           `yaml:"chunk"`
	Gap   time.Duration `yaml:"gap"`
}

func (b gateBytes) bytes(t *testing.T, dir string) []byte {
	t.Helper()
	if b.File != "" {
		raw, err := os.ReadFile(filepath.Join(dir, b.File))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(b.Hex, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return append(raw, b.Text...)
}

func TestGate(t *testing.T) {
	each(t, "gate", func(t *testing.T, dir string) {
		want := expected[gateCase](t, dir)
		synctest.Test(t, func(t *testing.T) { playGate(t, dir, want) })
	})
}

func playGate(t *testing.T, dir string, want gateCase) {
	t.Helper()
	line := newGateLine()
	j := &gateJournal{}
	off := false
	offset := fact.Temp(0)
	cfg := station.Config{Devices: []station.Device{{Name: "device", Model: want.Model, Port: "p"}}}
	if want.Model == "gy-mcu90614" {
		cfg.Devices[0].Offset = &offset
	} else {
		cfg.Lanes = []station.Lane{{Name: "in", Measures: &off}}
	}
	st, err := station.New(cfg, station.Options{Rules: gateRules(t), Zone: time.UTC, Codes: codes{},
		Ports: line, Journal: j, Board: status.NewBoard(), Clock: bubble{time.Now()}, BootID: "b",
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	st.Begin(clock.Moment{Wall: time.Now(), Boot: time.Hour})
	if w := want.Wakes; w != nil {
		line.wakes, line.every, line.lasts = w.bytes(t, dir), w.Every, w.For
	}
	ctx, stop := gateContext(t)
	done := make(chan struct{})
	restored := make(chan struct{})
	close(restored)
	go func() { defer close(done); st.Run(ctx, restored) }()
	time.Sleep(time.Second)
	for _, b := range want.Play {
		time.Sleep(b.After)
		raw := b.bytes(t, dir)
		for range max(1, b.Times) {
			for chunk := range slices.Chunk(raw, cmp.Or(b.Chunk, 512)) {
				line.came <- chunk
				time.Sleep(b.Gap)
			}
			time.Sleep(b.Every)
		}
	}
	time.Sleep(max(want.Lasts, 3*time.Second))
	stop()
	<-done
	checkGate(t, want, j, line)
}

func checkGate(t *testing.T, want gateCase, j *gateJournal, line *gateLine) {
	t.Helper()
	if got := j.readings(want.Readings); !slices.Equal(got, want.Readings) {
		t.Errorf("readings %q, want %q", got, want.Readings)
	}
	if !slices.Equal(j.passages, want.Passages) {
		t.Errorf("passages %q, want %q", j.passages, want.Passages)
	}
	state, words, _ := strings.Cut(want.State, ": ")
	if gotState, gotWords, _ := strings.Cut(j.state, ": "); gotState != state || !strings.Contains(gotWords, words) {
		t.Errorf("the device is %q, want %q", j.state, want.State)
	}
	if len(line.asked) != len(want.Asked) {
		t.Fatalf("it was asked after %s, want %s", line.asked, want.Asked)
	}
	for i, at := range want.Asked {
		if (line.asked[i] - at).Abs() > 500*time.Millisecond {
			t.Errorf("it was asked after %s, want %s", line.asked, want.Asked)
		}
	}
}

// codes knows no passes.
type codes struct{ identity.SiteKey }

func (codes) Pass(string) (*wire.Pass, fact.PassFault) { return nil, "" }

func gateRules(t *testing.T) *policy.Rules {
	t.Helper()
	p, err := policy.Parse([]byte("version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n" +
		"classes:\n  resident: {fever: go-home, directions: [in, out]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	list := "card,class,status,household,from,until\n62E3086CED,resident,active,,,\n" +
		"code:VISIT-7,resident,active,,,\ncode:许可证编号,resident,active,,,\n"
	rules, err := policy.ParseRoster(p, strings.NewReader(list), identity.SiteKey{})
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// gateJournal notes what a station records.
type gateJournal struct {
	seq      uint64
	read     []*wire.Reading
	passages []string
	state    string
}

func (j *gateJournal) Append(_ clock.Moment, body wire.Body) uint64 {
	switch b := body.(type) {
	case *wire.Reading:
		j.read = append(j.read, b)
	case *wire.Passage:
		j.passages = append(j.passages, string(b.Verdict)+" "+fact.JoinReasons(b.Reasons, "+"))
	case *wire.Health:
		j.state = strings.TrimSuffix(string(b.State)+": "+b.Detail, ": ")
	}
	j.seq++
	return j.seq
}

func (j *gateJournal) TryAppend(now clock.Moment, body wire.Body) (uint64, error) {
	return j.Append(now, body), nil
}

// readings returns the readings in the words of expected.yaml; what is a pseudonym of
// none of the expected codes stands as it is.
func (j *gateJournal) readings(want []string) (out []string) {
	for _, r := range j.read {
		text := strings.TrimSpace(string(r.Type) + " " + r.Credential)
		for _, w := range want {
			kind, code, _ := strings.Cut(w, " ")
			if r.Credential != "" && r.Credential == (identity.SiteKey{}).Pseudonym(kind, code) {
				text = fmt.Sprintf("%s %s", kind, code)
			}
		}
		out = append(out, text)
	}
	return out
}
