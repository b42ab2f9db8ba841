package desk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// gates returns n gates that live and are stopped for a reason; "": they deliver.
func gates(n int, why fact.TroubleKind) (out []presence.Agent) {
	for i := range n {
		a := presence.Agent{Agent: fmt.Sprintf("gate-%03d-%s", i+1, why), State: fact.Online}
		if why != "" {
			a.Troubles = []wire.Trouble{{Kind: why}}
		}
		out = append(out, a)
	}
	return out
}

// in returns n gates in a state.
func in(n int, state fact.LinkState) (out []presence.Agent) {
	for i := range n {
		out = append(out, presence.Agent{Agent: fmt.Sprintf("gate-%03d-%s", i+1, state), State: state})
	}
	return out
}

// apart returns gates whose clocks differ from this one by so much.
func apart(n int, skew time.Duration) []presence.Agent {
	out := gates(n, "")
	for i := range out {
		out[i].Skew = skew
	}
	return out
}

func join(lists ...[]presence.Agent) (out []presence.Agent) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// kinds returns what was found, problems with a !.
func kinds(list []wire.Trouble) (out []string) {
	for _, t := range list {
		if t.Problem {
			out = append(out, string(t.Kind)+"!")
			continue
		}
		out = append(out, string(t.Kind))
	}
	return out
}

func TestWhatGatesSayOfTheCounty(t *testing.T) {
	refuses, held := fact.TroubleStoreRefuses, fact.TroubleKind(fact.AlarmRecordHeld)
	for _, c := range []struct {
		name    string
		agents  []presence.Agent
		after   time.Duration // for so long it has been like this
		refused bool          // the collector has said so itself
		want    string
		says    string
	}{
		{"all well", gates(5, ""), time.Hour, false, "[]", ""},
		{"nobody yet", in(5, fact.Never), time.Second, false, "[]", ""},
		{"nobody ever", in(5, fact.Never), time.Hour, false, "[gates-silent]", "5 gates of the site file has ever"},
		{"one is silent", join(gates(5, ""), in(1, fact.Silent)), time.Hour, false, "[gates-silent]", "1 gate"},
		{"the only one is off", in(1, fact.Offline), time.Hour, false, "[gates-silent]", ""},
		{"all are silent", join(in(3, fact.Silent), in(2, fact.Never)), time.Second, false, "[nothing-arrives!]",
			"none of the 3 gates"},
		{"all wait for their first answer", gates(5, fact.TroubleNoAnswer), 59 * time.Second, false,
			"[gates-held-up]", ""},
		{"no hello comes", gates(5, fact.TroubleNoAnswer), time.Minute, false, "[nothing-arrives!]", "…/+/hello"},
		{"nothing that the collector says comes", gates(7, fact.TroubleNoCollector), time.Hour, false,
			"[nothing-arrives!]", "… +2"},
		{"for several reasons", join(gates(2, fact.TroubleNoAnswer), gates(2, fact.TroubleNotAcknowledged)),
			time.Hour, false, "[nothing-arrives!]", "4 gates live"},
		{"one of them delivers", join(gates(4, fact.TroubleNoAnswer), gates(1, "")), time.Hour, false,
			"[gates-held-up]", "4 gates can't deliver"},
		{"the only one has a record that is too large", gates(1, held), time.Hour, false, "[gates-held-up]",
			"record-held"},
		{"the store refuses, which is told", gates(5, refuses), time.Hour, true, "[]", ""},
		{"the store refuses, which is told, and one waits for more", join(gates(5, refuses), gates(1, held)),
			time.Hour, true, "[gates-held-up]", "1 gate"},
		{"the store is said to refuse, which the collector does not", gates(5, refuses), time.Hour, false,
			"[nothing-arrives!]", ""},
		{"one clock is wrong", join(gates(5, ""), apart(1, -time.Hour)), time.Hour, false, "[clock-off]", "-3600 s"},
		{"the clock here is wrong", apart(3, time.Minute), time.Hour, false, "[clock-off]", "this computer's clock"},
		{"clocks differ a little", apart(3, 59*time.Second), time.Hour, false, "[]", ""},
	} {
		begin := findings{now: t0, began: t0, refused: c.refused}
		begin.gates(c.agents)
		f := findings{now: t0.Add(c.after), began: t0, refused: c.refused, stopped: begin.stopped}
		f.gates(c.agents)
		if got := fmt.Sprint(kinds(f.list)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
			continue
		}
		if len(f.list) > 0 && !strings.Contains(f.list[0].Text, c.says) {
			t.Errorf("%s: %q does not say %q", c.name, f.list[0].Text, c.says)
		}
	}
}

// Once a gate delivers, the minute begins again.
func TestAGateThatDeliversEndsTheCountysTrouble(t *testing.T) {
	var since time.Time
	for i, c := range []struct {
		agents []presence.Agent
		want   string
	}{
		{gates(3, fact.TroubleNoAnswer), "[gates-held-up]"},
		{gates(3, fact.TroubleNoAnswer), "[nothing-arrives!]"},
		{join(gates(2, fact.TroubleNoAnswer), gates(1, "")), "[gates-held-up]"},
		{gates(3, fact.TroubleNoAnswer), "[gates-held-up]"},
		{nil, "[]"},
		{gates(3, fact.TroubleNoAnswer), "[gates-held-up]"},
	} {
		f := findings{now: t0.Add(time.Duration(i) * time.Minute), began: t0, stopped: since}
		f.gates(c.agents)
		since = f.stopped
		if got := fmt.Sprint(kinds(f.list)); got != c.want {
			t.Errorf("look %d: %s, want %s", i, got, c.want)
		}
	}
}

// What is not found any more is taken from the board.
func TestATroubleThatHasEndedIsNotShown(t *testing.T) {
	d, _ := newDesk(t)
	for _, list := range [][]wire.Trouble{
		{{Kind: fact.TroubleDeskFault, Problem: true, Text: "the disk is full"}, {Kind: fact.TroubleClock, Text: "x"}},
		{{Kind: fact.TroubleClock, Text: "x"}},
		nil,
	} {
		d.post(list)
		if got, want := fmt.Sprint(kinds(d.opts.Health.Troubles(t0))), fmt.Sprint(kinds(list)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
