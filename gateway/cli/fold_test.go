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
			t.Fatal("the item is printed on a line of its own")
		}
		if got, ok := f.next(now); ok {
			t.Fatalf("printed too early: %+v", got)
		}
	}
	got, ok := f.next(now.Add(foldFor))
	if !ok || got.Agent != "184 agents" || got.State != string(fact.Online) {
		t.Errorf("%+v %v", got, ok)
	}
	if got, ok := f.next(now.Add(time.Hour)); ok {
		t.Errorf("printed twice: %+v", got)
	}
	f.take(now, feed.Item{Agent: "gate-007", What: "status", State: string(fact.Online)})
	if got, ok := f.next(now.Add(foldFor)); !ok || got.Agent != "gate-007" {
		t.Errorf("a single agent: %+v %v", got, ok)
	}
	for _, i := range []feed.Item{{What: "alarm"}, {What: "passage"}, {What: "status", State: string(fact.Offline)}} {
		if f.take(now, i) {
			t.Errorf("%+v is kept", i)
		}
	}
}
