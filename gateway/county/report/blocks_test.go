package report

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"gatehouse/gateway/county/store"
)

// refuses is a store that takes nothing a few times, then all.
type refuses struct {
	Store
	left int
}

func (r *refuses) Commit(ctx context.Context, batches []store.Batch) ([]store.Receipt, error) {
	if r.left > 0 {
		r.left--
		return nil, errors.New("the disk is full")
	}
	return r.Store.Commit(ctx, batches)
}

// While a report can't be stored that is told, and its end.
func TestReportsThatCanNotBeStoredAreTold(t *testing.T) {
	c := newCounty(t, t.TempDir())
	defer c.end()
	var told []string
	c.blocks.tell = func(err error) { told = append(told, fmt.Sprint(err)) }
	began := 0
	c.opts.Begin = func() (end func()) {
		began++
		return func() { began-- }
	}
	c.opts.Store = &refuses{c.opts.Store, 2}
	c.say(topic, `{"v":1,"at":"2020-02-14T06:00:00Z","tank_pct":1}`)
	if got := fmt.Sprint(told); got != "[the disk is full the disk is full <nil>]" || began != 0 {
		t.Errorf("told %s; %d steps have not ended", got, began)
	}
}

// The reports of a machine that can be stored do not hide those of another that
// can't.
func TestReportsAreBlockedWhileThoseOfAnyMachineAre(t *testing.T) {
	var told []string
	b := blocks{tell: func(err error) { told = append(told, fmt.Sprint(err)) }}
	b.add(true, errors.New("one"))
	b.add(true, errors.New("two"))
	b.end()
	b.add(false, errors.New("two"))
	b.end()
	if got := fmt.Sprint(told); got != "[one two two <nil>]" {
		t.Error(got)
	}
}
