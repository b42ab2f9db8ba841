package agent

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/gateway/edge/status"
)

// An agent says that it delivers only when the county answers, and has taken something new or
// nothing waits. Once said it stays: what comes later is no longer the upgrade's.
func TestWhenAnAgentDelivers(t *testing.T) {
	for what, c := range map[string]struct {
		seen           []look
		records, gives bool
	}{
		"the journal is not read": {[]look{{recording: true, linked: true}}, false, false},
		"nothing waits":           {[]look{{true, true, true, 7, 7}}, true, true},
		"the county is silent":    {[]look{{true, true, false, 7, 7}}, true, false},
		"something waits":         {[]look{{true, true, true, 5, 7}}, true, false},
		"something is taken":      {[]look{{true, true, true, 5, 7}, {true, true, true, 6, 9}}, true, true},
		"taken before":            {[]look{{true, true, false, 5, 7}, {true, true, true, 5, 9}}, true, false},
		"stuck":                   {[]look{{true, false, true, 7, 7}}, false, false},
		"cut off afterwards":      {[]look{{true, true, true, 7, 7}, {true, true, false, 7, 9}}, true, true},
	} {
		l := life{}
		for _, x := range c.seen {
			l.add(x)
		}
		if l.said.Recording != c.records || l.said.Delivers != c.gives {
			t.Errorf("%s: %+v", what, l.said)
		}
	}
}

func TestAnAgentSaysHowItDoes(t *testing.T) {
	r := newRig(t)
	r.addReader("reader")
	file := filepath.Join(t.TempDir(), "alive.json")
	var got status.Alive
	r.run(func(context.Context, *Agent) {}, func(a *Agent) bool {
		l := life{a: a, file: file, said: status.Alive{Run: "run", Version: "1.4.0"}}
		l.say()
		b, err := os.ReadFile(file)
		if err != nil || json.Unmarshal(b, &got) != nil {
			t.Errorf("%s, %v", b, err)
		}
		return got.Recording
	})
	if got.Version != "1.4.0" || got.Run != "run" || got.Linked || got.Delivers {
		t.Errorf("without a county: %+v", got)
	}
}
