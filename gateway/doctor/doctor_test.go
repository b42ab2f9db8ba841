package doctor

import (
	"context"
	"errors"
	"testing"
)

func TestTheGravestVerdictCounts(t *testing.T) {
	of := func(list ...Verdict) (all []Finding) {
		for _, v := range list {
			all = append(all, Finding{Verdict: v})
		}
		return all
	}
	for _, c := range []struct {
		all  []Finding
		want Verdict
	}{{nil, OK}, {of(OK, Unknown), Unknown}, {of(Warn, Unknown), Warn}, {of(OK, Fail, Warn), Fail}} {
		if got := Worst(c.all); got != c.want {
			t.Errorf("%v: %s", c.all, got)
		}
	}
}

func TestATrialSaysWhatItHasFound(t *testing.T) {
	try := func(warning, err error) Trial {
		return Trial{Check: "x", On: "y", Why: Text{"因", "why"}, Cure: Text{"治", "cure"},
			Try: func(context.Context) (Text, error, error) { return Text{"好", "good"}, warning, err }}
	}
	bad, soon := errors.New("broken"), errors.New("soon broken")
	got := Try(t.Context(), Subject{Trials: []Trial{try(nil, nil), try(soon, nil), try(nil, bad), try(soon, bad)}})
	for i, want := range []Finding{
		{"x", "y", OK, Text{"好", "good"}, Text{}, Text{}},
		{"x", "y", Warn, Text{"", "soon broken"}, Text{"因", "why"}, Text{"治", "cure"}},
		{"x", "y", Fail, Text{"", "broken"}, Text{"因", "why"}, Text{"治", "cure"}},
		{"x", "y", Fail, Text{"", "broken"}, Text{"因", "why"}, Text{"治", "cure"}},
	} {
		if got[i] != want {
			t.Errorf("%d: %+v, want %+v", i, got[i], want)
		}
	}
	if (Text{EN: "only"}).In(true) != "only" || (Text{"中", "en"}).In(true) != "中" || (Text{"中",
		"en"}).In(false) != "en" {
		t.Error("the wrong language")
	}
}
