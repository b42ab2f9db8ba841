package registry

import (
	"fmt"
	"testing"
	"time"
)

func TestWhoHasSignedMustSignAfterAStartToo(t *testing.T) {
	b := newBench(t)
	if b.MustSign("gate-001") {
		t.Error("it must sign before it ever has")
	}
	for range 2 {
		if err := b.HasSigned(t.Context(), "gate-001"); err != nil {
			t.Fatal(err)
		}
	}
	b.enrol("gate-001") // another key, which signs as well
	b.open(b.opts.File, b.opts.Authority)
	if !b.MustSign("gate-001") || b.MustSign("gate-002") {
		t.Error("who signs is not kept")
	}
}

func TestUnknownAgentsAreListedAndBounded(t *testing.T) {
	b := newBench(t)
	for i := range 10 * mostUnknown {
		if fresh := b.HeardUnknown(fmt.Sprint("ghost-", i)); fresh != (i < mostUnknown) {
			t.Fatalf("ghost %d is new: %v", i, fresh)
		}
	}
	b.now = b.now.Add(time.Minute)
	if !b.HeardUnknown("gate-002") || b.HeardUnknown("gate-002") {
		t.Error("a gate of the site file has no place on the list, or is new twice")
	}
	l, err := b.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(l.Unknown); n != mostUnknown+1 {
		t.Errorf("%d are listed", n)
	}
	want := Unknown{Agent: "gate-002", First: b.now, Last: b.now, Messages: 2, Listed: true}
	if l.Unknown[0] != want {
		t.Errorf("got %+v, want %+v", l.Unknown[0], want)
	}
	b.enrol("gate-002")
	b.now = b.now.Add(unknownFor)
	if !b.HeardUnknown("late") {
		t.Error("those that are not heard any more keep their places for ever")
	}
	if l, err = b.List(t.Context()); err != nil || len(l.Unknown) != 1 || l.Unknown[0].Agent != "late" {
		t.Errorf("got %+v, %v", l.Unknown, err)
	}
}
