package runs

import "testing"

// TestACounterThatCreepsBeforeTheWork has what a counter does before a run: the
// samples that are stored must lead to the same litres as all.
func TestACounterThatCreepsBeforeTheWork(t *testing.T) {
	for name, play := range map[string]func(*script){
		"drips for longer than a pause": func(c *script) {
			c.play(5, false, 0)
			for range 7 {
				c.silent(1, 0.4)
				c.play(8, false, 0)
			}
		},
		"rises after a spurt": func(c *script) {
			c.play(1, false, 0).play(1, false, 0.4).silent(1, 0.4)
			c.play(10, false, 0)
		},
		"rises fast after a spurt": func(c *script) {
			c.play(2, false, 0.4).silent(17, 2.6)
			c.play(3, false, 0)
		},
		"drips after a run": func(c *script) {
			c.play(1, true, 3).play(70, false, 0).silent(1, 0.4)
			c.play(8, false, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newScript()
			play(c)
			c.play(3, true, 0).play(10, true, 3)
			all := New(small)
			var kept []Sample
			for _, s := range c.samples {
				all.Tick(s.T)
				kept = append(kept, all.Keep(s)...)
				all.Observe(s)
			}
			want, runs := all.Run(), Segment(small, kept)
			got := runs[len(runs)-1]
			if got.ID != want.ID || *got.Meter != *want.Meter {
				t.Errorf("%s, %g L; from all %s, %g L", got.ID, *got.Meter, want.ID, *want.Meter)
			}
		})
	}
}
