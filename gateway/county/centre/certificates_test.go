package centre

import (
	"testing"
	"time"
)

// A broker or desk whose certificate has ended runs on, and nobody can connect.
func TestTheEndOfACertificateIsToldBefore(t *testing.T) {
	ends := time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		left           time.Duration
		wrong, problem bool
	}{
		{renewWithin + time.Second, false, false},
		{renewWithin, true, false},
		{time.Second, true, false},
		{0, true, true},
		{-time.Hour, true, true},
	} {
		got, wrong := certificate{"desk.tls", ends}.trouble(ends.Add(-c.left))
		if wrong != c.wrong || got.Problem != c.problem {
			t.Errorf("%s before it: %v, %+v", c.left, wrong, got)
		}
	}
}
