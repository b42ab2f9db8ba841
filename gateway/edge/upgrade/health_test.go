package upgrade

import (
	"testing"

	"gatehouse/gateway/edge/status"
)

func TestWhichVersionIsHealthy(t *testing.T) {
	good := status.Alive{Run: "new", Version: "2.0", Recording: true, Linked: true, Delivers: true}
	for what, c := range map[string]struct {
		edit         func(*health)
		ok, fails, r bool
	}{
		"delivers":          {func(*health) {}, true, false, false},
		"not yet":           {func(h *health) { h.is.Delivers = false }, false, false, false},
		"nothing delivered": {func(h *health) { h.is.Delivers, h.over = false, true }, false, true, false},
		"the county went away": {func(h *health) {
			h.is.Delivers, h.over, h.county = false, true, false
		}, true, false, true},
		"it was away before":      {func(h *health) { h.is.Delivers, h.s.Alone = false, true }, true, false, true},
		"away, and not recording": {func(h *health) { h.is.Recording, h.s.Alone = false, true }, false, false, false},
		"silent":                  {func(h *health) { h.is, h.over = status.Alive{}, true }, false, true, false},
		"silent, county away": {func(h *health) {
			h.is, h.over, h.county = status.Alive{}, true, false
		}, false, true, false},
		"of the run before":  {func(h *health) { h.is.Run, h.over = "old", true }, false, true, false},
		"of another version": {func(h *health) { h.is.Version, h.over = "1.0", true }, false, true, false},
		"stuck":              {func(h *health) { h.is.Recording, h.over = false, true }, false, true, false},
	} {
		h := health{is: good, s: State{To: "2.0", Run: "old"}, county: true}
		c.edit(&h)
		ok, remark, why := h.judge()
		if ok != c.ok || (why != "") != c.fails || (remark != "") != c.r {
			t.Errorf("%s: %t, remark %q, why %q", what, ok, remark, why)
		}
	}
}
