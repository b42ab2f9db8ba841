package cli

import (
	"fmt"
	"testing"
	"time"

	"gatehouse/gateway/cli/feed"
	"gatehouse/gateway/fact"
)

func TestAgentsThatComeOnlineTogetherAreOneLine(t *testing.T) {
	var f fold
	now := time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	for i := range 184 {
		now = now.Add(50 * time.Millisecond)
		if !f.take(now, feed.Item{Agent: fmt.Sprintf("gate-%03d", i+1), What: "status", State: string(fact.Online)}) {
			t.Fatal("a line of its own")
		}
		if got, ok := f.tell(now); ok {
			t.Fatalf("told in between: %+v", got)
		}
	}
	got, ok := f.tell(now.Add(foldFor))
	if !ok || got.Agent != "184 agents" || got.State != string(fact.Online) {
		t.Errorf("%+v %v", got, ok)
	}
	if got, ok := f.tell(now.Add(time.Hour)); ok {
		t.Errorf("told twice: %+v", got)
	}
	f.take(now, feed.Item{Agent: "gate-007", What: "status", State: string(fact.Online)})
	if got, ok := f.tell(now.Add(foldFor)); !ok || got.Agent != "gate-007" {
		t.Errorf("one alone: %+v %v", got, ok)
	}
	for _, i := range []feed.Item{{What: "alarm"}, {What: "passage"}, {What: "status", State: string(fact.Offline)}} {
		if f.take(now, i) {
			t.Errorf("%+v waits", i)
		}
	}
}
