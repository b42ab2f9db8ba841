package backup

import (
	"errors"
	"os"
	"testing"
)

// A file that somebody else has made may name any place: those that are not usual somebody must
// give by a flag. Until then nothing is there.
func TestTheFileNamesNoUnusualPlace(t *testing.T) {
	k := newKit(t)
	k.make()
	home := []string{k.path("")}
	for what, c := range map[string]struct {
		change func(r *Restore)
		want   error
	}{
		"all are given":       {func(*Restore) {}, nil},
		"the configuration's": {func(r *Restore) { r.ConfigDir = "" }, ErrUnusual},
		"the county's":        {func(r *Restore) { r.Dir = "" }, ErrUnusual},
		"the authority's":     {func(r *Restore) { r.AuthorityDir = "" }, nil}, // it is not in this backup
		"beginning alike":     {func(r *Restore) { r.ConfigDir, r.Usual = "", []string{k.path("e")} }, ErrUnusual},
		"below a usual one":   {func(r *Restore) { r.ConfigDir, r.Usual, r.Again = "", home, true }, nil},
	} {
		t.Run(what, func(t *testing.T) {
			r := k.restore()
			r.Dir = k.path("usual", "county")
			r.Usual = []string{"/var/lib/gatehouse"}
			c.change(&r)
			_, err := r.Do(t.Context())
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if _, e := os.Stat(k.path("usual", "county")); (e == nil) != (c.want == nil) {
				t.Errorf("the county's folder: %v", e)
			}
			must(t, os.RemoveAll(k.path("usual")))
			must(t, os.RemoveAll(k.path("new")))
		})
	}
}
