package commits

import (
	"testing"
	"time"

	"gatehouse/gateway/probe"
)

// named returns the metric of a name.
func named(t *testing.T, c *Commits, name string) probe.Metric {
	t.Helper()
	for _, m := range c.Metrics() {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("there is no %s", name)
	return probe.Metric{}
}

func TestCommitsAreCountedUpToEachBound(t *testing.T) {
	var c Commits
	if h := named(t, &c, "gatehouse_commit_duration_seconds").Histogram; h.Count != 0 || h.UpTo[30] != 0 {
		t.Errorf("before the first commit: %+v", h)
	}
	c.Done(time.Millisecond, 3) // a bound belongs to its class
	c.Done(2*time.Millisecond, 0)
	c.Done(time.Minute, 4)
	h := named(t, &c, "gatehouse_commit_duration_seconds").Histogram
	for bound, want := range map[float64]uint64{.001: 1, .005: 2, 30: 2} {
		if h.UpTo[bound] != want {
			t.Errorf("up to %v s: %d, want %d", bound, h.UpTo[bound], want)
		}
	}
	if h.Count != 3 || h.Sum < 60.002 || h.Sum > 60.004 || len(h.UpTo) != len(tookBounds) {
		t.Errorf("%+v", h)
	}
	if m := named(t, &c, "gatehouse_committed_records_total"); !m.Counter || m.Value[""] != 7 {
		t.Errorf("%+v", m)
	}
}

func TestAFailureIsNoCommit(t *testing.T) {
	var c Commits
	c.Failed()
	if m := named(t, &c, "gatehouse_commit_failures_total"); !m.Counter || m.Value[""] != 1 {
		t.Errorf("%+v", m)
	}
	if h := named(t, &c, "gatehouse_commit_duration_seconds").Histogram; h.Count != 0 {
		t.Errorf("%+v", h)
	}
}

func TestARecordOfTheFutureHasNoAge(t *testing.T) {
	var c Commits
	c.Arrived(-time.Hour)
	c.Arrived(2 * time.Hour)
	h := named(t, &c, "gatehouse_record_age_seconds").Histogram
	if h.Sum != 7200 || h.UpTo[.1] != 1 || h.UpTo[3600] != 1 || h.UpTo[21600] != 2 {
		t.Errorf("%+v", h)
	}
}

func TestNobodyNeedsToCount(t *testing.T) {
	var c *Commits
	c.Done(time.Second, 1)
	c.Failed()
	c.Arrived(time.Second)
	if m := c.Metrics(); m != nil {
		t.Errorf("%+v", m)
	}
}
