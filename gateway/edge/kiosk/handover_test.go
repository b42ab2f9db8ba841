package kiosk

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/episode"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/post"
)

func TestAHandOverListsWhoWaitsAndWhoWasCalled(t *testing.T) {
	x, now := newScene(), at(20)
	st := calling(nil)
	st.Holds = []status.Condition{{Type: fact.AlarmDeviceFault, Device: "reader", Detail: "no answer"}}
	st.Episodes = []episode.Episode{{ID: "e7", Person: episode.Person{Class: "resident"}, First: 3810,
		Ready: at(320).Boot, Until: at(1820).Boot}}
	st.Post.View = post.View{On: "east-2", Note: &post.Note{From: "east-1", Notes: []string{"all-quiet"}}}
	x.wait(20).status(st)
	n := x.s.Post(now).Note
	if n == nil || !slices.Equal(n.Open, []string{"help-called:doctor-101", "device-fault:reader"}) {
		t.Fatalf("%+v", n)
	}
	ready, until := t0.Add(320*time.Second), t0.Add(1820*time.Second)
	want := []Waiter{{ID: "e7", Class: "resident", Screening: new(fact.Temp(3810)), Ready: &ready, Until: &until}}
	if !reflect.DeepEqual(n.Waits, want) {
		t.Errorf("waits %+v, want %+v", n.Waits, want)
	}
	st.Episodes, st.Help.Calls = nil, nil
	if n := x.status(st).s.Post(now).Note; len(n.Waits) != 0 || !slices.Equal(n.Open, []string{"device-fault:reader"}) {
		t.Errorf("when all have gone: %+v", n)
	}
}
